//! `inetlisteningservers`: sockets of the internet protocols, in any state, with the process that has them open.
//!
//! Source: `src/OVAL/probes/unix/linux/inetlisteningservers_probe.c` of OpenSCAP 1.3.7; raw sockets count as udp.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::verdict::Verdict;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The kernel's tables, with the protocol they count as.
const TABLES: [(&str, &str); 6] = [
    ("/proc/net/tcp", "tcp"),
    ("/proc/net/tcp6", "tcp"),
    ("/proc/net/udp", "udp"),
    ("/proc/net/udp6", "udp"),
    ("/proc/net/raw", "udp"),
    ("/proc/net/raw6", "udp"),
];

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let (Some(protocol), Some(address), Some(port)) =
        (request.entity("protocol"), request.entity("local_address"), request.entity("local_port"))
    else {
        return out.fail("the object has no protocol, local_address or local_port");
    };
    let mut owners = None;
    for (table, kind) in TABLES {
        // A kernel without the protocol has no such file.
        let Ok(text) = context.system.read_text(table) else { continue };
        for socket in text.lines().skip(1).filter_map(socket) {
            let local = socket.local.0.to_string();
            if protocol.compare(context.patterns, kind.as_bytes()) == Verdict::True
                && address.compare(context.patterns, local.as_bytes()) == Verdict::True
                && port.compare_int(context.patterns, i64::from(socket.local.1)) == Verdict::True
            {
                let owners = owners.get_or_insert_with(|| owners_of_sockets(context));
                out.add(item(kind, &socket, owners.get(&socket.inode)).at(table, None));
            }
        }
    }
}

/// A line of a table.
struct Socket {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    inode: u64,
}

fn socket(line: &str) -> Option<Socket> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let inode = words.get(9)?.parse().ok()?;
    Some(Socket { local: end(words.get(1)?)?, remote: end(words.get(2)?)?, inode })
}

/// An address, in words of the machine's byte order, and a port, all in hexadecimal.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |n: usize| Some(u32::from_str_radix(address.get(8 * n..8 * n + 8)?, 16).ok()?.to_ne_bytes());
    let address = if address.len() == 8 {
        IpAddr::from(Ipv4Addr::from(word(0)?))
    } else {
        let bytes: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
        IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
    };
    Some((address, port))
}

/// A process that has a socket open.
struct Owner {
    pid: i64,
    user: i64,
    program: String,
}

fn owners_of_sockets(context: &Context<'_>) -> HashMap<u64, Owner> {
    let mut owners = HashMap::new();
    let Ok(processes) = context.system.list(Path::new("/proc")) else { return owners };
    for pid in processes.entries().filter_map(|entry| entry.name.to_str()?.parse::<i64>().ok()) {
        let directory = format!("/proc/{pid}");
        let Ok(status) = context.system.read_text(&format!("{directory}/status")) else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let user = field("Uid:").and_then(|ids| ids.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0);
        let program: String = field("Name:").unwrap_or_default().chars().take(15).collect();
        let files = format!("{directory}/fd");
        // Not ours to look at, or ended.
        let Ok(open) = std::fs::read_dir(&files) else { continue };
        for link in open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok()) {
            let inode =
                link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode {
                owners.entry(inode).or_insert_with(|| Owner { pid, user, program: program.clone() });
            }
        }
    }
    owners
}

fn item(protocol: &str, socket: &Socket, owner: Option<&Owner>) -> Item {
    let full = |(address, port): &(IpAddr, u16)| format!("{address}:{port}");
    let mut fields = vec![
        Field::text("protocol", protocol),
        Field::text("local_address", socket.local.0.to_string()),
        Field::int("local_port", socket.local.1),
        Field::text("local_full_address", full(&socket.local)),
    ];
    fields.extend(owner.map(|owner| Field::text("program_name", owner.program.as_str())));
    fields.push(Field::text("foreign_address", socket.remote.0.to_string()));
    fields.push(Field::int("foreign_port", socket.remote.1));
    fields.push(Field::text("foreign_full_address", full(&socket.remote)));
    fields.extend(
        owner.iter().flat_map(|owner| [Field::int("pid", owner.pid), Field::int("user_id", owner.user)]),
    );
    Item::new(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let line = "   0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 x";
        let found = socket(line).unwrap();
        assert_eq!(
            (found.local.0.to_string(), found.local.1, found.inode),
            ("127.0.0.1".to_owned(), 25, 12345)
        );
        assert_eq!(end("00000000000000000000000001000000:0016").unwrap().0.to_string(), "::1");
        assert!(socket("x").is_none());
    }
}
