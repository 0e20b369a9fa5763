//! How several criteria become one.

use crate::bench::{Asking, HEAD, verify, word};
use std::fs;

/// Criteria by letter (true, false, error, unknown, not evaluated; A not applicable, G a probe that gave up; small when negated), and what
/// comes of them by AND, OR, ONE and XOR.
const ROWS: [(&str, &str); 51] = [
    ("T", "TTTT"),
    ("F", "FFFF"),
    ("E", "EEEE"),
    ("U", "UUUU"),
    ("N", "NNNN"),
    ("TT", "TTFF"),
    ("TF", "FTTT"),
    ("TE", "ETEE"),
    ("TU", "UTUU"),
    ("TN", "NTNN"),
    ("FF", "FFFF"),
    ("FE", "FEEE"),
    ("FU", "FUUU"),
    ("FN", "FNNN"),
    ("EE", "EEEE"),
    ("EU", "EEEE"),
    ("EN", "EEEE"),
    ("UU", "UUUU"),
    ("UN", "UUUU"),
    ("NN", "NNNN"),
    ("TTT", "TTFT"),
    ("TTE", "ETFE"),
    ("TTF", "FTFF"),
    ("TFE", "FTEE"),
    ("EUN", "EEEE"),
    ("FEUN", "FEEE"),
    ("tT", "FTTT"),
    ("fF", "FTTT"),
    ("eT", "ETEE"),
    ("uT", "UTUU"),
    ("nT", "NTNN"),
    ("A", "AAAA"),
    ("AA", "AAAA"),
    ("TA", "TTTT"),
    ("FA", "FFFF"),
    ("EA", "EEEE"),
    ("UA", "UUUU"),
    ("NA", "NNNN"),
    ("TFA", "FTTT"),
    ("TTA", "TTFF"),
    ("aT", "TTTT"),
    ("G", "UUUU"),
    ("GG", "UUUU"),
    ("TG", "TTTT"),
    ("FG", "FFFF"),
    ("EG", "EEEE"),
    ("UG", "UUUU"),
    ("NG", "NNNN"),
    ("AG", "AAAA"),
    ("TTG", "TTFF"),
    ("gT", "TTTT"),
];

/// The same for criteria that are negated as a whole.
const NEGATED: [(&str, &str); 8] = [
    ("T", "FFFF"),
    ("F", "TTTT"),
    ("E", "EEEE"),
    ("U", "UUUU"),
    ("N", "NNNN"),
    ("TF", "TFFF"),
    ("A", "AAAA"),
    ("G", "UUUU"),
];

const PARTS: &str = r#"<tests>
<unix:file_test id="oval:T:tst:1" version="1" comment="x" check="all">
<unix:object object_ref="oval:T:obj:1"/>
</unix:file_test>
<unix:file_test id="oval:F:tst:1" version="1" comment="x" check="all">
<unix:object object_ref="oval:F:obj:1"/>
</unix:file_test>
<ind:textfilecontent54_test id="oval:E:tst:1" version="1" comment="x" check="all">
<ind:object object_ref="oval:E:obj:1"/>
</ind:textfilecontent54_test>
<unix:file_test id="oval:U:tst:1" version="1" comment="x" check="all">
<unix:object object_ref="oval:U:obj:1"/>
<unix:state state_ref="oval:U:ste:1"/>
</unix:file_test>
<linux:rpminfo_test id="oval:A:tst:1" version="1" comment="x" check="all">
<linux:object object_ref="oval:A:obj:1"/>
</linux:rpminfo_test>
<unix:symlink_test id="oval:G:tst:1" version="1" comment="x" check="all">
<unix:object object_ref="oval:G:obj:1"/>
</unix:symlink_test>
</tests>
<objects>
<unix:file_object id="oval:T:obj:1" version="1">
<unix:filepath>/mnt/f</unix:filepath>
</unix:file_object>
<unix:file_object id="oval:F:obj:1" version="1">
<unix:filepath>/mnt/none</unix:filepath>
</unix:file_object>
<ind:textfilecontent54_object id="oval:E:obj:1" version="1">
<ind:filepath>/mnt/latin</ind:filepath>
<ind:pattern operation="pattern match">.</ind:pattern>
<ind:instance datatype="int">1</ind:instance>
</ind:textfilecontent54_object>
<unix:file_object id="oval:U:obj:1" version="1">
<unix:path>/mnt</unix:path>
<unix:filename xsi:nil="true"/>
</unix:file_object>
<linux:rpminfo_object id="oval:A:obj:1" version="1">
<linux:name>x</linux:name>
</linux:rpminfo_object>
<unix:symlink_object id="oval:G:obj:1" version="1">
<unix:filepath>/mnt/f</unix:filepath>
</unix:symlink_object>
</objects>
<states>
<unix:file_state id="oval:U:ste:1" version="1">
<unix:filepath>/mnt</unix:filepath>
</unix:file_state>
</states>
"#;

#[test]
fn operators_and_negation() {
    let tree = tempfile::tempdir().unwrap();
    // Without rpm's configuration packages of rpm are not applicable.
    for directory in ["mnt", "usr/lib/rpm"] {
        fs::create_dir_all(tree.path().join(directory)).unwrap();
    }
    fs::write(tree.path().join("mnt/f"), "x\n").unwrap();
    fs::write(tree.path().join("mnt/latin"), b"\xe9\n").unwrap();
    let metadata = "<metadata>\n<title>x</title>\n<description>x</description>\n</metadata>";
    let mut definitions = format!(
        "<definition id=\"oval:N:def:1\" version=\"1\" class=\"miscellaneous\">\n{metadata}\n</definition>\n"
    );
    let mut rows = Vec::new();
    let all = ROWS.iter().map(|row| (row, false)).chain(NEGATED.iter().map(|row| (row, true)));
    for ((letters, verdicts), negate) in all {
        let criteria: String = letters.chars().map(criterion).collect();
        for (operator, verdict) in ["AND", "OR", "ONE", "XOR"].into_iter().zip(verdicts.chars()) {
            let sign = if negate { "not " } else { "" };
            rows.push((format!("{sign}{operator} {letters}"), word(verdict)));
            definitions += &format!(
                "<definition id=\"oval:x:def:{}\" version=\"1\" class=\"miscellaneous\">\n{metadata}\n\
                 <criteria operator=\"{operator}\" negate=\"{negate}\">\n{criteria}</criteria>\n</definition>\n",
                rows.len()
            );
        }
    }
    // One that has no links yet: they make oscap's probe give up.
    let head = HEAD.replace("SCHEMA", "5.10");
    let text = format!("{head}<definitions>\n{definitions}</definitions>\n{PARTS}</oval_definitions>\n");
    let rows: Vec<(&str, &str)> = rows.iter().map(|(name, verdict)| (name.as_str(), *verdict)).collect();
    verify(&text, &rows, tree.path(), &Asking { lent: &["mnt", "usr/lib/rpm"], ..Asking::default() });
}

fn criterion(letter: char) -> String {
    let (negate, letter) = (letter.is_lowercase(), letter.to_ascii_uppercase());
    match letter {
        'N' => format!("<extend_definition definition_ref=\"oval:N:def:1\" negate=\"{negate}\"/>\n"),
        _ => format!("<criterion test_ref=\"oval:{letter}:tst:1\" negate=\"{negate}\"/>\n"),
    }
}
