//! `builder targets`: the places that images go to, as the user's file has them, and whether they let one in.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cli::{self, Format};
use crate::exit::Exit;
use crate::target::example::EXAMPLE;
use crate::target::secret::Secrets;
use crate::target::{self, Target, Targets};
use crate::upload::{Outcome, Place, connect};

/// Runs the command.
///
/// # Errors
/// When the file of targets cannot be read or understood.
pub fn run(args: &cli::Targets) -> Result<Exit> {
    if args.example {
        super::say(EXAMPLE)?;
        return Ok(Exit::Good);
    }
    if args.schema {
        super::say(&schema()?)?;
        return Ok(Exit::Good);
    }
    let targets = Targets::read(&target::path(args.targets.as_deref())?)?;
    let chosen = targets.select(&args.names)?;
    let tried = if args.check { Some(tried(&targets, &args.names, &mut Secrets::default())?) } else { None };
    let rows: Vec<Row> = chosen
        .into_iter()
        .map(|(label, target)| {
            let tried = tried.iter().flatten().find(|(name, _)| *name == label).map(|(_, place)| place);
            Row { label, target, tried }
        })
        .collect();
    match args.format {
        Format::Text => super::say(&rows.iter().map(Row::text).collect::<String>())?,
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(Row::value).collect();
            super::say(&(serde_json::to_string_pretty(&json!({"schema": 1, "targets": rows}))? + "\n"))?;
        }
    }
    let refused = rows.iter().any(|row| row.tried.is_some_and(Result::is_err));
    Ok(if refused { Exit::Deviates } else { Exit::Good })
}

/// The schema of files of targets.
///
/// # Errors
/// None that can happen: it is made of the types.
pub fn schema() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Targets))? + "\n")
}

/// Makes sure that targets let one in, before anything long begins. Gives the environment variables that hold their secrets; the
/// secrets themselves are kept for the upload, since nobody may be there to be asked again by then.
///
/// # Errors
/// For every target that does not, with what to do.
pub fn let_in(names: &[String], file: Option<&Path>, secrets: &mut Secrets) -> Result<Vec<String>> {
    let targets = Targets::read(&target::path(file)?)?;
    let refused = |(label, place): &Outcome<Place>| {
        let failure = place.as_ref().err()?;
        Some(format!("target {label}: {failure}\n    do: {}", failure.remedy()))
    };
    let refused: Vec<String> = tried(&targets, names, secrets)?.iter().filter_map(refused).collect();
    if !refused.is_empty() {
        bail!("nothing was built, because the image could not be uploaded:\n{}", refused.join("\n"));
    }
    Ok(targets.variables())
}

fn tried(targets: &Targets, names: &[String], secrets: &mut Secrets) -> Result<Vec<Outcome<Place>>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting tokio")?;
    runtime.block_on(async {
        tokio::select! {
            tried = connect(targets, names, secrets) => tried,
            name = super::interrupted() => bail!("ended by {}", name?),
        }
    })
}

/// A target, and what came of trying it.
struct Row<'a> {
    label: String,
    target: &'a Target,
    tried: Option<&'a Result<Place, crate::upload::failure::Failure>>,
}

impl Row<'_> {
    fn text(&self) -> String {
        let address = self.target.address();
        let port = address.port.map_or(String::new(), |port| format!(":{port}"));
        let (login, ca, insecure) = match self.target {
            Target::Nutanix(nutanix) => {
                let login = match (&nutanix.user, &nutanix.password, &nutanix.api_key) {
                    (Some(user), Some(password), _) => format!("{user}, {password}"),
                    (_, _, Some(key)) => format!("API key, {key}"),
                    _ => String::new(),
                };
                (login, nutanix.ca.is_some(), nutanix.insecure)
            }
            Target::Vsphere(vsphere) => {
                (format!("{}, {}", vsphere.user, vsphere.password), vsphere.ca.is_some(), vsphere.insecure)
            }
        };
        let tls = match (ca, insecure) {
            (_, true) => ", any certificate is taken",
            (true, _) => ", own certificate authority",
            (false, _) => "",
        };
        let tried = match self.tried {
            None => String::new(),
            Some(Ok(place)) => format!("    good: {}\n", place.about()),
            Some(Err(failure)) => format!("    FAILED: {failure}\n    do: {}\n", failure.remedy()),
        };
        format!("{}: {} at {}{port} ({login}{tls})\n{tried}", self.label, self.target.kind(), address.host)
    }

    fn value(&self) -> Value {
        let address = self.target.address();
        let mut value = json!({
            "target": self.label,
            "kind": self.target.kind(),
            "address": address.host,
            "port": address.port,
        });
        match self.tried {
            None => {}
            Some(Ok(place)) => value["good"] = json!(place.about()),
            Some(Err(failure)) => {
                value["error"] = json!(failure.to_string());
                value["remedy"] = json!(failure.remedy());
            }
        }
        value
    }
}
