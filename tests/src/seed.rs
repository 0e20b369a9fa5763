//! What a cloud gives a new machine: user-data and metadata on a disk, as the datasources NoCloud and ConfigDrive read them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::Program;

/// Which of cloud-init's datasources finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A disk labelled `cidata`, as KVM hosts use.
    NoCloud,
    /// A disk labelled `config-2` with OpenStack's layout, as Nutanix AHV attaches.
    ConfigDrive,
}

/// A seed to be written.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Who reads it.
    pub source: Source,
    /// The instance: another one makes a clone of the machine.
    pub instance: String,
    /// `#cloud-config`, without users. The administrator `admin`, who comes with the laboratory's key and may use sudo, is added.
    pub user_data: String,
    /// `users:` entries beside the administrator, as YAML list items indented by two.
    pub users: String,
    /// A part of its own beside the cloud-config, where there shall be one: headers, an empty line, content.
    pub part: Option<String>,
    /// Network configuration (version 2), where there shall be one.
    pub network: Option<String>,
}

impl Seed {
    /// A seed with an administrator and nothing else.
    pub fn new(source: Source, user_data: &str) -> Self {
        Self {
            source,
            instance: "first".to_owned(),
            user_data: user_data.to_owned(),
            users: String::new(),
            part: None,
            network: None,
        }
    }

    /// Adds users.
    pub fn users(mut self, items: &str) -> Self {
        self.users = items.to_owned();
        self
    }

    /// Writes `seed.iso` into a directory, and the administrator's `key` when it has none yet.
    pub fn write(&self, directory: &Path) -> Result<PathBuf> {
        let at = |name: &str| directory.join(name);
        if !at("key").exists() {
            Program::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "admin", "-f"])
                .args([at("key")])
                .run()?;
        }
        let key = fs::read_to_string(at("key.pub"))?;
        let user_data = self.cloud_config(key.trim())?;
        let tree = at("seed");
        let _ = fs::remove_dir_all(&tree);
        let (label, files) = match self.source {
            Source::NoCloud => ("cidata", self.no_cloud(user_data)),
            Source::ConfigDrive => ("config-2", self.config_drive(user_data)?),
        };
        for (name, content) in files {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().unwrap_or(&tree))?;
            fs::write(path, content)?;
        }
        let iso = at("seed.iso");
        Program::new("genisoimage")
            .args(["-quiet", "-joliet", "-rock", "-volid", label, "-output"])
            .args([&iso, &tree])
            .run()?;
        Ok(iso)
    }

    fn cloud_config(&self, key: &str) -> Result<String> {
        let apt = serde_json::to_string(&apt_settings()?)?;
        let files = format!("  - path: /etc/apt/apt.conf.d/90mirror\n    content: {apt}\n");
        // A list of the test's own files goes on with ours.
        let (before, own) = match self.user_data.split_once("write_files:\n") {
            Some((before, rest)) => (before, format!("write_files:\n{files}{rest}")),
            None => (self.user_data.as_str(), format!("write_files:\n{files}")),
        };
        let users = self.users.replace("ROOT_KEY", key);
        let cloud_config = format!(
            "#cloud-config\nlocale: C.UTF-8\nmanage_etc_hosts: true\nusers:\n  - name: admin\n    \
             sudo: 'ALL=(ALL) NOPASSWD:ALL'\n    shell: /bin/bash\n    ssh_authorized_keys: [{key}]\n{users}{before}{own}"
        );
        let Some(part) = &self.part else { return Ok(cloud_config) };
        Ok(format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=part\n\n\
             --part\nContent-Type: text/cloud-config\n\n{cloud_config}\n\
             --part\n{part}\n--part--\n"
        ))
    }

    fn no_cloud(&self, user_data: String) -> Vec<(&'static str, String)> {
        let meta = format!("instance-id: {}\nlocal-hostname: machine\n", self.instance);
        let mut files = vec![("user-data", user_data), ("meta-data", meta)];
        files.extend(self.network.clone().map(|network| ("network-config", network)));
        files
    }

    fn config_drive(&self, user_data: String) -> Result<Vec<(&'static str, String)>> {
        let meta = serde_json::json!({"uuid": self.instance, "hostname": "machine"});
        Ok(vec![
            ("openstack/latest/user_data", user_data),
            ("openstack/latest/meta_data.json", serde_json::to_string(&meta)?),
        ])
    }
}

/// How this machine's apt reaches its mirror and judges its age; a guest must do the same.
pub fn apt_settings() -> Result<String> {
    let wanted = ["Acquire::Check-", "Acquire::http::Proxy", "Acquire::https::Proxy"];
    let all = Program::new("apt-config").args(["dump"]).output()?;
    let lines = all.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}
