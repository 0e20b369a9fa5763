//! Real Ansible, of both ages that the collection is for, with the collection of this checkout.
//!
//! `.ci/setup` installs them below `/opt/ansible` (`$TREMPE_ANSIBLE`): the oldest, that of Debian 12, and the newest that there is, with its tools,
//! which runs on the Python of Debian 13. A host is whatever Ansible's connection plugin for ssh reaches: a booted machine, or a process that lives in a copy of a root
//! tree, where a script stands in for the program `ssh`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::cache;
use crate::command::Program;
use crate::machine::Machine;
use crate::root::Copy;

/// The installations that `.ci/setup` makes.
pub const AGES: [&str; 2] = ["oldest", "newest"];

/// The Python that the newest runs with.
const PYTHON: &str = "3.13";

/// An installation of Ansible with an inventory of its own.
#[derive(Debug)]
pub struct Ansible {
    directory: TempDir,
    bin: PathBuf,
    hosts: Vec<String>,
}

/// What came of a playbook.
#[derive(Debug)]
pub struct Play {
    /// What Ansible ended with.
    pub code: i32,
    /// What it printed.
    pub text: String,
    /// Each task on each host, in order.
    pub tasks: Vec<Told>,
}

/// A task on a host.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    /// The host.
    pub host: String,
    /// The task's name.
    pub task: String,
    /// `ok`, `failed` or `unreachable`.
    pub status: String,
    /// What the module said.
    pub result: Value,
}

/// A process in a copy of a root tree: as long as it lives, the tree is mounted, and Ansible can go there.
#[derive(Debug)]
pub struct Inhabited {
    /// The tree.
    pub copy: Copy,
    outer: Child,
    inner: u32,
}

/// Where Ansible of this age is installed.
pub fn installed(age: &str) -> Result<PathBuf> {
    let base =
        std::env::var_os("TREMPE_ANSIBLE").map_or_else(|| PathBuf::from("/opt/ansible"), PathBuf::from);
    let bin = base.join(age).join("bin");
    ensure!(bin.join("ansible-playbook").exists(), "{} has no Ansible; .ci/setup installs it", bin.display());
    Ok(bin)
}

/// What stands in for `ssh`.
fn inside() -> PathBuf {
    cache::checkout().join("tests/lab/ansible/inside.sh")
}

impl Ansible {
    /// Ansible of this age without hosts.
    pub fn new(age: &str) -> Result<Self> {
        let directory = cache::scratch("ansible")?;
        let collections = directory.path().join("collections/ansible_collections/trempe");
        fs::create_dir_all(&collections)?;
        std::os::unix::fs::symlink(cache::checkout().join("ansible"), collections.join("hardening"))?;
        Ok(Self { directory, bin: installed(age)?, hosts: Vec::new() })
    }

    /// Adds a host: its name and its variables, as in an inventory.
    pub fn host(&mut self, name: &str, variables: &str) {
        self.hosts.push(format!("{name} {variables}\n"));
    }

    /// Adds a root tree as a host, where Ansible is root anyway; without one, a host that cannot be reached.
    pub fn tree(&mut self, name: &str, tree: Option<&Inhabited>) -> Result<()> {
        self.reached(name, tree.map_or(0, |tree| tree.inner), "")
    }

    /// Adds a root tree as a host that cannot be reached any more as soon as it has this file.
    pub fn tree_until(&mut self, name: &str, tree: &Inhabited, file: &str) -> Result<()> {
        let pid = tree.inner;
        self.reached(
            name,
            pid,
            &format!("[ ! -e /proc/{pid}/root{file} ] || exec {} 0 \"$@\"\n", inside().display()),
        )
    }

    /// Adds a host where a process lives; `first` comes before what stands in for `ssh`.
    fn reached(&mut self, name: &str, pid: u32, first: &str) -> Result<()> {
        let ssh = self.directory.path().join(format!("ssh-{name}"));
        fs::write(&ssh, format!("#!/bin/sh\n{first}exec {} {pid} \"$@\"\n", inside().display()))?;
        Program::new("chmod").args(["+x".as_ref(), ssh.as_os_str()]).run()?;
        let piped = "ansible_ssh_transfer_method=piped ansible_become=false";
        self.host(name, &format!("ansible_ssh_executable={} {piped}", ssh.display()));
        Ok(())
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// One of its programs, about to run.
    pub fn program(&self, name: &str) -> Program {
        let at = |name: &str| self.directory.path().join(name);
        let path = std::env::var("PATH").unwrap_or_default();
        Program::new(self.bin.join(name))
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env("ANSIBLE_HOME", at("home"))
            .env("ANSIBLE_LOCAL_TEMP", at("temporary"))
            .env("ANSIBLE_COLLECTIONS_PATH", at("collections"))
            .env("ANSIBLE_CALLBACK_PLUGINS", cache::checkout().join("tests/lab/ansible/callbacks"))
            .env("ANSIBLE_CALLBACKS_ENABLED", "tell")
            .env("TREMPE_RESULTS", at("results"))
            .env("ANSIBLE_HOST_KEY_CHECKING", "false")
            .env("ANSIBLE_PIPELINING", "true")
            .env("ANSIBLE_TIMEOUT", "60")
            .env("ANSIBLE_NOCOLOR", "true")
            .env("ANSIBLE_NOCOWS", "true")
            .env("ANSIBLE_RETRY_FILES_ENABLED", "false")
            .env("ANSIBLE_DEPRECATION_WARNINGS", "false")
            .env("ANSIBLE_INTERPRETER_PYTHON", "/usr/bin/python3")
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// What `ansible-test sanity` says of an installed collection, outside any checkout. Its virtual environments are kept beside Ansible.
    pub fn sanity(&self, place: &Path) -> Result<String> {
        let home = self.bin.join("../../sanity");
        let scripts = home.join(".ansible/test/cache");
        fs::create_dir_all(&scripts)?;
        // It would fetch a script that puts pip into them.
        fs::copy(cache::checkout().join("tests/lab/ansible/get_pip.py"), scripts.join("get_pip_25_2.py"))?;
        let words = ["sanity", "--color", "no", "--python", PYTHON];
        let output = self.program("ansible-test").args(words).env("HOME", &home).directory(place).run()?;
        Ok([output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat())
    }

    /// A playbook of ours, or (`namespace.collection.name`) of a collection, about to run; `words` go after it.
    fn prepared(&self, playbook: &str, words: &[&str]) -> Result<Program> {
        let at = |name: &str| self.directory.path().join(name);
        fs::write(at("inventory"), self.hosts.concat())?;
        let _ = fs::remove_file(at("results"));
        fs::write(at("results"), "")?;
        let name = match playbook.contains('\n') {
            true => {
                fs::write(at("play.yml"), playbook)?;
                at("play.yml")
            }
            false => PathBuf::from(playbook),
        };
        let program =
            self.program("ansible-playbook").directory(self.directory()).env("PWD", self.directory());
        Ok(program.args(["-i"]).args([at("inventory"), name]).args(words))
    }

    /// Runs a playbook to its end.
    pub fn play(&self, playbook: &str, words: &[&str]) -> Result<Play> {
        let begun = Instant::now();
        let any: Vec<i32> = (0..=255).collect();
        let output = self.prepared(playbook, words)?.accept(&any).run()?;
        println!("ansible-playbook {}: {:.1} s", words.join(" "), begun.elapsed().as_secs_f64());
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        let code = output.status.code().unwrap_or_default();
        Ok(Play { code, text: said.concat(), tasks: self.told()? })
    }

    /// Starts a playbook and does not wait.
    pub fn start(&self, playbook: &str, words: &[&str]) -> Result<Child> {
        self.prepared(playbook, words)?.start()
    }

    /// What came of the tasks so far.
    pub fn told(&self) -> Result<Vec<Told>> {
        let lines = fs::read_to_string(self.directory.path().join("results"))?;
        lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }
}

impl Play {
    /// The play, when nothing in it failed.
    pub fn good(self) -> Result<Self> {
        ensure!(self.code == 0, "ansible-playbook ended with {}:\n{}", self.code, self.text);
        Ok(self)
    }

    /// What a task said on the first host where it ran.
    pub fn task(&self, name: &str) -> Result<&Value> {
        let is = |told: &&Told| told.task == name || told.task.ends_with(&format!(" : {name}"));
        let told = self.tasks.iter().find(is);
        Ok(&told.with_context(|| format!("no task '{name}' has run:\n{}", self.text))?.result)
    }

    /// The tasks that say that they changed something.
    pub fn changed(&self) -> Vec<&str> {
        let changed = self.tasks.iter().filter(|told| told.result["changed"] == Value::Bool(true));
        changed.map(|told| told.task.as_str()).collect()
    }
}

impl Inhabited {
    /// Has a process live in a copy.
    pub fn new(copy: Copy) -> Result<Self> {
        let mut outer = copy.program(&["sleep", "infinity"]).start()?;
        let children = format!("/proc/{0}/task/{0}/children", outer.id());
        let begun = Instant::now();
        loop {
            let inner = fs::read_to_string(&children).unwrap_or_default();
            let inner = inner.split_whitespace().next().and_then(|pid| pid.parse().ok());
            let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if let Some(inner) = inner.filter(|pid| name(pid) == "sleep\n") {
                return Ok(Self { copy, outer, inner });
            }
            if begun.elapsed() > Duration::from_secs(60) || outer.try_wait()?.is_some() {
                let _ = outer.kill();
                bail!("nobody lives in the tree");
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Runs a shell script inside; gives what it wrote to standard output.
    pub fn shell(&self, script: &str) -> Result<String> {
        Program::new(inside()).args([&self.inner.to_string(), script]).output()
    }
}

impl Drop for Inhabited {
    fn drop(&mut self) {
        let _ = self.outer.kill(); // `--kill-child` ends the other one
        let _ = self.outer.wait();
    }
}
