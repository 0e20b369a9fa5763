//! The programs of a tree that stands for a running machine: few and simple, but what they are told to do is done to the tree.
//!
//! All state is in the tree itself, so that a test sees whether it came back. A program that has no function here agrees
//! without a word.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::setting::boot::defaults::{ALWAYS, NORMAL, variables};
use crate::system::{Output, Run, System, Tool};

/// The units that run, one a line.
pub const ACTIVE: &str = "/run/active";
const MODULES: &str = "/proc/modules";
const INTERFACES: &str = "/sys/class/net";
const MOUNTS: &str = "/proc/self/mounts";
const STATUS: &str = "/var/lib/dpkg/status";
/// What maintainer scripts add a line to.
const SHELLS: &str = "/etc/shells";

/// The programs of a tree.
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// Those of the tree below `root`.
    pub fn of(root: &Path) -> Host {
        Host { root: root.to_path_buf() }
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path.as_ref().strip_prefix("/").unwrap())
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap_or_default()
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn systemctl(&self, args: &[&str]) -> Result<String, i32> {
        let active = self.text(ACTIVE);
        let [verb, unit] = args.iter().filter(|arg| !arg.starts_with("--")).collect::<Vec<_>>()[..] else {
            let line = |unit: &str| format!("{unit} loaded active running Something\n");
            return Ok(active.lines().map(line).collect());
        };
        if *verb == "set-default" {
            let link = self.at("/etc/systemd/system/default.target");
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(format!("/usr/lib/systemd/system/{unit}"), link).unwrap();
            return Ok(String::new());
        }
        if *verb == "kill" {
            self.write("/run/hung-up", unit);
            return Ok(String::new());
        }
        let file = self.text(&format!("/usr/lib/systemd/system/{unit}"));
        if ["stop", "restart", "try-restart", "try-reload-or-restart"].contains(verb)
            && file.contains("RefuseManualStop=yes")
        {
            return Err(1);
        }
        let mask = self.at(format!("/etc/systemd/system/{unit}"));
        let masked = fs::read_link(&mask).is_ok_and(|target| target == Path::new("/dev/null"));
        let known =
            ["/etc", "/usr/lib"].iter().any(|dir| self.at(format!("{dir}/systemd/system/{unit}")).exists());
        let mut units: Vec<&str> = active.lines().filter(|line| line != unit).collect();
        match *verb {
            "try-restart" | "try-reload-or-restart" if !known => return Err(5),
            "try-restart" | "try-reload-or-restart" => return Ok(String::new()),
            "start" if masked || !known => return Err(if masked { 1 } else { 5 }),
            "start" => units.push(*unit),
            _ => {}
        }
        units.sort_unstable();
        self.write(ACTIVE, &units.iter().map(|unit| format!("{unit}\n")).collect::<String>());
        Ok(String::new())
    }

    /// Unloads a module, and the interfaces it drives go; or loads it again, and they are back.
    fn modprobe(&self, args: &[&str]) -> String {
        let [how, module] = args[..] else { panic!("modprobe {args:?}") };
        let (away, net) = (self.at(format!("/proc/unloaded-{module}")), self.at(INTERFACES));
        let loaded = self.text(MODULES);
        if how == "-r" {
            let (mine, others): (Vec<&str>, Vec<&str>) =
                loaded.split_inclusive('\n').partition(|line| line.split(' ').next() == Some(module));
            fs::create_dir_all(&away).unwrap();
            fs::write(away.join("line"), mine.concat()).unwrap();
            self.write(MODULES, &others.concat());
            move_interfaces(&net, &away, module);
        } else {
            let line = fs::read_to_string(away.join("line")).unwrap();
            self.write(MODULES, &format!("{line}{loaded}"));
            move_interfaces(&away, &net, module);
            fs::remove_dir_all(&away).unwrap();
        }
        String::new()
    }

    fn update_grub(&self) -> String {
        let system = System::open_with(&self.root, Box::new(super::Agreeable)).unwrap();
        let variables = variables(&system).unwrap();
        let value =
            |name: &str| variables.get(name).map(|variable| variable.value.clone()).unwrap_or_default();
        let (always, normal) = (value(ALWAYS), value(NORMAL));
        self.write("/boot/grub/grub.cfg", &format!("linux /vmlinuz-6.1 root=/dev/vda1 {always} {normal}\n"));
        String::new()
    }

    /// Makes each database from the files in the directory of its name.
    fn dconf(&self) -> String {
        for entry in fs::read_dir(self.at("/etc/dconf/db")).unwrap().flatten().map(|entry| entry.path()) {
            if entry.extension().is_some_and(|extension| extension == "d") {
                let files = fs::read_dir(&entry).unwrap().flatten().map(|file| file.path());
                let text: String = files
                    .filter(|file| file.is_file())
                    .map(|file| fs::read_to_string(file).unwrap())
                    .collect();
                fs::write(entry.with_extension(""), format!("made from {text}")).unwrap();
            }
        }
        String::new()
    }

    /// Remounts with other flags; what is not a flag stays.
    fn mount(&self, args: &[&str]) -> String {
        let [.., options, target] = args[..] else { panic!("mount {args:?}") };
        let flags = ["rw", "ro", "nosuid", "nodev", "noexec", "noatime", "relatime"];
        let set: Vec<&str> = options.split(',').filter(|option| flags.contains(option)).collect();
        let remounted = |line: &str| {
            let mut fields: Vec<&str> = line.split(' ').collect();
            let kept = fields[3].split(',').filter(|option| !flags.contains(option));
            let options = set.iter().copied().chain(kept).collect::<Vec<_>>().join(",");
            if fields[1] == target {
                fields[3] = &options;
            }
            fields.join(" ") + "\n"
        };
        self.write(MOUNTS, &self.text(MOUNTS).lines().map(remounted).collect::<String>());
        String::new()
    }

    fn apt_get(&self, args: &[&str]) -> String {
        let names: Vec<&str> = args.iter().copied().skip_while(|arg| *arg != "install").skip(1).collect();
        if args.contains(&"--simulate") {
            let line = |name: &&str| match name.strip_suffix('-') {
                Some(name) => format!("Remv {name} [1]\n"),
                None => format!("Inst {name} (1 Debian:12 [amd64])\n"),
            };
            return names.iter().map(line).collect();
        }
        for name in names {
            match name.strip_suffix('-') {
                Some(name) => self.set_package(name, Some("deinstall ok config-files")),
                None => {
                    self.set_package(name, Some("install ok installed"));
                    self.write(SHELLS, &format!("{}/usr/bin/{name}\n", self.text(SHELLS)));
                }
            }
        }
        String::new()
    }

    /// Gives a package a status in the database, or takes it out.
    fn set_package(&self, name: &str, status: Option<&str>) {
        let text = self.text(STATUS);
        let of = |stanza: &&str| stanza.starts_with(&format!("Package: {name}\n"));
        let mut stanzas: Vec<String> = text.split_inclusive("\n\n").map(str::to_owned).collect();
        let place = stanzas.iter().position(|stanza| of(&stanza.as_str()));
        let stanza = status.map(|status| format!("Package: {name}\nStatus: {status}\nVersion: 1\n\n"));
        match (place, stanza) {
            (Some(place), Some(stanza)) => stanzas[place] = stanza,
            (Some(place), None) => drop(stanzas.remove(place)),
            (None, stanza) => stanzas.extend(stanza),
        }
        self.write(STATUS, &stanzas.concat());
    }

    fn dpkg(&self, args: &[&str]) -> String {
        if args.contains(&"--purge") {
            args.iter().filter(|arg| !arg.starts_with("--")).for_each(|name| self.set_package(name, None));
        }
        String::new()
    }
}

fn move_interfaces(from: &Path, to: &Path, module: &str) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let driver = fs::read_link(entry.path().join("device/driver/module"));
        if driver.is_ok_and(|driver| driver.ends_with(module)) {
            fs::rename(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

impl Run for Host {
    fn run(&self, tool: Tool, args: &[&str], _: Option<&[u8]>) -> Result<Output> {
        let said = match tool {
            Tool::Systemctl => self.systemctl(args),
            Tool::Modprobe => Ok(self.modprobe(args)),
            Tool::UpdateGrub => Ok(self.update_grub()),
            Tool::DconfUpdate => Ok(self.dconf()),
            Tool::Mount => Ok(self.mount(args)),
            Tool::AptGet => Ok(self.apt_get(args)),
            Tool::Dpkg => Ok(self.dpkg(args)),
            _ => Ok(String::new()),
        };
        let command = format!("{} {}", tool.name(), args.join(" "));
        Ok(match said {
            Ok(stdout) => Output { code: Some(0), stdout, command, ..Output::default() },
            Err(code) => Output { code: Some(code), command, ..Output::default() },
        })
    }

    fn has(&self, _: Tool) -> bool {
        true
    }
}
