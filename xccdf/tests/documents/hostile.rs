//! Content cut short, changed at random or made to hurt: an error or a result, in bounded time, never a panic.

use crate::stream::*;
use proptest::prelude::*;
use xccdf::evaluate::{Options, evaluate};
use xccdf::{Choice, Limits, SourceContent, no_alias, resolve};

/// Does with bytes all that can be done.
fn use_up(bytes: Vec<u8>) {
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    let Ok(content) = SourceContent::new(bytes, "x.xml", &limits) else { return };
    let Ok(checklist) = content.checklist(Choice::default()) else { return };
    for href in ["oval.xml", "cpe-oval.xml", "remote.xml"] {
        assert!(!format!("{:?}", checklist.document(href)).is_empty());
    }
    drop(checklist.rule("pass"));
    drop(checklist.tailorings());
    let (Ok(benchmark), Ok(platforms)) = (checklist.benchmark(), checklist.platforms()) else { return };
    let Ok(policy) = resolve(&benchmark, &[], Some("p"), &no_alias) else { return };
    let mut engine = Table::default();
    let Ok(evaluation) = evaluate(&benchmark, &policy, &platforms, &mut engine, &Options::default()) else {
        return;
    };
    xccdf::score::scores(&benchmark, &evaluation.results);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_cut_short_is_told(at in 0.0f64..1.0) {
        let text = crate::verdicts::stream();
        let cut = (text.len() as f64 * at) as usize;
        let bytes = text.as_bytes()[..cut].to_vec();
        let told = SourceContent::new(bytes, "x.xml", &Limits::default()).map(|_| ());
        // Without the last line break it is still whole.
        prop_assert!(told.is_err() || cut + 2 > text.len());
    }

    #[test]
    fn a_changed_stream_makes_no_panic(
        changes in proptest::collection::vec((0.0f64..1.0, any::<u8>(), 0usize..3), 1..8),
    ) {
        let mut bytes = crate::verdicts::stream().into_bytes();
        for (at, byte, how) in changes {
            let at = (bytes.len() as f64 * at) as usize;
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        use_up(bytes);
    }

    #[test]
    fn pieces_put_elsewhere_make_no_panic(from in 0.0f64..1.0, to in 0.0f64..1.0, length in 0usize..2000) {
        let text = crate::verdicts::stream().into_bytes();
        let place = |at: f64| (text.len() as f64 * at) as usize;
        let end = (place(from) + length).min(text.len());
        let mut bytes = text.clone();
        bytes.splice(place(to)..place(to), text[place(from)..end].iter().copied());
        use_up(bytes);
    }

    #[test]
    fn what_is_said_to_be_packed_makes_no_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..200),
        magic in prop::sample::select(vec![&b"\xFD7zXZ\0"[..], b"BZh9", b"BZh91AY&SY"]),
    ) {
        use_up([magic, tail.as_slice()].concat());
    }
}

#[test]
fn nesting_without_end_is_told() {
    let deep = format!("<a>{}", "<b>".repeat(1_000_000));
    let told = SourceContent::new(deep.into_bytes(), "x.xml", &Limits::default()).unwrap_err().to_string();
    assert!(told.contains("nest deeper than 64"), "{told}");
}

#[test]
fn more_things_than_any_content_has_are_told() {
    let limits = Limits::default();
    // Stretches of prose with nothing between them are one.
    for small in ["<Rule/>", "x<notice/>"] {
        let many = format!("<Benchmark xmlns='{}'>{}</Benchmark>", xccdf::NAMESPACE, small.repeat(200_000));
        let told = SourceContent::new(many.into_bytes(), "x.xml", &limits).unwrap_err().to_string();
        assert!(told.contains("more than 131072"), "{small}: {told}");
    }
    let names = "<a xmlns='u'/>".repeat(200_000);
    let declared = format!("<Benchmark xmlns='{}'>{names}</Benchmark>", xccdf::NAMESPACE);
    assert!(SourceContent::new(declared.into_bytes(), "x.xml", &limits).is_ok());
}

#[test]
fn a_circle_of_catalogs_comes_to_an_end() {
    let text = collection("", "", &[]);
    let circle = "<ds:component-ref id='scap_t_cref_oval.xml' xlink:href='#scap_t_comp_oval.xml'>\
         <cat:catalog><cat:uri name='again' uri='#scap_t_cref_xccdf.xml'/></cat:catalog>";
    let text = text
        .replace("<ds:component-ref id='scap_t_cref_oval.xml' xlink:href='#scap_t_comp_oval.xml'>", circle);
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    assert!(matches!(checklist.document("again"), xccdf::Document::Here(_)));
}
