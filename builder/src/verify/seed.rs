//! What a machine is told when it is made: user-data and metadata on a disc, as cloud-init's NoCloud and ConfigDrive read them.
//!
//! The user-data says the tier, lets the verification in, and has the machine's journal written to its serial port. A cloud-config of the
//! user's comes with it, with its own users, exceptions and proxies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::case::Case;
use crate::build::digest;
use crate::build::process::Program;
use crate::spec;

/// Who logs in.
pub const USER: &str = "trempe-verify";
/// The first line of a cloud-config.
const HEAD: &str = "#cloud-config";
/// The journal from the boot's beginning on, over the serial port: images for Nutanix have no console there, because its machines have no
/// serial port. What fails here is no failure of the machine's.
const JOURNAL: &str = "systemd-run --no-block --quiet --unit=trempe-verify-console --property=DefaultDependencies=no \
                       --property=StandardOutput=file:/dev/ttyS0 journalctl --boot --follow --lines=all --output=short-monotonic || true";

/// Which of cloud-init's data sources finds the seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// A disc labelled `cidata`, as KVM hosts give.
    #[default]
    Nocloud,
    /// A disc labelled `config-2` with OpenStack's layout, as Nutanix AHV gives.
    Configdrive,
}

impl Source {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Source::Nocloud => "nocloud",
            Source::Configdrive => "configdrive",
        }
    }
}

/// A cloud-config of the user's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserData {
    text: String,
    keys: Map<String, Value>,
}

impl UserData {
    /// Reads it; without a file, it is empty.
    ///
    /// # Errors
    /// When it cannot be read, or is no cloud-config that another can be added to.
    pub fn read(path: Option<&Path>) -> Result<UserData> {
        let Some(path) = path else { return Ok(UserData::default()) };
        UserData::parse(spec::text(path)?, &path.display().to_string())
    }

    fn parse(text: String, file: &str) -> Result<UserData> {
        if text.lines().next().map(str::trim_end) != Some(HEAD) {
            bail!("{file}:1: no cloud-config: its first line must be {HEAD}");
        }
        let keys: Map<String, Value> = spec::document(&text, file)?;
        for (key, list) in [("users", true), ("bootcmd", true), ("trempe", false)] {
            let good = |value: &Value| if list { value.is_array() } else { value.is_object() };
            if !keys.get(key).is_none_or(good) {
                let wanted = if list { "a list" } else { "a mapping" };
                bail!("{file}: {key} must be {wanted}");
            }
        }
        Ok(UserData { text, keys })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// With what the verification adds.
    fn with(&self, case: Case, public_key: &str) -> String {
        let mut keys = self.keys.clone();
        let user = json!({
            "name": USER,
            "gecos": "verifies the image",
            "shell": "/bin/bash",
            "lock_passwd": true,
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "ssh_authorized_keys": [public_key],
        });
        let list = |value: Option<Value>| match value {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let users = [list(keys.remove("users")), vec![user]].concat();
        let commands = [vec![Value::from(JOURNAL)], list(keys.remove("bootcmd"))].concat();
        let mut trempe = match keys.remove("trempe") {
            Some(Value::Object(own)) => own,
            _ => Map::new(),
        };
        trempe.insert("tier".to_owned(), case.tier.word().into());
        keys.insert("users".to_owned(), users.into());
        keys.insert("bootcmd".to_owned(), commands.into());
        keys.insert("trempe".to_owned(), trempe.into());
        // YAML that other people's readers understand alike is JSON.
        format!("{HEAD}\n{:#}\n", Value::from(keys))
    }
}

/// A number in the form of a UUID, the same for the same case: on Nutanix the machine's firmware and its seed say the same one.
pub fn uuid(case: Case) -> String {
    let digits = digest::texts(["trempe-verify", &case.word()]);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

/// The label of the disc, and the files on it.
pub fn files(
    source: Source,
    case: Case,
    user_data: &UserData,
    public_key: &str,
) -> (&'static str, Vec<(&'static str, String)>) {
    let text = user_data.with(case, public_key);
    let (id, host) = (uuid(case), format!("verify-{}", case.word()));
    match source {
        Source::Nocloud => {
            let meta = format!("instance-id: {id}\nlocal-hostname: {host}\n");
            ("cidata", vec![("user-data", text), ("meta-data", meta)])
        }
        Source::Configdrive => {
            let meta = json!({"uuid": id, "hostname": host}).to_string();
            (
                "config-2",
                vec![("openstack/latest/user_data", text), ("openstack/latest/meta_data.json", meta)],
            )
        }
    }
}

/// Writes the disc into a machine's directory.
///
/// # Errors
/// When it cannot be written.
pub async fn disc(
    directory: &Path,
    source: Source,
    case: Case,
    user_data: &UserData,
    public_key: &str,
) -> Result<PathBuf> {
    let (label, files) = files(source, case, user_data, public_key);
    let (tree, iso) = (directory.join("seed"), directory.join("seed.iso"));
    for (name, text) in files {
        let path = tree.join(name);
        let writing = || format!("writing {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(&tree)).with_context(writing)?;
        fs::write(&path, text).with_context(writing)?;
    }
    let xorriso = Program::new("xorriso")
        .args(["-as", "mkisofs", "-quiet", "-joliet", "-rock", "-volid", label, "-output"]);
    xorriso.args([&iso, &tree]).output().await.context("making the seed's disc")?;
    Ok(iso)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Firmware, Tier};

    const CASE: Case = Case { tier: Tier::Strict, firmware: Firmware::Uefi };

    fn user_data(files: &[(&str, String)]) -> Value {
        let (_, text) = files
            .iter()
            .find(|(name, _)| name.ends_with("user-data") || name.ends_with("user_data"))
            .unwrap();
        serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap()
    }

    #[test]
    fn both_sources_give_the_same_user_data_and_the_machines_own_number() {
        let id = uuid(CASE);
        assert!(id.len() == 36 && id != uuid(Case { tier: Tier::Light, ..CASE }), "{id}");
        let (label, nocloud) = files(Source::Nocloud, CASE, &UserData::default(), "ssh-ed25519 KEY");
        assert_eq!(
            (label, nocloud[1].1.clone()),
            ("cidata", format!("instance-id: {id}\nlocal-hostname: verify-strict-uefi\n"))
        );
        let (label, drive) = files(Source::Configdrive, CASE, &UserData::default(), "ssh-ed25519 KEY");
        let meta: Value = serde_json::from_str(&drive[1].1).unwrap();
        assert_eq!((label, &meta["uuid"]), ("config-2", &Value::from(id)));
        assert_eq!(user_data(&nocloud), user_data(&drive));
        let told = user_data(&nocloud);
        assert_eq!(told["trempe"], json!({"tier": "strict"}));
        assert_eq!(told["users"][0]["ssh_authorized_keys"], json!(["ssh-ed25519 KEY"]));
        assert!(told["bootcmd"][0].as_str().unwrap().ends_with("|| true"));
    }

    #[test]
    fn what_the_user_says_stays_but_for_the_tier() {
        let own = "#cloud-config\nusers: [{name: ops}]\nbootcmd: [[\"true\"]]\napt: {http_proxy: \"http://proxy:3128\"}\n\
                   trempe:\n  tier: light\n  exceptions: [{rule: sudo_add_noexec, reason: debugging}]\n";
        let own = UserData::parse(own.to_owned(), "own.yml").unwrap();
        let told = user_data(&files(Source::Nocloud, CASE, &own, "KEY").1);
        assert_eq!((&told["users"][0]["name"], &told["users"][1]["name"]), (&"ops".into(), &USER.into()));
        assert_eq!(told["bootcmd"][1], json!(["true"]));
        assert_eq!(told["apt"]["http_proxy"], "http://proxy:3128");
        assert_eq!(told["trempe"]["tier"], "strict");
        assert_eq!(told["trempe"]["exceptions"][0]["rule"], "sudo_add_noexec");
        for (text, expected) in [
            ("users: []", "own.yml:1: no cloud-config"),
            ("#cloud-config\nusers: {}\n", "own.yml: users must be a list"),
            ("#cloud-config\ntrempe: strict\n", "own.yml: trempe must be a mapping"),
            ("#cloud-config\na: [\n", "own.yml:"),
        ] {
            let error = UserData::parse(text.to_owned(), "own.yml").unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
