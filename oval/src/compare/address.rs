//! IP addresses and networks: `ADDRESS[/PREFIX]`, IPv4 also `ADDRESS/NETMASK`.

use crate::model::Operation;
use crate::verdict::Verdict;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Compares; addresses that cannot be read are an error, and so is the order of networks of different sizes.
///
/// As in oscap, "greater than" holds when the wanted address is below the found one, within the network.
pub(super) fn compare(operation: Operation, wanted: &str, found: &str, six: bool) -> Verdict {
    let parse = if six { parse_six } else { parse_four };
    let (Some((wanted, wanted_size)), Some((found, found_size))) = (parse(wanted), parse(found)) else {
        return Verdict::Error;
    };
    let width = if six { 128 } else { 32 };
    let network = |address: u128, size: u32| address.checked_shr(width - size).unwrap_or(0);
    match operation {
        Operation::Equals => (wanted == found && wanted_size == found_size).into(),
        Operation::NotEqual => (wanted != found || wanted_size != found_size).into(),
        Operation::SubsetOf => {
            (wanted_size <= found_size && network(wanted, wanted_size) == network(found, wanted_size)).into()
        }
        Operation::SupersetOf => {
            (wanted_size >= found_size && network(wanted, found_size) == network(found, found_size)).into()
        }
        _ if wanted_size != found_size => Verdict::Error,
        _ => super::ordered(operation, network(found, found_size).cmp(&network(wanted, wanted_size))),
    }
}

fn parse_four(text: &str) -> Option<(u128, u32)> {
    let (address, size) = split(text);
    let size = match size {
        None => 32,
        Some(size) => match size.parse::<Ipv4Addr>() {
            Ok(mask) => u32::from(mask).leading_ones(),
            Err(_) => size.parse().ok().filter(|size| *size <= 32)?,
        },
    };
    Some((u128::from(u32::from(address.parse::<Ipv4Addr>().ok()?)), size))
}

fn parse_six(text: &str) -> Option<(u128, u32)> {
    let (address, size) = split(text);
    let size = size.map_or(Some(128), |size| size.parse().ok().filter(|size| *size <= 128))?;
    Some((u128::from(address.parse::<Ipv6Addr>().ok()?), size))
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(address, size)| (address, Some(size)))
}
