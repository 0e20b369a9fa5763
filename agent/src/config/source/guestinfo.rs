//! VMware's `guestinfo.trempe`: a setting of the virtual machine, as YAML or base64 of it.

use anyhow::Result;

use super::{Source, base64, text};
use crate::config::written::Written;
use crate::system::{System, Tool};

const NAME: &str = "guestinfo.trempe";
/// Who made the machine, as its firmware says; anybody may read it.
const VENDOR: &str = "/sys/class/dmi/id/sys_vendor";

/// The virtual machine's setting. Nothing is asked anywhere but on VMware: the tools hang or fail elsewhere.
pub fn look(system: &System) -> Vec<Source> {
    let vendor = system.read_text(VENDOR).ok().flatten().unwrap_or_default();
    if !vendor.starts_with("VMware") {
        return Vec::new();
    }
    Source::new(NAME, read(system)).into_iter().collect()
}

fn read(system: &System) -> Result<Option<Written>> {
    let ask = format!("info-get {NAME}");
    let output = if system.has_tool(Tool::VmwareRpctool) {
        system.run_on_host(Tool::VmwareRpctool, &[&ask], None)?
    } else if system.has_tool(Tool::Vmtoolsd) {
        system.run_on_host(Tool::Vmtoolsd, &["--cmd", &ask], None)?
    } else {
        return Ok(None);
    };
    // What both end with and say for a setting that is not there; with 1 alone they end for any other failure too.
    let says = |word| output.stdout.contains(word) || output.stderr.contains(word);
    if output.code == Some(1) && says("No value found") {
        return Ok(None);
    }
    let said = output.success()?.stdout.clone();
    let said = match base64::decode(&said) {
        Some(bytes) => text(bytes, NAME)?,
        None => said,
    };
    if said.trim().is_empty() { Ok(None) } else { Written::parse(&said, NAME).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Said;
    use crate::setting::testing::Tree;
    use crate::system::{Output, Run};

    /// VMware's tools: those that are installed, and what they answer.
    struct Tools {
        installed: Vec<Tool>,
        code: i32,
        said: String,
    }

    impl Run for Tools {
        fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
            let args_of = |tool| {
                if tool == Tool::Vmtoolsd {
                    vec!["--cmd", "info-get guestinfo.trempe"]
                } else {
                    vec!["info-get guestinfo.trempe"]
                }
            };
            assert!(self.has(tool));
            assert_eq!(args, args_of(tool));
            Ok(Output { code: Some(self.code), stdout: self.said.clone(), ..Output::default() })
        }

        fn has(&self, tool: Tool) -> bool {
            self.installed.contains(&tool)
        }
    }

    fn told(vendor: &str, installed: &[Tool], code: i32, said: &str) -> Option<Said> {
        let tools = Tools { installed: installed.to_vec(), code, said: said.to_owned() };
        let tree = Tree::new().file(VENDOR, vendor);
        look(&tree.system_with(Box::new(tools))).pop().map(|source| source.said)
    }

    #[test]
    fn the_setting_is_asked_for_on_vmware_alone() {
        let strict = Some(Said::Written(Box::new(Written::parse("tier: strict\n", "").unwrap())));
        let both = [Tool::Vmtoolsd, Tool::VmwareRpctool];
        for (vendor, tools, code, said, wanted) in [
            ("VMware, Inc.\n", &both[..], 0, "tier: strict\n", &strict),
            ("VMware, Inc.\n", &both[..1], 0, "tier: strict", &strict),
            ("VMware, Inc.\n", &both[..1], 0, "dGllcjog\nc3RyaWN0Cg==\n", &strict),
            ("VMware, Inc.\n", &[], 0, "tier: strict", &None),
            ("VMware, Inc.\n", &both, 1, "No value found", &None),
            ("VMware, Inc.\n", &both, 0, "\n", &None),
            ("Nutanix\n", &both, 0, "tier: strict", &None),
        ] {
            assert_eq!(&told(vendor, tools, code, said), wanted, "{vendor} {tools:?} {said}");
        }
        let bad = |code, said| match told("VMware, Inc.\n", &both, code, said) {
            Some(Said::Bad(bad)) => bad,
            other => format!("{other:?}"),
        };
        assert!(bad(0, "tier: x").starts_with("guestinfo.trempe:1:7: unknown tier"));
        assert!(bad(0, "/w==").contains("guestinfo.trempe: byte 0 is not UTF-8 text"));
        assert!(bad(127, "").contains("exit code 127"));
        assert!(bad(1, "Permission denied").contains("exit code 1"));
    }
}
