//! Finds the items and values of a benchmark by id, and says what is near when there is none.
//!
//! An id matches by its full form first, then by its short form within its kind.

use crate::benchmark::{Benchmark, Item};
use crate::id::{Kind, did_you_mean, kind_of, short_id};
use crate::value::Value;
use std::collections::HashMap;

/// An item with its place in the tree.
pub(crate) struct Node<'a> {
    pub item: &'a Item,
    /// The group it is in.
    pub parent: Option<usize>,
    /// One past the last item inside it.
    pub end: usize,
}

/// Why an id leads nowhere: what to say, and what to do about it.
pub(crate) struct Lost {
    pub message: String,
    pub remedy: String,
}

pub(crate) struct Index<'a> {
    /// Groups and rules in document order, parents first.
    pub nodes: Vec<Node<'a>>,
    /// Values in the order of [`Benchmark::values`].
    pub values: Vec<&'a Value>,
    nodes_by_id: HashMap<&'a str, usize>,
    nodes_by_short: HashMap<&'a str, Vec<usize>>,
    clusters: HashMap<&'a str, Vec<usize>>,
    values_by_id: HashMap<&'a str, usize>,
    values_by_short: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    pub fn new(benchmark: &'a Benchmark) -> Self {
        let mut index = Index {
            nodes: nodes(benchmark),
            values: benchmark.values().collect(),
            nodes_by_id: HashMap::new(),
            nodes_by_short: HashMap::new(),
            clusters: HashMap::new(),
            values_by_id: HashMap::new(),
            values_by_short: HashMap::new(),
        };
        for (n, node) in index.nodes.iter().enumerate() {
            let head = node.item.head();
            index.nodes_by_id.insert(&head.id, n);
            index.nodes_by_short.entry(short_id(&head.id)).or_default().push(n);
            if let Some(cluster) = &head.cluster_id {
                index.clusters.entry(cluster).or_default().push(n);
            }
        }
        for (n, value) in index.values.iter().enumerate() {
            index.values_by_id.insert(&value.head.id, n);
            index.values_by_short.entry(short_id(&value.head.id)).or_default().push(n);
        }
        index
    }

    /// The rule or group with an id, or the members of the cluster of that name.
    pub fn items(&self, id: &str) -> Result<Vec<usize>, Lost> {
        if let Some(cluster) = self.clusters.get(id)
            && !self.nodes_by_id.contains_key(id)
        {
            return Ok(cluster.clone());
        }
        self.item(id).map(|found| vec![found])
    }

    /// The rule or group with an id.
    pub fn item(&self, id: &str) -> Result<usize, Lost> {
        if let Some(found) = self.nodes_by_id.get(id) {
            return Ok(*found);
        }
        let kind = kind_of(id);
        let of_kind = |n: &usize| match (kind, self.nodes.get(*n)) {
            (Some(kind), Some(node)) => node.item.kind() == kind,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let alike = self.nodes_by_short.get(short_id(id)).into_iter().flatten().copied();
        let alike: Vec<usize> = alike.filter(of_kind).collect();
        let names = || self.nodes.iter().map(|node| node.item.head().id.as_str());
        let what = kind.map_or_else(|| "rule or group".to_owned(), |kind| kind.to_string());
        one(id, &what, &alike, |n| self.nodes.get(n).map(|node| node.item.head().id.as_str()), names())
    }

    /// The value with an id.
    pub fn value(&self, id: &str) -> Result<usize, Lost> {
        if let Some(found) = self.values_by_id.get(id) {
            return Ok(*found);
        }
        let wrong_kind = kind_of(id).is_some_and(|kind| kind != Kind::Value);
        let alike = self.values_by_short.get(short_id(id)).filter(|_| !wrong_kind);
        let alike: Vec<usize> = alike.into_iter().flatten().copied().collect();
        let names = self.values.iter().map(|value| value.head.id.as_str());
        one(id, "value", &alike, |n| self.values.get(n).map(|value| value.head.id.as_str()), names)
    }
}

/// The only candidate, or why there is not exactly one.
fn one<'a>(
    id: &str,
    what: &str,
    candidates: &[usize],
    name: impl Fn(usize) -> Option<&'a str>,
    known: impl Iterator<Item = &'a str>,
) -> Result<usize, Lost> {
    match candidates {
        [only] => Ok(*only),
        [] => {
            let message = format!("unknown {what} {:?}", short_id(id));
            Err(Lost { message, remedy: did_you_mean(id, known) })
        }
        several => {
            let names: Vec<&str> = several.iter().filter_map(|n| name(*n)).collect();
            let message = format!("{id:?} can be any of: {}", names.join(", "));
            Err(Lost { message, remedy: "write the full id".to_owned() })
        }
    }
}

/// Lays the tree out flat.
fn nodes(benchmark: &Benchmark) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node<'_>> = Vec::new();
    let mut open = vec![(None, benchmark.items.iter())];
    while let Some((parent, rest)) = open.last_mut() {
        let parent = *parent;
        let Some(item) = rest.next() else {
            let end = nodes.len();
            if let Some(group) = parent.and_then(|n: usize| nodes.get_mut(n)) {
                group.end = end;
            }
            open.pop();
            continue;
        };
        let own = nodes.len();
        nodes.push(Node { item, parent, end: own + 1 });
        if let Item::Group(group) = item {
            open.push((Some(own), group.items.iter()));
        }
    }
    nodes
}
