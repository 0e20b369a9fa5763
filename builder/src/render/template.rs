//! The templates, and the engine that fills them in. A name that a template uses and the facts lack is an error, not an empty string.

use anyhow::{Context, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use quick_xml::escape::escape;
use serde::Serialize;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// Every template by its file's name in `templates/`.
        pub const TEMPLATES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

templates![
    "agent.yml",
    "autoinstall.yml",
    "bootstrap.sh",
    "cloud.cfg",
    "disk.sh",
    "ks.cfg",
    "layout.sfdisk",
    "machine.ovf",
    "preseed.cfg",
    "provision.hcl",
    "provision.sh",
    "qemu.pkr.hcl",
    "seal.sh",
    "seed.yml",
    "tree.sh",
    "vsphere.pkr.hcl",
];

/// An engine that knows the templates, and how each syntax quotes.
///
/// # Errors
/// When a template is none, which the tests rule out.
pub fn engine() -> Result<Environment<'static>> {
    let mut engine = Environment::new();
    // A line that only steers leaves nothing behind.
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    engine.set_syntax(syntax?);
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.add_filter("hcl", |text: String| hcl(&text, true));
    engine.add_filter("hcl_keys", |text: String| hcl(&text, false));
    engine.add_filter("sh", |text: String| format!("'{}'", text.replace('\'', r"'\''")));
    engine.add_filter("xml", |text: String| escape(text.as_str()).into_owned());
    engine.add_filter("yaml", |text: String| json(&text));
    for (name, text) in TEMPLATES {
        engine.add_template(name, text).with_context(|| format!("reading the template {name}"))?;
    }
    Ok(engine)
}

/// Fills a template in.
///
/// # Errors
/// When it names what the facts do not have.
pub fn fill(engine: &Environment, name: &str, facts: &impl Serialize) -> Result<String> {
    let template = engine.get_template(name)?;
    template.render(Serde(facts)).with_context(|| format!("filling in the template {name}"))
}

/// A string of HCL. In a literal one neither `${` nor `%{` begins an expression.
fn hcl(text: &str, literal: bool) -> String {
    let quoted = json(text);
    if literal { quoted.replace("${", "$${").replace("%{", "%%{") } else { quoted }
}

/// A string of JSON, which is one of YAML and, but for its expressions, of HCL.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
