//! `agent list`: what there is to choose from.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use xccdf::{Benchmark, Kind, no_alias, short_id};

use super::{print, say};
use crate::cli::{List, Subject};
use crate::content::{Catalogue, TIERS, benchmark, products, tier_of, tier_profile};
use crate::exit::Exit;
use crate::fix;
use crate::scap;

/// Runs the command.
///
/// # Errors
/// When the list cannot be written.
pub fn run(args: &List) -> Result<Exit> {
    if args.subject == Subject::Fixes {
        return fixes(args);
    }
    if let Some(content) = &args.content {
        let table = of_content(args.subject, content)?;
        print(args.format, &aligned(&table.rows), &table.json)?;
        return Ok(Exit::Good);
    }
    let catalogue = Catalogue::embedded()?;
    let benchmark = benchmark(&catalogue)?;
    let table = match args.subject {
        Subject::Rules => rules(&catalogue, &benchmark)?,
        Subject::Tiers => tiers(&benchmark)?,
        Subject::Profiles => profiles(&benchmark),
        Subject::Values => values(&catalogue),
        Subject::Settings => settings(&catalogue)?,
        Subject::Fixes => bail!("fixes are of content of others: give --content"),
    };
    print(args.format, &aligned(&table.rows), &table.json)?;
    Ok(Exit::Good)
}

/// Writes the fixes of content as one document. A rule whose fix cannot be written is told, and the rest is written.
fn fixes(args: &List) -> Result<Exit> {
    let Some(content) = &args.content else { bail!("fixes are of content of others: give --content") };
    let request = scap::Request {
        content: content.clone(),
        tier: args.tier.clone(),
        profile: args.profile.clone(),
        tailoring: args.tailoring.clone(),
        rules: args.rule.clone(),
        root: "/".into(),
        script_limit: scap::SCRIPT_LIMIT,
    };
    let chosen = fix::of_policy(&request, &args.system)?;
    if !chosen.iter().any(|own| own.text.is_some()) {
        bail!("{content} has no fix of the system {:?} for these rules", args.system);
    }
    let profile = args.profile.as_deref().or(args.tier.as_deref()).unwrap_or("the default profile");
    let about = format!("Fixes of {content} for {profile}, written by agent {}", env!("CARGO_PKG_VERSION"));
    let (document, lacking) = fix::document::write(&chosen, &args.system, &about);
    let json: Vec<Json> = chosen
        .iter()
        .map(|own| json!({"rule": own.rule, "text": own.text.as_ref().and_then(|text| text.as_ref().ok())}))
        .collect();
    print(args.format, &document, &json)?;
    lacking.iter().for_each(|line| say(&format!("agent: {line}")));
    Ok(if lacking.is_empty() { Exit::Good } else { Exit::Trouble })
}

/// A list, for people and for programs.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    json: Vec<Json>,
}

impl Table {
    fn add(&mut self, row: impl IntoIterator<Item = String>, json: Json) {
        self.rows.push(row.into_iter().collect());
        self.json.push(json);
    }
}

/// What there is in content of others.
fn of_content(subject: Subject, content: &str) -> Result<Table> {
    let benchmark = scap::benchmark(content)?;
    let mut table = Table::default();
    match subject {
        Subject::Profiles => return Ok(profiles(&benchmark)),
        Subject::Rules => {
            for rule in benchmark.rules() {
                let (id, title) = (short_id(&rule.head.id), rule.head.title.plain());
                let severity = rule.severity.unwrap_or(xccdf::Severity::Unknown).word();
                let json = json!({"id": id, "title": title, "severity": severity});
                table.add([id.to_owned(), severity.to_owned(), title], json);
            }
        }
        Subject::Values => {
            for value in benchmark.values() {
                let (id, title) = (short_id(&value.head.id), value.head.title.plain());
                table.add([id.to_owned(), title.clone()], json!({"id": id, "title": title}));
            }
        }
        Subject::Tiers | Subject::Settings | Subject::Fixes => {
            bail!("content of others has rules, profiles and values; tiers and settings are the catalogue's")
        }
    }
    Ok(table)
}

/// Rows as lines, every column but the last as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The rules that each tier of each product selects.
fn selected(benchmark: &Benchmark) -> Result<BTreeMap<(&'static str, String), Vec<String>>> {
    let mut selected = BTreeMap::new();
    for product in products(benchmark) {
        for tier in TIERS {
            let profile = tier_profile(tier, product);
            if benchmark.profile(&profile).is_some() {
                let policy = xccdf::resolve(benchmark, &[], Some(&profile), &no_alias)?;
                let rules = policy.selected().map(|rule| short_id(&rule.id).to_owned()).collect();
                selected.insert((tier, product.to_owned()), rules);
            }
        }
    }
    Ok(selected)
}

fn rules(catalogue: &Catalogue, benchmark: &Benchmark) -> Result<Table> {
    let selected = selected(benchmark)?;
    let mut table = Table::default();
    for rule in catalogue.rules() {
        let mut least: BTreeMap<&str, &str> = BTreeMap::new();
        for tier in TIERS {
            let of_tier =
                selected.iter().filter(|((name, _), rules)| *name == tier && rules.contains(&rule.id));
            for ((_, product), _) in of_tier {
                least.entry(product).or_insert(tier);
            }
        }
        let mut tiers: Vec<&str> = least.values().copied().collect();
        tiers.sort_unstable();
        tiers.dedup();
        let row = [rule.id.clone(), rule.severity.as_str().to_owned(), tiers.join("/"), rule.title.clone()];
        let json = json!({
            "id": rule.id, "title": rule.title, "severity": rule.severity, "least_tier": least, "cis": rule.cis,
            "anssi": rule.anssi, "access": rule.access, "reboot": rule.reboot, "check_only": rule.check_only,
        });
        table.add(row, json);
    }
    Ok(table)
}

fn tiers(benchmark: &Benchmark) -> Result<Table> {
    let mut table = Table::default();
    for ((tier, product), rules) in selected(benchmark)? {
        let json = json!({"tier": tier, "product": product, "rules": rules});
        table.add([tier.to_owned(), product, format!("{} rules", rules.len())], json);
    }
    Ok(table)
}

fn profiles(benchmark: &Benchmark) -> Table {
    let mut table = Table::default();
    for profile in benchmark.profiles.iter().filter(|profile| !profile.is_abstract) {
        let (title, tier) = (profile.title.plain(), tier_of(&profile.id).map(|(tier, _)| tier));
        table.add(
            [profile.id.clone(), title.clone()],
            json!({"id": profile.id, "title": title, "tier": tier}),
        );
    }
    table
}

fn values(catalogue: &Catalogue) -> Table {
    let mut table = Table::default();
    for value in catalogue.values() {
        let choices = match (value.closed, value.minimum, value.maximum) {
            (true, ..) => value.selectors.values().map(|text| text.0.clone()).collect::<Vec<_>>().join(", "),
            (_, None, None) => String::new(),
            (_, least, most) => {
                let text = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                format!("{}..{}", text(least), text(most))
            }
        };
        let row = [value.id.clone(), value.default.0.clone(), choices, value.title.clone()];
        let json = json!({
            "id": value.id, "xccdf_id": crate::content::xccdf_id(Kind::Value, &value.id), "title": value.title,
            "description": value.description, "type": value.kind, "default": value.default,
            "selectors": value.selectors, "closed": value.closed, "minimum": value.minimum, "maximum": value.maximum,
        });
        table.add(row, json);
    }
    table
}

fn settings(catalogue: &Catalogue) -> Result<Table> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for rule in catalogue.rules() {
        let mut names = BTreeSet::new();
        for kind in std::iter::once(&rule.ensure).chain(rule.instead.iter().map(|other| &other.ensure)) {
            names.extend(kind.names()?);
        }
        names.into_iter().for_each(|name| *users.entry(name).or_default() += 1);
    }
    let mut table = Table::default();
    for (name, count) in users {
        table.add([name.clone(), format!("{count} rules")], json!({"kind": name, "rules": count}));
    }
    Ok(table)
}
