//! `interface`: network interfaces, one item for each IP address.
//!
//! Source: `src/OVAL/probes/unix/interface_probe.c` of OpenSCAP 1.3.7, which writes the flag `NOARP` as `NOAPP`.

use super::{Context, Request};
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Datatype;
use crate::verdict::Verdict;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;

/// Flags in the order and the words of oscap.
const FLAGS: [(InterfaceFlags, &str); 16] = [
    (InterfaceFlags::IFF_UP, "UP"),
    (InterfaceFlags::IFF_BROADCAST, "BROADCAST"),
    (InterfaceFlags::IFF_DEBUG, "DEBUG"),
    (InterfaceFlags::IFF_LOOPBACK, "LOOPBACK"),
    (InterfaceFlags::IFF_POINTOPOINT, "POINTOPOINT"),
    (InterfaceFlags::IFF_NOTRAILERS, "NOTRAILERS"),
    (InterfaceFlags::IFF_RUNNING, "RUNNING"),
    (InterfaceFlags::IFF_NOARP, "NOAPP"),
    (InterfaceFlags::IFF_PROMISC, "PROMISC"),
    (InterfaceFlags::IFF_ALLMULTI, "ALLMULTI"),
    (InterfaceFlags::IFF_MASTER, "MASTER"),
    (InterfaceFlags::IFF_SLAVE, "SLAVE"),
    (InterfaceFlags::IFF_MULTICAST, "MULTICAST"),
    (InterfaceFlags::IFF_PORTSEL, "PORTSEL"),
    (InterfaceFlags::IFF_AUTOMEDIA, "AUTOMEDIA"),
    (InterfaceFlags::IFF_DYNAMIC, "DYNAMIC"),
];

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let Some(name) = request.entity("name") else { return out.fail("the object has no name") };
    let addresses = match getifaddrs() {
        Ok(addresses) => addresses,
        Err(error) => return out.fail(format!("the network interfaces cannot be listed: {error}")),
    };
    for address in addresses {
        if name.compare(context.patterns, address.interface_name.as_bytes()) == Verdict::True
            && let Some(item) = item(context, &address)
        {
            out.add(item);
        }
    }
}

/// An item about an address; `None` when it is no IP address.
fn item(context: &Context<'_>, of: &InterfaceAddress) -> Option<Item> {
    let address = of.address.as_ref()?;
    let (datatype, own, broadcast, mask) = if let Some(four) = address.as_sockaddr_in() {
        let text = |address: &Option<nix::sys::socket::SockaddrStorage>| {
            address.as_ref().and_then(|a| Some(a.as_sockaddr_in()?.ip().to_string())).unwrap_or_default()
        };
        let broadcast = if of.flags.contains(InterfaceFlags::IFF_BROADCAST) {
            text(&of.broadcast)
        } else {
            String::new()
        };
        (Datatype::Ipv4Address, four.ip().to_string(), broadcast, text(&of.netmask))
    } else {
        let six = address.as_sockaddr_in6()?;
        let mask = of
            .netmask
            .as_ref()
            .and_then(|mask| Some(u128::from(mask.as_sockaddr_in6()?.ip()).leading_ones()));
        let own = format!("{}/{}", six.ip(), mask.unwrap_or(0));
        (Datatype::Ipv6Address, own, String::new(), String::new())
    };
    let kernel = |file: &str| {
        let text = context.system.read_text(&format!("/sys/class/net/{}/{file}", of.interface_name));
        text.map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let mut fields = vec![
        Field::text("name", of.interface_name.as_str()),
        Field::text("type", hardware(&kernel("type"))),
        Field::text("hardware_addr", kernel("address").to_uppercase()),
        Field::typed("inet_addr", datatype, own),
        Field::typed("broadcast_addr", datatype, broadcast),
        Field::typed("netmask", datatype, mask),
    ];
    let flags = FLAGS.iter().filter(|(flag, _)| of.flags.contains(*flag));
    fields.extend(flags.map(|(_, word)| Field::text("flag", *word)));
    Some(Item::new(fields).at(format!("interface {}", of.interface_name), None))
}

/// The word for a kind of hardware, by the kernel's number.
fn hardware(number: &str) -> &'static str {
    match number {
        "1" => "ARPHRD_ETHER",
        "774" => "ARPHRD_FDDI",
        "772" => "ARPHRD_LOOPBACK",
        "512" => "ARPHRD_PPP",
        "4" => "ARPHRD_PRONET",
        "256" => "ARPHRD_SLIP",
        "65535" => "ARPHRD_VOID",
        _ => "",
    }
}
