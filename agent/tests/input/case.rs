//! A small machine, and the agent on it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A machine with a tailoring file beside it.
pub struct Case {
    dir: TempDir,
}

impl Case {
    /// A Debian with nothing on it.
    pub fn new() -> Case {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("etc/trempe")).unwrap();
        fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
        fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
        fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
        Case { dir }
    }

    /// Its root directory.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Writes a file beside it.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs the agent on it, from the directory beside it.
    pub fn agent(&self, args: &[&str]) -> Output {
        self.agent_alone(&[args, &["--root", "root"]].concat())
    }

    /// Runs the agent beside it, for what is about no machine.
    pub fn agent_alone(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_agent")).current_dir(&self.dir).args(args).output().unwrap()
    }
}
