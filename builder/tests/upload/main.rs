//! Uploads, of the program as users start it, to Prism Centrals that are none (`tests/prism`), over TLS.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod delivery;
mod faults;
mod judges;
mod killed;
mod large;
mod login;

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use prism::state::{Image, Phase};
use prism::{Options, Prism};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The size of the disk in the images of these tests.
const DISK: u64 = 20 << 30;

/// A desk with an image on it, and Prism Centrals that can be reached from it.
struct Desk {
    home: TempDir,
    prisms: Vec<(String, Prism)>,
}

/// A Prism Central with API v3 alone.
fn v3() -> Options {
    Options { v4: None, product: "pc.2023.4".to_owned(), ..Options::default() }
}

/// A Prism Central with both.
fn v4() -> Options {
    Options::default()
}

/// The bytes of an image: a header, and something different for each kind.
fn image(kind: u8, size: usize) -> Vec<u8> {
    let mut bytes = b"QFI\xfb\0\0\0\x03".to_vec();
    bytes.resize(size, 0);
    bytes[24..32].copy_from_slice(&DISK.to_be_bytes());
    for (at, byte) in bytes.iter_mut().enumerate().skip(112).step_by(17) {
        *byte = kind ^ u8::try_from(at % 251).unwrap();
    }
    bytes
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Desk {
    /// Targets of these names, with further keys for all of them.
    fn new(prisms: Vec<(&str, Options)>, keys: &str) -> Desk {
        let home = tempfile::tempdir().unwrap();
        let start = |(name, options): (&str, Options)| (name.to_owned(), Prism::start(options).unwrap());
        let desk = Desk { home, prisms: prisms.into_iter().map(start).collect() };
        desk.targets(keys);
        desk.image(1);
        desk
    }

    /// Two: `paris`, and `lyon` with the other API.
    fn two(paris: Options) -> Desk {
        let lyon = if paris.v4.is_some() { v3() } else { v4() };
        Desk::new(vec![("paris", paris), ("lyon", lyon)], "")
    }

    fn targets(&self, keys: &str) {
        let mut text = String::from("targets:\n");
        for (name, prism) in &self.prisms {
            fs::write(self.path(&format!("{name}.pem")), prism.authority()).unwrap();
            let address = prism.address;
            write!(
                text,
                "  {name}:\n    nutanix:\n      address: {address}\n      user: builder\n      password: env:PASSWORD\n      ca: {name}.pem\n      {keys}\n"
            )
            .unwrap();
        }
        self.write_targets(&text);
    }

    fn write_targets(&self, text: &str) {
        fs::write(self.path("targets.yml"), text).unwrap();
        fs::set_permissions(self.path("targets.yml"), Permissions::from_mode(0o600)).unwrap();
    }

    /// Puts another version of the image there, and gives its digest.
    fn image(&self, kind: u8) -> String {
        let bytes = image(kind, 300_000);
        fs::write(self.path("web.qcow2"), &bytes).unwrap();
        digest(&bytes)
    }

    /// An image of that size; most of it is a hole.
    fn large(&self, size: u64) {
        let mut file = File::create(self.path("web.qcow2")).unwrap();
        file.write_all(&image(1, 300_000)).unwrap();
        file.set_len(size).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn prism(&self, name: &str) -> &Prism {
        &self.prisms.iter().find(|(label, _)| label == name).unwrap().1
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.current_dir(self.home.path()).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.home.path());
        command.env("TREMPE_TARGETS", self.path("targets.yml")).env("PASSWORD", Options::default().password);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Told {
        Told::of(self.command(arguments).output().unwrap())
    }

    /// `builder upload web.qcow2` to all.
    fn upload(&self, arguments: &[&str]) -> Told {
        self.run(&self.uploading(arguments))
    }

    fn uploading<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let to = self.prisms.iter().flat_map(|(name, _)| ["--to", name]);
        ["upload", "web.qcow2"].into_iter().chain(to).chain(arguments.iter().copied()).collect()
    }

    fn start(&self) -> Child {
        self.command(&self.uploading(&[])).spawn().unwrap()
    }
}

/// What the program said.
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn of(output: Output) -> Told {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = Told { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
        // Whatever happens, nobody reads a secret.
        let password = Options::default().password;
        for said in [&told.out, &told.err] {
            assert!(
                !said.contains(&password) && !said.contains("YnVpbGRlcjpwNHNz"),
                "a secret is shown: {said}"
            );
        }
        told
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// The line or lines about a target.
    fn of_target(&self, name: &str) -> String {
        let start =
            self.out.find(&format!("{name}: ")).unwrap_or_else(|| panic!("{} {}", self.out, self.err));
        let rest = &self.out[start..];
        let end = rest
            .match_indices('\n')
            .map(|(at, _)| at)
            .find(|at| !rest[at + 1..].starts_with("    "))
            .unwrap();
        rest[..end].to_owned()
    }
}

/// The names of the images that are there, with the state of those that are not complete.
fn names(prism: &Prism) -> Vec<String> {
    let name = |image: &Image| match image.phase {
        Phase::Complete => image.name.clone(),
        phase => format!("{} {phase:?}", image.name),
    };
    let mut names: Vec<String> = prism.images().iter().map(name).collect();
    names.sort();
    names
}

/// The image of that name; there is one.
fn only(prism: &Prism, name: &str) -> Image {
    let found: Vec<Image> = prism.images().into_iter().filter(|image| image.name == name).collect();
    assert_eq!(found.len(), 1, "{:?}", names(prism));
    found.into_iter().next().unwrap()
}

/// How many requests of that kind came in.
fn count(prism: &Prism, method: &str, path: &str) -> usize {
    let is = |seen: &&prism::Seen| seen.method == method && prism::fault::matches(path, &seen.path);
    prism.seen().iter().filter(is).count()
}
