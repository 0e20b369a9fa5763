//! `process58`: running processes.
//!
//! Source: `src/OVAL/probes/unix/process58_probe.c` of OpenSCAP 1.3.7. Not collected here: `exec_shield`, `exec_time`, `posix_capability`,
//! `scheduling_class`, `selinux_domain_label`, `start_time`, `tty`; a state that asks for one of these is unknown.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::verdict::Verdict;
use std::path::Path;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let (command_line, pid) = (request.entity("command_line"), request.entity("pid"));
    if command_line.is_none() && pid.is_none() {
        return out.fail("the object has neither command_line nor pid");
    }
    let directory = match context.system.list(Path::new("/proc")) {
        Ok(directory) => directory,
        Err(error) => return out.fail(format!("/proc cannot be listed: {error}")),
    };
    for number in directory.entries().filter_map(|entry| entry.name.to_str()?.parse::<i64>().ok()) {
        let Some(process) = Process::read(context, number) else { continue };
        let wanted = |asked: Option<&super::Asked>, verdict: &dyn Fn(&super::Asked) -> Verdict| {
            asked.is_none_or(|asked| verdict(asked) == Verdict::True)
        };
        if wanted(command_line, &|asked| asked.compare(context.patterns, process.command_line.as_bytes()))
            && wanted(pid, &|asked| asked.compare_int(context.patterns, number))
        {
            out.add(process.item(number));
        }
    }
}

struct Process {
    command_line: String,
    parent: i64,
    session: i64,
    priority: i64,
    real_user: i64,
    user: i64,
    login: i64,
}

impl Process {
    /// `None` for threads of the kernel, and for what has ended meanwhile.
    fn read(context: &Context<'_>, pid: i64) -> Option<Process> {
        let text = |file: &str| context.system.read_text(&format!("/proc/{pid}/{file}")).ok();
        let stat = text("stat")?;
        let (head, tail) = stat.rsplit_once(')')?;
        let name = head.split_once('(')?.1;
        let numbers: Vec<&str> = tail.split_whitespace().collect();
        let number = |n: usize| numbers.get(n).and_then(|word| word.parse::<i64>().ok()).unwrap_or(-1);
        let parent = number(1);
        if pid == 2 || parent == 2 {
            return None;
        }
        let status = text("status").unwrap_or_default();
        let users = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
        let user = |n| users.split_whitespace().nth(n).and_then(|word| word.parse().ok()).unwrap_or(-1);
        let command_line = if numbers.first() == Some(&"Z") {
            format!("[{name}] <defunct>")
        } else {
            text("cmdline").and_then(|line| words(&line)).unwrap_or_else(|| format!("[{name}]"))
        };
        let login = text("loginuid").and_then(|text| text.trim().parse().ok()).unwrap_or(i64::from(u32::MAX));
        Some(Process {
            command_line,
            parent,
            session: number(3),
            priority: number(15),
            real_user: user(0),
            user: user(1),
            login,
        })
    }

    fn item(&self, pid: i64) -> Item {
        let fields = vec![
            Field::text("command_line", self.command_line.as_str()),
            Field::int("pid", pid),
            Field::int("ppid", self.parent),
            Field::int("priority", self.priority),
            Field::int("ruid", self.real_user),
            Field::int("user_id", self.user),
            Field::int("loginuid", self.login),
            Field::int("session_id", self.session),
        ];
        Item::new(fields).at(format!("process {pid}"), None)
    }
}

/// A command line with blanks for what parts its words; `None` when it is empty.
fn words(line: &str) -> Option<String> {
    let line = line.trim_end_matches('\0');
    let word = |c: char| match c {
        '\0' | '\n' => ' ',
        c if c.is_ascii_graphic() || c == ' ' => c,
        _ => '.',
    };
    (!line.is_empty()).then(|| line.chars().map(word).collect())
}
