//! Images for VMware: the archive that imports take, and the content library of a vCenter that is none (govmomi's simulator, which `.ci/setup`
//! builds). Needs qemu-img, tar and xmllint.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod faults;
mod library;
mod ova;
mod template;

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A program's output; the test fails when the program does.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} (see .ci/setup): {error}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert!(output.status.success(), "{command:?} ended with {}:\n{out}{err}", output.status);
    out
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).concat()
}

/// A desk with an image on it.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { home: tempfile::tempdir().unwrap() };
        desk.image(1);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Puts another version of the image there: a disk of 64 MiB that is not empty, and its manifest.
    fn image(&self, kind: u8) {
        let mut disk = vec![0_u8; 3 << 20];
        disk.iter_mut().step_by(97).for_each(|byte| *byte = kind);
        fs::write(self.path("raw"), disk).unwrap();
        fs::File::options().append(true).open(self.path("raw")).unwrap().set_len(64 << 20).unwrap();
        let image = self.path("web.qcow2");
        run(Command::new("qemu-img")
            .args(["convert", "-c", "-O", "qcow2"])
            .args([&self.path("raw"), &image]));
        let sha256 = run(Command::new("sha256sum").arg(&image));
        let sha256 = sha256.split_whitespace().next().unwrap();
        let manifest = json!({
            "schema": 1, "builder": "0.1.0", "name": "web", "os": "rhel9", "firmware": "uefi-secure", "tier": null,
            "image": {"file": "web.qcow2", "format": "qcow2", "size": 1, "virtual_size": 64 << 20, "sha256": sha256, "packages": []},
            "spec_sha256": "", "agent": {"version": "", "sha256": ""}, "tools": {"packer": "1.6.6", "qemu": ""},
            "targets": ["qcow2", "vsphere"], "built": "2026-11-27T10:00:00Z", "stages": [],
        });
        fs::write(self.path("web.manifest.json"), manifest.to_string()).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_builder"));
        command.current_dir(self.home.path()).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.home.path());
        command.env("TREMPE_TARGETS", self.path("targets.yml")).env("PASSWORD", PASSWORD);
        command.output().unwrap()
    }

    /// What is left of conversions.
    fn left(&self) -> usize {
        let entries = fs::read_dir(self.home.path()).unwrap().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".vmdk~")).count()
    }
}

const PASSWORD: &str = "v3ry-s3cret";
const VCSIM: &str = "/opt/vcsim/vcsim";

/// An item of a library: its name, its description, and the names and sizes of its files.
type Item = (String, String, Vec<(String, u64)>);

/// A vCenter with a content library.
struct Vcenter {
    child: Child,
    answers: RefCell<BufReader<ChildStdout>>,
    address: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    library: String,
}

impl Vcenter {
    /// Starts one, and writes the target `center` for it.
    fn start(desk: &Desk, password: &str) -> Vcenter {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(desk.path("ca.pem"), pair.cert.pem()).unwrap();
        fs::write(desk.path("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        let mut command = Command::new(VCSIM);
        command.args([desk.path("ca.pem"), desk.path("key.pem")]).env("VCSIM_PASSWORD", PASSWORD);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{VCSIM} (see .ci/setup): {error}"));
        let mut line = String::new();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        answers.read_line(&mut line).unwrap();
        let answers = RefCell::new(answers);
        let (address, datastore) = line.trim().split_once(' ').unwrap();
        let certificate = reqwest::Certificate::from_pem(pair.cert.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut center =
            Vcenter { child, answers, address: address.to_owned(), client, runtime, library: String::new() };
        let spec = json!({"create_spec": {"name": "templates", "type": "LOCAL",
            "storage_backings": [{"datastore_id": datastore, "type": "DATASTORE"}]}});
        center.library = center.post("content/local-library", &spec).as_str().unwrap().to_owned();
        let target = format!(
            "targets:\n  center:\n    vsphere: {{address: '{address}', user: builder, password: '{password}', ca: ca.pem, library: templates, keep: 1}}\n"
        );
        fs::write(desk.path("targets.yml"), target).unwrap();
        fs::set_permissions(desk.path("targets.yml"), fs::Permissions::from_mode(0o600)).unwrap();
        center
    }

    /// Has the simulator do something, and gives what it says.
    fn tell(&self, line: &str) -> String {
        writeln!(self.child.stdin.as_ref().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.answers.borrow_mut().read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    /// What goes wrong from now on; see `fault.go`.
    fn fault(&self, method: &str, path: &str, (skip, times): (u32, u32), act: &str) {
        assert_eq!(self.tell(&format!("fault {method} {path} {skip} {times} {act}")), "added");
    }

    /// Nothing goes wrong any more.
    fn mend(&self) {
        assert_eq!(self.tell("mend"), "mended");
    }

    fn ask(&self, request: reqwest::RequestBuilder) -> Value {
        let request = request.header("vmware-use-header-authn", "true");
        self.runtime.block_on(async {
            let text = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["value"].clone()
        })
    }

    fn token(&self) -> String {
        let address = format!("https://{}/rest/com/vmware/cis/session", self.address);
        let token = self.ask(self.client.post(address).basic_auth("builder", Some(PASSWORD)));
        token.as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let address = format!("https://{}/rest/com/vmware/{path}", self.address);
        let request = self.client.post(address).header("vmware-api-session-id", self.token());
        self.ask(request.header("content-type", "application/json").body(body.to_string()))
    }

    fn get(&self, path: &str) -> Value {
        let address = format!("https://{}/rest/com/vmware/{path}", self.address);
        self.ask(self.client.get(address).header("vmware-api-session-id", self.token()))
    }

    /// The items that are there.
    fn items(&self) -> Vec<Item> {
        let ids = self.get(&format!("content/library/item?library_id={}", self.library));
        let item = |id: &Value| {
            let id = id.as_str().unwrap();
            let item = self.get(&format!("content/library/item/id:{id}"));
            let files = self.get(&format!("content/library/item/file?library_item_id={id}"));
            let file =
                |file: &Value| (file["name"].as_str().unwrap().to_owned(), file["size"].as_u64().unwrap());
            let files = files.as_array().map_or(Vec::new(), |files| files.iter().map(file).collect());
            let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
            (text("name"), text("description"), files)
        };
        let mut items: Vec<_> = ids.as_array().unwrap_or(&Vec::new()).iter().map(item).collect();
        items.sort();
        items
    }
}

impl Drop for Vcenter {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
