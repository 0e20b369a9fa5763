//! systemd's loaded units with their properties, from one call of `systemctl show`.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Units by name: properties by name, each with its values.
pub(crate) type Units = BTreeMap<String, HashMap<String, Vec<String>>>;

/// Where the program may be.
const PROGRAMS: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most it may say, in bytes.
const MOST: u64 = 64 << 20;

/// Properties that are lists; `systemctl` writes them with blanks between.
const LISTS: &str = "
    After Before BindsTo BoundBy ConflictedBy Conflicts ConsistsOf Documentation DropInPaths JoinsNamespaceOf Markers
    Names OnFailure OnFailureOf OnSuccess OnSuccessOf PartOf PropagatesReloadTo PropagatesStopTo Refs
    ReloadPropagatedFrom RequiredBy Requires RequiresMountsFor Requisite RequisiteOf SliceOf StopPropagatedFrom
    TriggeredBy Triggers UpheldBy Upholds WantedBy Wants WantsMountsFor
";

/// The other properties that every kind of unit has (`org.freedesktop.systemd1.Unit`): those of services, mounts and so on are not asked for,
/// as oscap does not ask for them either.
const OTHERS: &str = "
    Id Following Description AccessSELinuxContext LoadState ActiveState FreezerState SubState FragmentPath SourcePath
    UnitFileState UnitFilePreset StateChangeTimestamp StateChangeTimestampMonotonic InactiveExitTimestamp
    InactiveExitTimestampMonotonic ActiveEnterTimestamp ActiveEnterTimestampMonotonic ActiveExitTimestamp
    ActiveExitTimestampMonotonic InactiveEnterTimestamp InactiveEnterTimestampMonotonic CanStart CanStop CanReload
    CanIsolate CanClean CanFreeze CanLiveMount Job StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate
    DefaultDependencies SurviveFinalKillSignal OnSuccesJobMode OnSuccessJobMode OnFailureJobMode IgnoreOnIsolate
    NeedDaemonReload JobTimeoutUSec JobRunningTimeoutUSec JobTimeoutAction JobTimeoutRebootArgument ConditionResult
    AssertResult ConditionTimestamp ConditionTimestampMonotonic AssertTimestamp AssertTimestampMonotonic LoadError
    Transient Perpetual StartLimitIntervalUSec StartLimitBurst StartLimitAction FailureAction FailureActionExitStatus
    SuccessAction SuccessActionExitStatus RebootArgument InvocationID CollectMode DebugInvocation
";

/// Asks systemd for all its units.
pub(super) fn read() -> Result<Units, String> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Err("systemd does not run here".to_owned());
    }
    let program =
        PROGRAMS.iter().find(|program| Path::new(program).exists()).ok_or("systemctl is not installed")?;
    let properties: Vec<&str> = OTHERS.split_whitespace().chain(LISTS.split_whitespace()).collect();
    let child = Command::new(program)
        .args(["show", "--all", "--no-pager", &format!("--property={}", properties.join(",")), "*"])
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("{program} cannot be started: {error}"))?;
    let output = child.stdout.take().ok_or("systemctl has no output")?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.take(MOST).read_to_end(&mut text);
        // Nobody waits any more when the time is over.
        let _ = send.send(read.map(|_| text));
    });
    let answer = receive.recv_timeout(PATIENCE);
    let _ = child.kill();
    let _ = child.wait();
    match answer {
        Ok(Ok(text)) => Ok(parse(&String::from_utf8_lossy(&text))),
        Ok(Err(error)) => Err(format!("systemctl show: {error}")),
        Err(_) => Err(format!("systemctl show took longer than {} s", PATIENCE.as_secs())),
    }
}

/// Units are parted by an empty line.
fn parse(text: &str) -> Units {
    let mut units = Units::new();
    for block in text.split("\n\n") {
        let properties: HashMap<String, Vec<String>> = block
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), values(name, value)))
            .collect();
        if let Some(id) = properties.get("Id").and_then(|values| values.first()).cloned() {
            units.insert(id, properties);
        }
    }
    units
}

/// The values of a property as D-Bus has them: booleans are true and false, empty lists have none.
fn values(name: &str, value: &str) -> Vec<String> {
    if LISTS.split_whitespace().any(|list| list == name) {
        return value.split_whitespace().map(str::to_owned).collect();
    }
    vec![match value {
        "yes" => "true".to_owned(),
        "no" => "false".to_owned(),
        other => other.to_owned(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_with_their_lists() {
        let units = parse(
            "Id=a.target\nWants=b.service c.target\nUpholds=\nSliceOf=x y\nCanStart=yes\nRequires=\n\nActiveState=active\nId=b.service\n",
        );
        let of = |unit: &str, property: &str| {
            units.get(unit).and_then(|p| p.get(property)).cloned().unwrap_or_default()
        };
        assert_eq!(of("a.target", "Wants"), ["b.service", "c.target"]);
        assert_eq!(of("a.target", "CanStart"), ["true"]);
        assert_eq!(of("a.target", "SliceOf"), ["x", "y"]);
        assert!(of("a.target", "Requires").is_empty() && of("a.target", "Upholds").is_empty());
        assert_eq!(of("b.service", "ActiveState"), ["active"]);
    }
}
