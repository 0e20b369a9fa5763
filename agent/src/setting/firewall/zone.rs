//! What firewalld does with the loopback interface: its zone `trusted`, `firewalld.zone(5)`.
//!
//! A file in `/etc/firewalld/zones` takes the place of the vendor's of the same name; ours is a copy of the one that counts with
//! the elements added, so that everything else in it stays.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Effect};
use crate::finding::Finding;
use crate::setting::Setting;
use crate::system::System;

/// The zone of the machine, then of the vendor.
const FILES: [&str; 2] = ["/etc/firewalld/zones/trusted.xml", "/usr/lib/firewalld/zones/trusted.xml"];
/// A zone that accepts everything, where there is no file at all.
const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone target=\"ACCEPT\">\n  <short>Trusted</short>\n</zone>\n";

/// What holds for loopback traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewalldLoopback {
    /// The interface `lo` is trusted.
    Trusted,
    /// Packets that claim to come from the machine itself are dropped unless they go to itself.
    Restricted,
}

impl Setting for FirewalldLoopback {
    fn examine(&self, system: &System) -> Result<Finding> {
        let mut text = EMPTY.to_owned();
        let mut place = FILES[0];
        for file in FILES {
            if let Some(found) = system.read_text(file)? {
                (text, place) = (found, file);
                break;
            }
        }
        let mut finding = Finding::new();
        let mut missing = Vec::new();
        for (element, wanted) in self.elements() {
            let is = has(&text, element);
            finding.persistent(is, if is { "so" } else { "no such element" }, *wanted, place);
            if !is {
                missing.push(*element);
            }
        }
        if let Some((head, end)) = text.rsplit_once("</zone>").filter(|_| !missing.is_empty()) {
            let new: String = missing.iter().map(|element| format!("  {element}\n")).collect();
            finding.change(Change::write(FILES[0], format!("{head}{new}</zone>{end}")));
            finding.effect(Effect::reload("firewalld.service"));
        } else if !missing.is_empty() {
            finding.manual(format!("{place} is no zone: it has no </zone>"));
        }
        Ok(finding)
    }

    fn describe(&self) -> String {
        let wanted: Vec<&str> = self.elements().iter().map(|(_, wanted)| *wanted).collect();
        format!("in firewalld's zone trusted, {}", wanted.join(" and "))
    }
}

impl FirewalldLoopback {
    fn elements(self) -> &'static [(&'static str, &'static str)] {
        match self {
            FirewalldLoopback::Trusted => &[(r#"<interface name="lo"/>"#, "the interface lo is trusted")],
            FirewalldLoopback::Restricted => &[
                (
                    r#"<rule family="ipv4"><source address="127.0.0.1"/><destination address="127.0.0.1" invert="True"/><drop/></rule>"#,
                    "packets from 127.0.0.1 go to itself or nowhere",
                ),
                (
                    r#"<rule family="ipv6"><source address="::1"/><destination address="::1" invert="True"/><drop/></rule>"#,
                    "packets from ::1 go to itself or nowhere",
                ),
            ],
        }
    }
}

/// Whether a text has an element, however it is laid out: blanks between elements and remarks do not count.
pub fn has(text: &str, element: &str) -> bool {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        bare.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    bare.push_str(rest);
    let packed = |text: &str| {
        let text = text.replace('\'', "\"").replace("\n", " ");
        let words: Vec<&str> = text.split_whitespace().collect();
        words
            .join(" ")
            .replace("> <", "><")
            .replace(" />", "/>")
            .replace("\"true\"", "\"True\"")
            .replace("\"yes\"", "\"True\"")
    };
    packed(&bare).contains(&packed(element))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn inspect_change_inspect_and_roll_back() {
        let vendor = "<?xml version=\"1.0\"?>\n<zone target=\"ACCEPT\">\n  <short>Trusted</short>\n  <forward/>\n</zone>\n";
        for setting in [FirewalldLoopback::Trusted, FirewalldLoopback::Restricted] {
            Tree::new().file(FILES[1], vendor).round_trip(&setting);
            Tree::new().round_trip(&setting);
            let tree = Tree::new().file(FILES[1], vendor);
            tree.applied(&setting);
            assert!(tree.text(FILES[0]).contains("<forward/>"));
            assert_eq!(tree.text(FILES[1]), vendor);
        }
    }

    #[test]
    fn as_firewalld_writes_it() {
        let zone = "<zone target=\"ACCEPT\">\n  <interface name=\"lo\"/>\n  <rule family=\"ipv4\">\n    <source address=\"127.0.0.1\"/>\n\
            \x20   <destination address=\"127.0.0.1\" invert=\"True\"/>\n    <drop/>\n  </rule>\n  <rule family=\"ipv6\">\n\
            \x20   <source address=\"::1\"/>\n    <destination address=\"::1\" invert=\"True\"/>\n    <drop/>\n  </rule>\n</zone>\n";
        let tree = Tree::new().file(FILES[0], zone);
        for setting in [FirewalldLoopback::Trusted, FirewalldLoopback::Restricted] {
            assert!(setting.examine(&tree.system()).unwrap().is_compliant());
        }
        let remark = Tree::new().file(FILES[0], "<zone><!-- <interface name=\"lo\"/> --></zone>");
        assert!(!FirewalldLoopback::Trusted.examine(&remark.system()).unwrap().is_compliant());
    }
}
