//! `rpmverifyfile`: whether files are as their rpm packages installed them.
//!
//! Source: `src/OVAL/probes/unix/linux/rpmverifyfile_probe.c` of OpenSCAP 1.3.7.

mod verify;

use super::{Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::{Operation, Schema};
use crate::system::{Header, RpmFile};
use crate::verdict::Verdict;
use std::path::{Path, PathBuf};
use verify::{Attributes, Verifier};

/// Behaviors that leave an attribute out.
const OMITTED: [(&str, Attributes); 10] = [
    ("nolinkto", Attributes::LINK),
    ("nomd5", Attributes::DIGEST),
    ("nofiledigest", Attributes::DIGEST),
    ("nosize", Attributes::SIZE),
    ("nouser", Attributes::USER),
    ("nogroup", Attributes::GROUP),
    ("nomtime", Attributes::TIME),
    ("nomode", Attributes::MODE),
    ("nordev", Attributes::DEVICE),
    ("nocaps", Attributes::CAPABILITIES),
];

/// Fields about attributes.
const FIELDS: [(&str, Attributes); 10] = [
    ("size_differs", Attributes::SIZE),
    ("mode_differs", Attributes::MODE),
    ("md5_differs", Attributes::DIGEST),
    ("filedigest_differs", Attributes::DIGEST),
    ("device_differs", Attributes::DEVICE),
    ("link_mismatch", Attributes::LINK),
    ("ownership_differs", Attributes::USER),
    ("group_differs", Attributes::GROUP),
    ("mtime_differs", Attributes::TIME),
    ("capabilities_differ", Attributes::CAPABILITIES),
];

/// Fields about what kind of file it is, by rpm's bits.
const KINDS: [(&str, u64); 5] = [
    ("configuration_file", CONFIGURATION),
    ("documentation_file", 1 << 1),
    ("ghost_file", GHOST),
    ("license_file", 1 << 7),
    ("readme_file", 1 << 8),
];
const CONFIGURATION: u64 = 1;
const GHOST: u64 = 1 << 6;

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    if !context.system.has_rpm() {
        return out.end(Flag::NotApplicable, "the system has no rpm");
    }
    let Some(path) = request.entity("filepath") else { return out.fail("the object has no filepath") };
    let flag = |name| request.behaviors().flag(name, false);
    let omitted =
        OMITTED.iter().filter(|(name, _)| flag(name)).fold(Attributes::NONE, |all, (_, one)| all.with(*one));
    let mut kinds = 0;
    kinds |= if flag("noconfigfiles") { CONFIGURATION } else { 0 };
    kinds |= if flag("noghostfiles") { GHOST } else { 0 };
    let wanted =
        Wanted { path: path.value(), operation: path.operation, real: real(context, path.value()), context };
    let verifier = Verifier::new(context.system, context.schema);
    let walked = context.system.each_rpm(&mut |header| {
        if wanted_package(request, context, header) {
            let package = Package::of(header);
            let files = header.files();
            // An exact path is looked up in the package that owns it.
            if path.operation != Operation::Equals || files.iter().any(|file| file.path == path.value()) {
                for file in files.iter().filter(|file| file.flags & kinds == 0) {
                    if let Some(reported) = wanted.reported(file) {
                        out.add(package.item(file, &reported, &verifier, omitted));
                    }
                }
            }
        }
        !out.is_over()
    });
    if let Err(why) = walked {
        out.fail(why);
    }
}

/// Whether a package's name and version are asked for.
fn wanted_package(request: &Request<'_>, context: &Context<'_>, header: &Header<'_>) -> bool {
    let is = |entity: &str, value: String| {
        request
            .entity(entity)
            .is_none_or(|asked| asked.compare(context.patterns, value.as_bytes()) == Verdict::True)
    };
    is("name", header.name())
        && is("epoch", header.epoch())
        && is("version", header.version())
        && is("release", header.release())
        && is("arch", header.architecture())
}

fn real(context: &Context<'_>, path: &str) -> Option<PathBuf> {
    context.system.real_path(Path::new(path)).ok()
}

/// The path that is asked for.
struct Wanted<'a> {
    path: &'a str,
    operation: Operation,
    real: Option<PathBuf>,
    context: &'a Context<'a>,
}

impl Wanted<'_> {
    /// The path under which a file is told, if it is asked for. As in oscap, an exact path is also that of any file of the package
    /// that is not there.
    fn reported(&self, file: &RpmFile) -> Option<String> {
        let same =
            |real: &Option<PathBuf>| matches!((real, &self.real), (Some(one), Some(other)) if one == other);
        match self.operation {
            Operation::Equals if file.path == self.path => Some(self.path.to_owned()),
            Operation::Equals => {
                let real = real(self.context, &file.path);
                (real.is_none() || self.real.is_none() || same(&real)).then(|| self.path.to_owned())
            }
            Operation::NotEqual => {
                let real = real(self.context, &file.path);
                if file.path == self.path || same(&real) {
                    return None;
                }
                Some(real.map_or_else(|| file.path.clone(), |real| real.to_string_lossy().into_owned()))
            }
            Operation::PatternMatch => {
                let found = self.context.patterns.matches(self.path, file.path.as_bytes());
                (found == Verdict::True).then(|| file.path.clone())
            }
            _ => None,
        }
    }
}

/// What all items of a package say.
struct Package {
    fields: Vec<Field>,
    extended: String,
}

impl Package {
    fn of(header: &Header<'_>) -> Package {
        let (name, epoch, version) = (header.name(), header.epoch(), header.version());
        let (release, architecture) = (header.release(), header.architecture());
        let number = if epoch == "(none)" { "0" } else { &epoch };
        let extended = format!("{name}-{number}:{version}-{release}.{architecture}");
        let fields = vec![
            Field::text("name", name),
            Field::text("epoch", epoch),
            Field::text("version", version),
            Field::text("release", release),
            Field::text("arch", architecture),
        ];
        Package { fields, extended }
    }

    fn item(&self, file: &RpmFile, path: &str, verifier: &Verifier<'_>, omitted: Attributes) -> Item {
        let with_digest = verifier.schema >= Schema::new(5, 11, 1);
        let differs = verifier.verify(file, omitted);
        let mut fields = self.fields.clone();
        fields.push(Field::text("filepath", path));
        fields.push(Field::text("extended_name", self.extended.as_str()));
        for (name, attribute) in FIELDS {
            let word = match differs {
                Some(_) if omitted.has(attribute) => "not performed",
                None => "not performed",
                Some(differs) if differs.has(attribute) => "fail",
                Some(_) => "pass",
            };
            fields.push(Field::text(name, word));
        }
        fields.retain(|field| with_digest || field.name != "filedigest_differs");
        fields.extend(KINDS.iter().map(|(name, bit)| Field::bool(name, file.flags & bit != 0)));
        Item::new(fields).at(path, None)
    }
}
