//! `Packages`, the database of RHEL 8 and older: a hash table of Berkeley DB, whose values are headers.
//!
//! Of the format what librpm writes (`lib/backend/bdb_ro.c` of rpm, `dbinc/db_page.h` of Berkeley DB 5.3): pages of one size; page 0
//! says how many buckets there are; each bucket is a chain of pages with keys and values by turns; a value that is too long for a page is
//! on a chain of pages of its own. Values that share a key, checksums and encryption are not read. Numbers are in the order of the machine
//! that wrote the file.
//!
//! The file may be hostile. An honest one needs each page once, so no more pages are read than it has, and one header is held at a time.

use super::{Blobs, MAX_HEADER};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What a hash table begins with, at [`MAGIC_AT`].
const MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;

/// The versions of hash tables that Berkeley DB 4 and 5 write.
const VERSIONS: std::ops::RangeInclusive<u32> = 8..=10;

/// How much of a page is its own head; then come the places of its items.
const HEAD: usize = 26;

/// Where the numbers of the first pages of each doubling of the table are, and how many.
const SPARES: (usize, u32) = (96, 32);

/// Kinds of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Kinds of items.
const HERE: u8 = 1;
const OFF_PAGE: u8 = 3;

const DAMAGED: &str = "is damaged";

/// Calls `each` with the header of every package.
pub(super) fn each(path: &Path, each: Blobs<'_>) -> Result<(), String> {
    let table = Table::open(path).map_err(|why| format!("{} {why}", path.display()))?;
    table.walk(each).map_err(|why| format!("{} {why}", path.display()))
}

/// An open table.
struct Table {
    file: File,
    order: Order,
    page_size: usize,
    /// How many pages there are.
    pages: u64,
    buckets: u32,
    spares: Vec<u32>,
}

/// Which byte of a number comes first.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn number(self, bytes: &[u8], at: usize) -> Result<u32, String> {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(DAMAGED)?;
        Ok(match self {
            Order::Little => u32::from_le_bytes(*bytes),
            Order::Big => u32::from_be_bytes(*bytes),
        })
    }

    fn short(self, bytes: &[u8], at: usize) -> Result<usize, String> {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(DAMAGED)?;
        Ok(usize::from(match self {
            Order::Little => u16::from_le_bytes(*bytes),
            Order::Big => u16::from_be_bytes(*bytes),
        }))
    }
}

/// What is read of a table, and how much more may be.
struct Reading<'t> {
    table: &'t Table,
    left: u64,
    page: Vec<u8>,
    /// A page of a value that is too long for one.
    part: Vec<u8>,
    value: Vec<u8>,
}

impl Table {
    fn open(path: &Path) -> Result<Table, String> {
        let cannot = |error: std::io::Error| format!("cannot be read: {error}");
        let file = File::open(path).map_err(cannot)?;
        let meta = file.metadata().map_err(cannot)?;
        if !meta.is_file() {
            return Err("is no file".to_owned());
        }
        let mut head = [0; 512];
        file.read_exact_at(&mut head, 0).map_err(cannot)?;
        let order = match Order::Little.number(&head, MAGIC_AT)? {
            MAGIC => Order::Little,
            magic if magic.swap_bytes() == MAGIC => Order::Big,
            _ => return Err("is no hash table of Berkeley DB".to_owned()),
        };
        let number = |at| order.number(&head, at);
        if !VERSIONS.contains(&number(16)?) {
            return Err(format!(
                "has version {} of Berkeley DB's hash tables, which is not read",
                number(16)?
            ));
        }
        let [_, encryption, _, flags] = head[23..27] else { return Err(DAMAGED.to_owned()) };
        if (encryption, flags) != (0, 0) {
            return Err("has checksums, encryption or partitions, which are not read".to_owned());
        }
        let page_size = number(20)?;
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(format!("{DAMAGED}: pages of {page_size} bytes"));
        }
        let pages = u64::from(number(32)?) + 1;
        if pages > meta.len() / u64::from(page_size) {
            return Err(format!("{DAMAGED}: it has been cut off"));
        }
        let buckets = number(72)?.checked_add(1).ok_or(DAMAGED)?;
        let spares = (0..SPARES.1 as usize).map(|n| number(SPARES.0 + 4 * n)).collect::<Result<_, _>>()?;
        Ok(Table { file, order, page_size: page_size as usize, pages, buckets, spares })
    }

    fn walk(&self, each: Blobs<'_>) -> Result<(), String> {
        let empty = Vec::new;
        let mut reading =
            Reading { table: self, left: self.pages, page: empty(), part: empty(), value: empty() };
        for bucket in 0..self.buckets {
            let mut next = self.first_page(bucket)?;
            while next != 0 {
                if !reading.one_page(next, each)? {
                    return Ok(());
                }
                next = self.order.number(&reading.page, 16)?;
            }
        }
        Ok(())
    }

    /// The number of the first page of a bucket.
    fn first_page(&self, bucket: u32) -> Result<u32, String> {
        let doublings = (u32::BITS - bucket.leading_zeros()) as usize;
        let spare = self.spares.get(doublings).ok_or(DAMAGED)?;
        Ok(bucket.checked_add(*spare).ok_or(DAMAGED)?)
    }

    /// Reads a page, which says itself which one it is.
    fn read(&self, number: u32, page: &mut Vec<u8>) -> Result<(), String> {
        if number == 0 || u64::from(number) >= self.pages {
            return Err(DAMAGED.to_owned());
        }
        page.resize(self.page_size, 0);
        let at = u64::from(number) * self.page_size as u64;
        self.file.read_exact_at(page, at).map_err(|error| format!("cannot be read: {error}"))?;
        if self.order.number(page, 8)? != number {
            return Err(DAMAGED.to_owned());
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// Hands over the headers on a page; whether to go on.
    fn one_page(&mut self, number: u32, each: Blobs<'_>) -> Result<bool, String> {
        self.count()?;
        self.table.read(number, &mut self.page)?;
        if !matches!(self.page.get(25), Some(&(HASH | HASH_UNSORTED))) {
            return Err(DAMAGED.to_owned());
        }
        let order = self.table.order;
        let items = order.short(&self.page, 20)?;
        let mut end = self.table.page_size;
        for n in (0..items / 2 * 2).step_by(2) {
            let (key, value) =
                (order.short(&self.page, HEAD + 2 * n)?, order.short(&self.page, HEAD + 2 * n + 2)?);
            let is_header = order.number(self.page.get(key..end).unwrap_or_default(), 1)? != 0;
            let value = value..key;
            end = value.start;
            // Under number 0 is the highest number given so far.
            if is_header && !each(self.value(value)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value in a part of the page.
    fn value(&mut self, place: std::ops::Range<usize>) -> Result<&[u8], String> {
        let item = self.page.get(place).unwrap_or_default();
        match item.split_first() {
            Some((&HERE, value)) => {
                self.value.clear();
                self.value.extend_from_slice(value);
            }
            Some((&OFF_PAGE, _)) if item.len() == 12 => {
                let (first, length) = (self.table.order.number(item, 4)?, self.table.order.number(item, 8)?);
                self.long_value(first, length as usize)?;
            }
            _ => return Err(DAMAGED.to_owned()),
        }
        Ok(&self.value)
    }

    /// Reads a value that is on pages of its own.
    fn long_value(&mut self, first: u32, length: usize) -> Result<(), String> {
        if length > MAX_HEADER {
            return Err(format!("{DAMAGED}: a header of {length} bytes"));
        }
        self.value.clear();
        let mut next = first;
        while self.value.len() < length {
            self.count()?;
            self.table.read(next, &mut self.part)?;
            let used = self.table.order.short(&self.part, 22)?;
            let bytes = self.part.get(HEAD..HEAD + used).ok_or(DAMAGED)?;
            if self.part.get(25) != Some(&OVERFLOW) || self.value.len() + used > length {
                return Err(DAMAGED.to_owned());
            }
            self.value.extend_from_slice(bytes);
            next = self.table.order.number(&self.part, 16)?;
        }
        Ok(())
    }

    /// Counts a page that is read.
    fn count(&mut self) -> Result<(), String> {
        self.left = self.left.checked_sub(1).ok_or("is damaged: pages follow one another in a circle")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
