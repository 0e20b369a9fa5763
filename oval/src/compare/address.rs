//! IP addresses and networks: `ADDRESS[/PREFIX]`, IPv4 also `ADDRESS/NETMASK`.

use crate::model::Operation;
use crate::verdict::Verdict;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Compares; addresses that cannot be read are an error, and so is the order of networks of different sizes.
///
/// As in oscap, "greater than" holds when the wanted address is below the found one, within the network.
pub(super) fn compare(operation: Operation, wanted: &str, found: &str, six: bool) -> Verdict {
    let parse = if six { parse_six } else { parse_four };
    let (Some((wanted, wanted_mask)), Some((found, found_mask))) = (parse(wanted), parse(found)) else {
        return Verdict::Error;
    };
    match operation {
        Operation::Equals => (wanted == found && wanted_mask == found_mask).into(),
        Operation::NotEqual => (wanted != found || wanted_mask != found_mask).into(),
        Operation::SubsetOf => {
            (wanted_mask <= found_mask && wanted & wanted_mask == found & wanted_mask).into()
        }
        Operation::SupersetOf => {
            (wanted_mask >= found_mask && wanted & found_mask == found & found_mask).into()
        }
        _ if wanted_mask != found_mask => Verdict::Error,
        _ => super::ordered(operation, (found & found_mask).cmp(&(wanted & wanted_mask))),
    }
}

/// Address and mask. A mask need not be ones before zeros: it is a number, and the larger one is that of the smaller network.
fn parse_four(text: &str) -> Option<(u128, u128)> {
    let (address, size) = split(text);
    let mask = match size {
        None => u32::MAX,
        Some(size) => match size.parse::<Ipv4Addr>() {
            Ok(mask) => u32::from(mask),
            // oscap takes the prefix 0 for 32.
            Err(_) => match size.parse().ok().filter(|size| *size <= 32)? {
                0 => u32::MAX,
                size => u32::MAX << (32 - size),
            },
        },
    };
    Some((u128::from(u32::from(address.parse::<Ipv4Addr>().ok()?)), u128::from(mask)))
}

fn parse_six(text: &str) -> Option<(u128, u128)> {
    let (address, size) = split(text);
    let size: u32 = size.map_or(Some(128), |size| size.parse().ok().filter(|size| *size <= 128))?;
    let mask = u128::MAX.checked_shl(128 - size).unwrap_or(0);
    Some((u128::from(address.parse::<Ipv6Addr>().ok()?), mask))
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(address, size)| (address, Some(size)))
}
