//! `agent tailor`: writes a tailoring file that every XCCDF tool reads, with a record of each exception.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use jiff::civil::Date;
use xccdf::{Kind, Position, Profile, Tailoring, Text, short_id};

use super::{deliver, product, today};
use crate::cli::Tailor;
use crate::content::{Catalogue, xccdf_id};
use crate::exit::Exit;
use crate::policy::make::{self, Excepted};
use crate::policy::{Exception, Policy, Request, read_tailoring, resolve};
use crate::report::now;

/// Runs the command.
///
/// # Errors
/// When tier, rule, value, reason or day are not understood, or the file cannot be written.
pub fn run(args: &Tailor) -> Result<Exit> {
    name_is_good(&args.name)?;
    nothing_is_lost(args)?;
    let product = product(&args.product)?;
    let catalogue = Catalogue::embedded()?;
    let mut profile = foundation(args)?;
    let before = Request {
        tailoring: if profile.extends.is_some() { vec![tailoring(profile.clone())] } else { Vec::new() },
        today: today(),
        ..Request::default()
    };
    let before = resolve(&catalogue, &before, &product)?;
    add(&mut profile, args, &before)?;
    let tailoring = tailoring(profile);
    // What is written is what will be understood: unknown ids and values out of bounds are found here.
    let request = Request { tailoring: vec![tailoring.clone()], today: today(), ..Request::default() };
    let after = resolve(&catalogue, &request, &product)?;
    deliver(&tailoring.to_xml()?, args.output.as_deref())?;
    tell(&after);
    Ok(Exit::Good)
}

/// Refuses to write over exceptions that what is written does not build on.
fn nothing_is_lost(args: &Tailor) -> Result<()> {
    let says_something = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() > 0);
    match &args.output {
        Some(path) if says_something(path) && !args.extends.contains(path) => bail!(
            "{0} is there already: --extends {0} keeps what it says and adds to it; or name another file",
            path.display()
        ),
        _ => Ok(()),
    }
}

/// Refuses a name that cannot be the end of an id (XCCDF 1.2, section 6.2.3: letters, digits, `.`, `_` and `-`).
fn name_is_good(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || !name.chars().all(good) {
        bail!("--name {name:?}: write letters, digits, '.', '_' and '-' only; it becomes part of an id");
    }
    Ok(())
}

/// The profile before anything is added: one that extends the tier, or what the given files hold.
fn foundation(args: &Tailor) -> Result<Profile> {
    let named = args.product.product.as_ref().map(|product| format!("_{product}")).unwrap_or_default();
    let tier = |tier: &String| xccdf_id(Kind::Profile, &format!("{tier}{named}"));
    let mut profile = Profile {
        id: xccdf_id(Kind::Profile, &args.name),
        extends: args.tier.as_ref().map(tier),
        title: Text::from(args.name.as_str()),
        ..Profile::default()
    };
    for path in &args.extends {
        let mut given = read_tailoring(path)?;
        let (Some(own), None) = (given.profiles.pop(), given.profiles.pop()) else {
            bail!("{}: has several profiles; give files with one", path.display());
        };
        profile.extends = profile.extends.or(own.extends);
        profile.selects.extend(own.selects);
        profile.set_values.extend(own.set_values);
        profile.refine_values.extend(own.refine_values);
        profile.refine_rules.extend(own.refine_rules);
        profile.metadata.extend(own.metadata);
    }
    if profile.extends.is_none() {
        bail!("nothing to build on: none of the files extends a tier, so give --tier");
    }
    Ok(profile)
}

/// Adds what the command line asks for. `before` is the policy without it.
fn add(profile: &mut Profile, args: &Tailor, before: &Policy) -> Result<()> {
    let exception = exception(args)?;
    let excepted = |id: &str, set: Option<&str>| Excepted {
        id: id.to_owned(),
        set: set.map(str::to_owned),
        exception: exception.clone(),
        position: Position::default(),
    };
    for id in &args.except {
        let id = short_id(id);
        if args.select.iter().any(|other| short_id(other) == id) {
            bail!("--except and --select both name {id}: give one of them");
        }
        let rule = before.rules.iter().find(|rule| rule.id == id);
        // An exception that is there already is renewed.
        if rule.is_some_and(|rule| rule.not_selected.is_some() && rule.exception.is_none()) {
            bail!("{} does not ask for {id}: there is nothing to except", short_id(&before.profile));
        }
        excepted(id, None).put(profile);
    }
    args.select.iter().for_each(|id| make::select(profile, id));
    for assignment in &args.set {
        let (id, content) =
            assignment.split_once('=').with_context(|| format!("--set {assignment}: write VALUE=CONTENT"))?;
        excepted(id, Some(content)).put(profile);
    }
    Ok(())
}

fn exception(args: &Tailor) -> Result<Exception> {
    let reason = args.reason.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let made = !args.except.is_empty() || !args.set.is_empty();
    if made && reason.is_empty() {
        bail!("an exception needs a reason: give --reason");
    }
    let until = args.until.as_ref().map(|until| {
        let day: Date = until.parse().map_err(|_| anyhow!("--until {until}: write a day as YYYY-MM-DD"))?;
        if day < today() {
            bail!("--until {until}: that day is over");
        }
        Ok(day.to_string())
    });
    let until = until.transpose()?;
    Ok(Exception { reason, owner: args.owner.clone(), until, expired: false, source: String::new() })
}

fn tailoring(profile: Profile) -> Tailoring {
    let mut tailoring = make::tailoring(profile, "the tailoring");
    tailoring.version.time = Some(now());
    tailoring
}

/// Says on standard error what the file comes to.
fn tell(policy: &Policy) {
    use std::io::Write;
    let asked = policy.rules.iter().filter(|rule| rule.not_selected.is_none()).count();
    let excepted = policy.rules.iter().filter(|rule| rule.exception.is_some()).count();
    // The file is written; nobody hearing of it changes nothing.
    let _ = writeln!(std::io::stderr(), "{asked} rules, {excepted} with an exception");
}
