//! `environmentvariable58`: the environment of a process, of this one when the process id is nil.
//!
//! Source: `src/OVAL/probes/independent/environmentvariable58_probe.c` of OpenSCAP 1.3.7.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::verdict::Verdict;
use std::path::Path;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let (Some(name), Some(pid)) = (request.entity("name"), request.entity("pid")) else {
        return out.fail("the object has no name or no pid");
    };
    let processes = if pid.is_nil() { vec![i64::from(std::process::id())] } else { processes(context) };
    for process in processes {
        if !pid.is_nil() && pid.compare_int(context.patterns, process) != Verdict::True {
            continue;
        }
        let path = format!("/proc/{process}/environ");
        // A process may have ended, or be another's.
        let Ok(environment) = context.system.read(Path::new(&path)) else { continue };
        for (variable, value) in environment.split(|byte| *byte == 0).filter_map(pair) {
            if name.compare(context.patterns, variable) == Verdict::True {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let fields = vec![
                    Field::int("pid", process),
                    Field::text("name", text(variable)),
                    Field::text("value", text(value)),
                ];
                out.add(Item::new(fields).at(path.as_str(), None));
            }
        }
    }
}

fn processes(context: &Context<'_>) -> Vec<i64> {
    let Ok(directory) = context.system.list(Path::new("/proc")) else { return Vec::new() };
    directory.entries().filter_map(|entry| entry.name.to_str()?.parse().ok()).collect()
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
