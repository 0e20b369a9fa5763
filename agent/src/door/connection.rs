//! Where a connection comes from. A configuration may let an account in from some addresses only: `Match Address`, `Match Host`, and
//! `AllowUsers` with a host (`sshd_config(5)`, PATTERNS). From each place that it names, one connection is looked at.

use std::net::IpAddr;

use super::ssh::matches;
use crate::setting::sshd::config::{Directive, Files};
use crate::system::System;

/// So many places are looked at; a configuration names few.
const MOST: usize = 8;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The name of the host it comes from.
    host: String,
    /// The address.
    address: String,
    /// The pattern it stands for; empty for one from the machine itself.
    pub place: String,
}

impl Connection {
    /// One from the machine itself.
    pub fn own() -> Connection {
        Connection { host: "localhost".to_owned(), address: "127.0.0.1".to_owned(), place: String::new() }
    }

    /// One from each of the places that the ssh daemon's configuration tells apart; none where that cannot be read.
    pub fn elsewhere(system: &System) -> Vec<Connection> {
        let directives = Files::new(system).directives().unwrap_or_default();
        let mut places: Vec<String> = directives.iter().flat_map(places).collect();
        places.sort_unstable();
        places.dedup();
        places.iter().filter_map(|place| Connection::from(place)).take(MOST).collect()
    }

    /// One that a pattern matches; `None` for a pattern that says from where not.
    fn from(place: &str) -> Option<Connection> {
        if place.starts_with('!') || place.is_empty() {
            return None;
        }
        let some = place.replace(['*', '?'], "1");
        let place = place.to_owned();
        Some(match (range(&some), some.parse::<IpAddr>()) {
            (Some((first, _)), _) => {
                Connection { host: first.to_string(), address: first.to_string(), place }
            }
            (None, Ok(_)) => Connection { host: some.clone(), address: some, place },
            // A name has some address, and no pattern of addresses is about it.
            (None, Err(_)) => Connection { host: some, address: "192.0.2.1".to_owned(), place },
        })
    }

    /// What `sshd -T -C` is told of it.
    pub fn told(&self, user: &str) -> String {
        format!("user={user},host={},addr={},laddr=127.0.0.1,lport=22", self.host, self.address)
    }

    /// Whether a pattern of hosts or addresses is about it.
    pub fn comes_from(&self, pattern: &str) -> bool {
        let address = self.address.parse::<IpAddr>();
        match (range(pattern), address) {
            (Some((first, bits)), Ok(address)) => prefix(first, bits) == prefix(address, bits),
            _ => {
                matches(pattern, &self.address) || matches(&pattern.to_lowercase(), &self.host.to_lowercase())
            }
        }
    }
}

/// The places that a directive tells apart.
fn places(directive: &Directive) -> Vec<String> {
    let mut found = Vec::new();
    if directive.is("AllowUsers") {
        found.extend(directive.args.iter().filter_map(|user| Some(user.rsplit_once('@')?.1.to_owned())));
    }
    let mut words = directive.condition.iter().flat_map(|condition| condition.split_whitespace());
    while let Some(word) = words.next() {
        if ["address", "host"].contains(&word.to_ascii_lowercase().as_str()) {
            found.extend(words.next().into_iter().flat_map(|list| list.split(',')).map(str::to_owned));
        }
    }
    found
}

/// The first host's address and the length of the prefix of an address range.
fn range(pattern: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = pattern.split_once('/')?;
    let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
    Some(match address {
        IpAddr::V4(_) if bits > 32 => return None,
        IpAddr::V6(_) if bits > 128 => return None,
        IpAddr::V4(v4) if bits < 32 => (IpAddr::from((u32::from(v4) | 1).to_be_bytes()), bits),
        IpAddr::V6(v6) if bits < 128 => (IpAddr::from((u128::from(v6) | 1).to_be_bytes()), bits),
        whole => (whole, bits),
    })
}

/// The family of an address with its first bits.
fn prefix(address: IpAddr, bits: u8) -> (bool, u128) {
    match address {
        IpAddr::V4(v4) => {
            (true, u128::from(u32::from(v4).checked_shr(32 - u32::from(bits.min(32))).unwrap_or(0)))
        }
        IpAddr::V6(v6) => (false, u128::from(v6).checked_shr(128 - u32::from(bits.min(128))).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::testing::Tree;

    #[test]
    fn a_connection_for_each_place_that_the_configuration_tells_apart() {
        let tree = Tree::new().file(
            "/etc/ssh/sshd_config",
            "AllowUsers root ops@10.0.0.* bot@*.example.com\nMatch User a Address 10.0.0.0/8,!10.1.0.0/16\n  X11Forwarding no\n\
             Match Host *.example.com\n  X11Forwarding no\nMatch Address fd00::/8\n  X11Forwarding no\n",
        );
        let told: Vec<String> =
            Connection::elsewhere(&tree.system()).iter().map(|own| own.told("x")).collect();
        let told = told.join("\n").replace(",laddr=127.0.0.1,lport=22", "");
        assert_eq!(
            told,
            "user=x,host=1.example.com,addr=192.0.2.1\nuser=x,host=10.0.0.1,addr=10.0.0.1\n\
             user=x,host=10.0.0.1,addr=10.0.0.1\nuser=x,host=fd00::1,addr=fd00::1"
        );
        assert!(Connection::elsewhere(&Tree::new().system()).is_empty());
    }

    #[test]
    fn patterns_are_matched_as_the_daemon_does() {
        let here = Connection::from("10.0.0.7").unwrap();
        for (pattern, about) in [
            ("10.0.0.7", true),
            ("10.0.0.*", true),
            ("10.0.0.?", true),
            ("10.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("10.0.1.0/24", false),
            ("10.0.0.7/32", true),
            ("fd00::/8", false),
            ("10.0.0.0/33", false),
            ("*.example.com", false),
            ("*", true),
        ] {
            assert_eq!(here.comes_from(pattern), about, "{pattern}");
        }
        assert!(Connection::own().comes_from("localhost") && Connection::own().comes_from("127.*"));
        assert!(Connection::from("fd00::/8").unwrap().comes_from("fd00::/16"));
        assert!(Connection::from("*.Example.com").unwrap().comes_from("*.example.COM"));
    }
}
