//! Passwords of targets: in no file of a build, in nothing that is said, on no command line.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prism::{Options, Prism};

use super::*;

/// What to look for: a password, and the same as HTTP's basic authentication sends it.
struct Secret {
    password: String,
    needles: Vec<Vec<u8>>,
}

impl Secret {
    fn new(password: &str) -> Secret {
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("builder:{password}"));
        Secret {
            password: password.to_owned(),
            needles: vec![password.as_bytes().to_owned(), basic.into_bytes()],
        }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    }
}

/// All that stands on command lines while a build runs, of every process of this machine.
fn watch(stop: Arc<AtomicBool>) -> std::thread::JoinHandle<BTreeSet<Vec<u8>>> {
    std::thread::spawn(move || {
        let mut seen = BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            for process in fs::read_dir("/proc").unwrap().flatten() {
                seen.extend(fs::read(process.path().join("cmdline")).ok().filter(|line| !line.is_empty()));
            }
            sleep(Duration::from_millis(2));
        }
        seen
    })
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() && !path.is_symlink() { files(&path) } else { vec![path] })
        .collect()
}

/// Packer's stand-in: keeps the directory that it works in, as it is while a build runs, and makes a disk that targets take.
fn act() -> String {
    format!("cp -r . $COUNT.kept; env > $COUNT.kept/environment; {SEALED}; {HEADER}; exit ${{FAILS:-0}}")
}

#[test]
fn no_password_of_a_target_is_in_a_file_a_log_or_a_process_list() {
    let password = "p4ss-W0rd-0f-the-Targets";
    let secret = Secret::new(password);
    for fails in ["0", "1"] {
        let desk = Desk::new();
        let options = Options { password: password.to_owned(), ..Options::default() };
        let prism = Prism::start(options).unwrap();
        fs::write(desk.path("ca.pem"), prism.authority()).unwrap();
        let target = |name: &str, reference: &str| {
            format!(
                "  {name}:\n    nutanix: {{address: '{}', user: builder, password: '{reference}', ca: ca.pem}}\n",
                prism.address
            )
        };
        let targets = [
            target("one", "env:PRISM"),
            target("two", "file:password"),
            target("three", "command:echo asked >> asked; cat password"),
        ];
        fs::write(desk.path("targets.yml"), format!("targets:\n{}", targets.concat())).unwrap();
        fs::write(desk.path("password"), format!("{password}\n")).unwrap();
        for private in ["targets.yml", "password"] {
            fs::set_permissions(desk.path(private), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let stop = Arc::new(AtomicBool::new(false));
        let watched = watch(Arc::clone(&stop));
        let mut command = desk
            .command(&act(), &["--to", "one", "--to", "two", "--to", "three", "--targets", "targets.yml"]);
        command.env("PRISM", &secret.password).env("HOME", desk.path("")).env("FAILS", fails);
        let output = command.output().unwrap();
        stop.store(true, Ordering::Relaxed);
        let lines = watched.join().unwrap();
        let packer = lines.iter().any(|line| String::from_utf8_lossy(line).contains("guest_log="));
        assert!(packer, "nobody saw Packer's command line");
        assert_eq!(output.status.code(), Some(i32::from(fails == "1")), "{}", said(&output));
        assert_eq!(prism.images().is_empty(), fails == "1");
        // Before the build, and not once more an hour later, when nobody is there.
        assert_eq!(fs::read_to_string(desk.path("asked")).unwrap(), "asked\n");

        assert!(!lines.iter().any(|line| secret.is_in(line)));
        assert!(!secret.is_in(&output.stdout) && !secret.is_in(&output.stderr));
        let all = files(&desk.path(""));
        assert!(all.iter().any(|path| path.ends_with("count.kept/image.pkr.hcl")));
        assert!(all.iter().any(|path| path.ends_with("logs/packer.log")));
        let holding: Vec<_> =
            all.iter().filter(|path| secret.is_in(&fs::read(path).unwrap_or_default())).collect();
        assert_eq!(holding, [&desk.path("password")]);
    }
}
