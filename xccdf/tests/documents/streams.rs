//! What is in a data stream, which checklist is meant, and where what it refers to is.

use crate::fixture::{assert_says, benchmark_text};
use crate::stream::*;
use xccdf::{Choice, Document, Error, Limits, SourceContent};

fn small() -> String {
    collection("", "<Rule id='xccdf_test_rule_r'><title>r</title><description>long</description></Rule>", &[])
}

/// Two data streams, the second with two checklists.
fn two() -> String {
    let text = small();
    let from = text.find("<ds:data-stream id").unwrap();
    let to = text.find("</ds:data-stream>").unwrap() + "</ds:data-stream>".len();
    let first = &text[from..to];
    let second =
        first.replace("scap_t_datastream_d", "scap_t_datastream_e").replace("scap_t_cref_", "scap_u_cref_");
    let second = second.replace(
        "<ds:checklists>",
        "<ds:checklists><ds:component-ref id='scap_u_cref_away' xlink:href='file:other.xml'/>",
    );
    let other = benchmark_text("").replace("xccdf_test_benchmark_b", "xccdf_test_benchmark_other");
    let other = format!(
        "<ds:component id='scap_t_comp_other' timestamp='2025-01-01T00:00:00'>{other}</ds:component>"
    );
    let third = "<ds:data-stream id='scap_t_datastream_f' scap-version='1.2' use-case='OTHER'><ds:checklists>\
         <ds:component-ref id='scap_f_cref_other' xlink:href='#scap_t_comp_other'/>\
         <ds:component-ref id='scap_f_cref_oval' xlink:href='#scap_t_comp_oval.xml'/>\
         <ds:component-ref id='scap_f_cref_lost' xlink:href='#scap_t_comp_lost'/></ds:checklists></ds:data-stream>";
    let text = text.replace(first, &format!("{first}{second}{third}"));
    text.replace("</ds:data-stream-collection>", &format!("{other}</ds:data-stream-collection>"))
}

fn lost(content: &SourceContent, choice: Choice<'_>) -> [Error; 1] {
    [content.checklist(choice).err().unwrap_or_else(|| panic!("{choice:?} leads somewhere"))]
}

#[test]
fn the_first_checklist_is_meant_unless_ids_are_given() {
    let content = source(&two());
    for (stream, checklist, benchmark, expected) in [
        (None, None, None, "scap_t_cref_xccdf.xml"),
        (Some("scap_t_datastream_d"), None, None, "scap_t_cref_xccdf.xml"),
        (None, Some("scap_u_cref_xccdf.xml"), None, "scap_u_cref_xccdf.xml"),
        (Some("scap_t_datastream_f"), None, None, "scap_f_cref_other"),
        (None, None, Some("xccdf_test_benchmark_other"), "scap_f_cref_other"),
        (None, None, Some("b"), "scap_t_cref_xccdf.xml"),
        // The benchmark's id is looked at only when nothing else is given.
        (Some("scap_t_datastream_f"), None, Some("xccdf_test_benchmark_b"), "scap_f_cref_other"),
    ] {
        let choice = Choice { stream, checklist, benchmark };
        let checklist = content.checklist(choice).unwrap_or_else(|error| panic!("{choice:?}: {error}"));
        assert_eq!(checklist.reference().unwrap().id, expected, "{choice:?}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let content = source(&two());
    let stream = |id| Choice { stream: Some(id), ..Choice::default() };
    let checklist = |id| Choice { checklist: Some(id), ..Choice::default() };
    assert_says(
        &lost(&content, stream("x")),
        &["no data stream \"x\"", "there are: scap_t_datastream_d, scap_t"],
    );
    assert_says(&lost(&content, checklist("scap_t_cref_xcdf.xml")), &["did you mean scap_t_cref_xccdf.xml"]);
    let benchmark = Choice { benchmark: Some("xccdf_test_benchmark_zzzzzzz"), ..Choice::default() };
    assert_says(&lost(&content, benchmark), &["no benchmark", "xccdf_test_benchmark_b"]);
    assert_says(&lost(&content, stream("scap_t_datastream_e")), &["not in the file but at file:other.xml"]);
    assert_says(
        &lost(&content, checklist("scap_f_cref_oval")),
        &["oval_definitions", "expected an XCCDF 1.2"],
    );
    assert_says(
        &lost(&content, checklist("scap_f_cref_lost")),
        &["\"scap_t_comp_lost\", which is not there"],
    );
}

#[test]
fn documents_are_found_by_the_names_of_catalogs() {
    let text = collection("", "", &[("cpe:/o:a", 'T')]);
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    assert_eq!(checklist.href(), "#scap_t_comp_xccdf.xml");
    let Document::Here(oval) = checklist.document("oval.xml") else { panic!("no OVAL") };
    assert_eq!((oval.name.as_str(), oval.timestamp), ("oval_definitions", Some("2025-01-01T00:00:00")));
    assert_eq!(oval.namespace, "http://oval.mitre.org/XMLSchema/oval-definitions-5");
    assert!(oval.text.starts_with("<oval_definitions ") && oval.text.ends_with("</oval_definitions>"));
    let definitions = text.find("<definitions>").unwrap();
    let line = text[..definitions].matches('\n').count() + 1;
    assert_eq!(oval.position(oval.text.find("<definitions>").unwrap()).line as usize, line);
    assert!(matches!(checklist.document("cpe-oval.xml"), Document::Here(_)));
    assert_eq!(checklist.document("remote.xml"), Document::Elsewhere("https://example.org/remote.xml"));
    assert_eq!(checklist.document("nothing.xml"), Document::Unknown);
    let lost = text.replace("uri='#scap_t_cref_remote.xml'", "uri='#scap_t_cref_lost'");
    let error = source(&lost).checklist(Choice::default()).map(|_| ()).unwrap_err();
    assert_says(&[error], &["the catalog of \"scap_t_cref_xccdf.xml\" refers to \"#scap_t_cref_lost\""]);
}

#[test]
fn an_xccdf_document_alone_has_its_files_beside_it() {
    let content = source(&benchmark_text("<Rule id='xccdf_test_rule_r'><title>r</title></Rule>"));
    assert!(!content.is_collection());
    let checklist = content.checklist(Choice::default()).unwrap();
    assert_eq!((checklist.href(), checklist.benchmark().unwrap().rules().count()), ("stream.xml", 1));
    assert_eq!(checklist.rule("r").unwrap().unwrap().head.title.plain(), "r");
    assert_eq!(checklist.document("oval.xml"), Document::Elsewhere("oval.xml"));
    let other = Choice { benchmark: Some("other"), ..Choice::default() };
    assert_says(&lost(&content, other), &["no benchmark \"other\"", "xccdf_test_benchmark_b"]);
    let stream = Choice { stream: Some("d"), ..Choice::default() };
    assert_says(&lost(&content, stream), &["not a data stream"]);
}

#[test]
fn prose_is_left_out_until_it_is_asked_for() {
    let text = small();
    let content = source(&text);
    let checklist = content.checklist(Choice::default()).unwrap();
    let (short, whole) = (checklist.benchmark().unwrap(), checklist.whole_benchmark().unwrap());
    assert_eq!(short.rule("r").unwrap().head.title.plain(), "r");
    assert!(short.rule("r").unwrap().head.description.is_empty());
    assert_eq!(whole.rule("r").unwrap().head.description.plain(), "long");
    let rule = checklist.rule("r").unwrap().unwrap();
    assert_eq!(&rule, whole.rule("r").unwrap());
    assert_eq!(rule.head.position.line, whole.rule("r").unwrap().head.position.line);
    assert_eq!(rule.head.position.column, short.rule("r").unwrap().head.position.column);
    let line = text[..text.find("<Rule").unwrap()].matches('\n').count() + 1;
    assert_eq!(rule.head.position.line as usize, line);
    assert!(checklist.rule("nothing").unwrap().is_none());
}

#[test]
fn mistakes_in_a_benchmark_have_their_line_in_the_file() {
    let text = small().replace("<Rule id", "<Rule slected='true' id");
    let content = source(&text);
    let errors = content.checklist(Choice::default()).unwrap().benchmark().unwrap_err();
    let line = text[..text.find("<Rule").unwrap()].matches('\n').count() + 1;
    assert_says(&errors.0, &[&format!("stream.xml:{line}:1: <Rule>: unknown attribute slected")]);
}

#[test]
fn what_is_no_content_is_told() {
    let told = |text: &str| match SourceContent::new(text.as_bytes().to_vec(), "x.xml", &Limits::default()) {
        Ok(_) => panic!("{text} is content"),
        Err(errors) => errors.to_string(),
    };
    for (text, expected) in [
        (
            "<oval xmlns='o'/>",
            "x.xml:1:1: neither a SCAP data stream nor an XCCDF benchmark: <oval> of \"o\"",
        ),
        ("<Benchmark xmlns='http://checklists.nist.gov/xccdf/1.1'/>", "XCCDF 1.1, expected XCCDF 1.2"),
        (
            "<Tailoring xmlns='http://checklists.nist.gov/xccdf/1.2'/>",
            "an XCCDF Tailoring, expected a benchmark",
        ),
        ("", "x.xml:1:1: no XML in it"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "x.xml:1:1: a document type declaration"),
        ("<a>\n<b>", "x.xml:2:1: the document ends before </b> (the file was cut short"),
    ] {
        assert!(told(text).contains(expected), "{}", told(text));
    }
    let latin = SourceContent::new(b"<a>\n\xE9</a>".to_vec(), "x.xml", &Limits::default()).unwrap_err();
    assert!(latin.to_string().starts_with("x.xml:2:1: not valid UTF-8"), "{latin}");
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    let large = SourceContent::new(b"<a>12345</a>".to_vec(), "x.xml", &limits).unwrap_err();
    assert!(large.to_string().contains("larger than 10 bytes"), "{large}");
}
