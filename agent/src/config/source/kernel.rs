//! The kernel's command line: `trempe.tier=TIER`, and `trempe=off` to let a machine start that must not harden itself.

use anyhow::{Result, bail};

use super::Source;
use crate::config::written::{Firstboot, Written};
use crate::system::System;

const NAME: &str = "kernel command line";
const FILE: &str = "/proc/cmdline";

/// What the boot loader was told.
pub fn look(system: &System) -> Vec<Source> {
    let line = system.read_text(FILE);
    let off = line.as_ref().is_ok_and(|line| is_off(line.as_deref().unwrap_or_default()));
    let read = || line?.map_or(Ok(None), |line| parse(&line));
    Source::new(NAME, read().or_else(|error| if off { Ok(Some(switched(false))) } else { Err(error) }))
        .into_iter()
        .collect()
}

/// Whether the machine must not harden itself, whatever else is on the line: who types this at a boot loader has no time for
/// typing errors.
fn is_off(line: &str) -> bool {
    let switch = |word: &String| matches!(word.as_str(), "trempe=off" | "trempe=on");
    words(line).into_iter().rfind(switch).is_some_and(|word| word == "trempe=off")
}

fn switched(on: bool) -> Written {
    Written { firstboot: Firstboot { enabled: Some(on), ..Firstboot::default() }, ..Written::default() }
}

/// The last of several counts, as everywhere on that line.
fn parse(line: &str) -> Result<Option<Written>> {
    let mut said = None;
    for word in words(line) {
        let (key, value) = word.split_once('=').unwrap_or((&word, ""));
        if key != "trempe" && !key.starts_with("trempe.") {
            continue;
        }
        let said = said.get_or_insert_with(Written::default);
        match (key, value) {
            ("trempe.tier", tier) => said.tier = Written::tier(tier).checked(NAME)?.tier,
            ("trempe", "off") => {
                said.firstboot = Firstboot { enabled: Some(false), ..said.firstboot.clone() }
            }
            ("trempe", "on") => said.firstboot = Firstboot { enabled: Some(true), ..said.firstboot.clone() },
            _ => bail!("{NAME}: {word}: there are trempe=off, trempe=on and trempe.tier=TIER"),
        }
    }
    Ok(said)
}

/// The words of the line, apart at white space outside quotes, the quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Said;
    use crate::setting::testing::Tree;

    #[test]
    fn the_line_is_read_as_the_kernel_reads_it() {
        let said = |line: &str| {
            let said = parse(line).unwrap()?;
            Some((said.tier.map(|tier| tier.value), said.firstboot.enabled))
        };
        let tier = |tier: &str| Some(tier.to_owned());
        for (line, told) in [
            ("BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet\n", None),
            ("ro trempe.tier=strict quiet", Some((tier("strict"), None))),
            ("trempe.tier=strict trempe.tier=light", Some((tier("light"), None))),
            ("trempe=off", Some((None, Some(false)))),
            ("trempe=off trempe=on trempe.tier=\"light\"", Some((tier("light"), Some(true)))),
            ("x=\"a trempe=off\" trempered=1", None),
        ] {
            assert_eq!(said(line), told, "{line}");
        }
        for line in ["trempe", "trempe=maybe", "trempe.teir=strict", "trempe.tier=", "trempe.tier=hard"] {
            assert!(parse(line).unwrap_err().to_string().starts_with("kernel command line: "), "{line}");
        }
        let typed = Tree::new().file(FILE, "trempe=off trempe.teir=strict\n");
        let [off] = &look(&typed.system())[..] else { panic!("one source") };
        let Said::Written(off) = &off.said else { panic!("{off:?}") };
        assert_eq!(off.firstboot.enabled, Some(false), "the switch counts beside a typing error");
        let tree = Tree::new().file(FILE, "trempe=off\n");
        assert_eq!(look(&tree.system()).len(), 1);
        assert_eq!(look(&Tree::new().system()).len(), 0);
    }
}
