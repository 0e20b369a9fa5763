//! What goes wrong in the middle of an upload to a content library: what becomes of it, what is said, and that the next run puts it right.

use std::collections::BTreeSet;

use super::*;

/// How an upload over a fault ends.
enum End {
    /// It is there all the same.
    There,
    /// It is not, and this is said; nothing of it is left there.
    Gone(&'static str),
    /// It is not, and this is said; the next run clears away what is left.
    Begun(&'static str),
}
use End::{Begun, Gone, There};

const ALWAYS: (u32, u32) = (0, 1000);
const ONCE: (u32, u32) = (0, 1);
const FILE: &str = "/cis/data/";
const ITEM: &str = "/content/library/item";

/// Name, method, path, how often, what, how it ends.
type Case = (&'static str, &'static str, &'static str, (u32, u32), &'static str, End);

const CASES: [Case; 15] = [
    ("reset over the file", "PUT", FILE, (1, 1), "reset", There),
    ("reset always", "PUT", FILE, ALWAYS, "reset", Gone("do: run the same command again")),
    ("answer to the file lost", "PUT", FILE, ONCE, "lost", There),
    ("down over the file", "PUT", FILE, ONCE, "503", There),
    ("file too large", "PUT", FILE, ALWAYS, "413", Gone("do: something in between, a proxy most likely")),
    ("down while listing", "GET", ITEM, ONCE, "502", There),
    ("down while logging in", "POST", "/cis/session", ONCE, "503", There),
    ("login refused", "POST", "/cis/session", ALWAYS, "401", Gone("do: check user and password")),
    ("item refused", "POST", ITEM, ALWAYS, "403", Gone("do: give the user a role")),
    ("answer to the item lost", "POST", ITEM, ONCE, "lost", Begun("do: run the same command again")),
    ("update lost", "POST", "/update-session", ONCE, "lost", There),
    ("end of the update unknown", "POST", "action=complete", ONCE, "504", There),
    ("name refused", "PATCH", ITEM, ALWAYS, "403", Begun("do: give the user a role")),
    ("login runs out", "POST", "/update-session", (0, 2), "401", There),
    ("login runs out over the file", "PUT", FILE, ONCE, "401", There),
];

fn one((name, method, path, how_often, act, end): &Case) {
    let desk = Desk::new();
    let center = Vcenter::start(&desk, "env:PASSWORD");
    center.fault(method, path, *how_often, act);
    let told = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    let text = format!("{name}: {}", said(&told));
    center.mend();
    let names = || center.items().into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    match end {
        There => assert_eq!(told.status.code(), Some(0), "{text}"),
        Gone(words) | Begun(words) => {
            assert_eq!(told.status.code(), Some(1), "{text}");
            assert!(text.contains("FAILED") && text.contains(words), "{words}: {text}");
            assert!(matches!(end, Begun(_)) || names().is_empty(), "{text}: {:?}", names());
        }
    }
    let again = desk.run(&["upload", "web.qcow2", "--to", "center"]);
    let text = format!("{text}\nagain: {}", said(&again));
    assert_eq!(again.status.code(), Some(0), "{text}");
    assert_eq!(names(), ["web"], "{text}");
    // The simulator lists a file once more when it is sent once more.
    let files: BTreeSet<_> = center.items()[0].2.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(files, ["web-disk1.vmdk", "web.ovf"].map(str::to_owned).into(), "{text}");
    assert_eq!(desk.left(), 0, "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn faults() {
    // They wait more than they work.
    std::thread::scope(|scope| {
        for some in CASES.chunks(4) {
            scope.spawn(|| some.iter().for_each(one));
        }
    });
}
