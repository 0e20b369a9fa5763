//! No input makes the library panic; what it accepts, it can write and read again.

use crate::fixture::*;
use proptest::prelude::*;
use xccdf::{Benchmark, Tailoring, no_alias, resolve, short_id};

/// A document that has most of what can go wrong.
fn rich() -> String {
    let content = format!(
        "<title>t &amp; u</title>{}<Value id='xccdf_test_value_v' type='number'><value>1</value>\
         <upper-bound>9</upper-bound><choices mustMatch='1'><choice>1</choice></choices></Value>\
         <Group id='xccdf_test_group_g'>{}<Rule id='xccdf_test_rule_x' extends='a'>\
         <requires idref='a'/><conflicts idref='a'/><description>a<b>c</b><![CDATA[d]]>&#101;</description>\
         <check system='s'><check-export value-id='v' export-name='e'/></check></Rule></Group>",
        selecting("p", "", "a g -x"),
        rule("a")
    );
    benchmark_text(&content)
}

fn exercise(document: &[u8]) {
    if let Ok(benchmark) = Benchmark::parse(document, "x") {
        let written = benchmark.to_xml().unwrap();
        let again = Benchmark::parse(&written, "x");
        assert_eq!(again.as_ref(), Ok(&benchmark), "{}", String::from_utf8_lossy(&written));
        for profile in [None, Some("p")] {
            drop(resolve(&benchmark, &[], profile, &no_alias));
        }
    }
    if let Ok(tailoring) = Tailoring::parse(document, "x") {
        let written = tailoring.to_xml().unwrap();
        assert_eq!(Tailoring::parse(&written, "x").as_ref(), Ok(&tailoring));
        let benchmark = Benchmark::parse(rich().as_bytes(), "b").unwrap();
        drop(resolve(&benchmark, &[tailoring.clone(), tailoring], None, &no_alias));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes(document in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&document);
    }

    #[test]
    fn arbitrary_markup(document in "(<|>|/|!|\\?|&|;|'|\"|=| |-|\\[|\\]|x|é|\n){0,60}") {
        exercise(document.as_bytes());
    }

    #[test]
    fn bytes_changed(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut document = rich().into_bytes();
        for (index, byte) in edits {
            let at = index.index(document.len());
            document[at] = byte;
        }
        exercise(&document);
    }

    #[test]
    fn pieces_moved(
        from in any::<prop::sample::Index>(),
        length in 0usize..80,
        to in any::<prop::sample::Index>(),
        tailoring in any::<bool>(),
    ) {
        let mut document = if tailoring {
            tailoring_text(&[selecting("p", "q", "a -b"), selecting("q", "", "a")].concat()).into_bytes()
        } else {
            rich().into_bytes()
        };
        let from = from.index(document.len());
        let end = (from + length).min(document.len());
        let piece: Vec<u8> = document.drain(from..end).collect();
        let to = to.index(document.len() + 1);
        document.splice(to..to, piece);
        exercise(&document);
    }

    #[test]
    fn cut_short(end in any::<prop::sample::Index>()) {
        let document = rich();
        exercise(&document.as_bytes()[..end.index(document.len())]);
    }

    #[test]
    fn any_id(id in "(xccdf|_|rule|profile|a|é|\\.){0,8}") {
        assert!(id.ends_with(short_id(&id)));
    }

    /// The order of rules and their number never depend on the choice.
    #[test]
    fn any_choice(words in proptest::collection::vec("-?(a|b|c|g|h)", 0..8)) {
        let content = format!(
            "{}<Group id='xccdf_test_group_g'><conflicts idref='c'/>{}<Group id='xccdf_test_group_h'>{}\
             </Group></Group>",
            rule("a"), rule("b"), rule("c")
        );
        let benchmark = benchmark(&content);
        let stack = [tailoring("t", &selecting("p", "", &words.join(" ")))];
        let policy = resolve(&benchmark, &stack, None, &no_alias).unwrap();
        let ids: Vec<&str> = policy.rules.iter().map(|rule| short_id(&rule.id)).collect();
        prop_assert_eq!(ids, ["a", "b", "c"]);
        for rule in policy.selected() {
            let last = words.iter().rev().find(|word| word.trim_start_matches('-') == short_id(&rule.id));
            prop_assert_eq!(last.map(|word| word.starts_with('-')), Some(false));
        }
    }
}
