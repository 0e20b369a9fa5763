//! `textfilecontent54`: what a pattern finds in files.
//!
//! Source: `src/OVAL/probes/independent/textfilecontent54_probe.c` of OpenSCAP 1.3.7.

use super::{Asked, Context, Request};
use crate::collection::Flag;
use crate::collector::Collector;
use crate::item::{Field, Item};
use crate::model::Schema;
use crate::pattern::{Flags, Matches};
use crate::system::Kind;
use crate::verdict::Verdict;
use crate::walk::{self, Found};
use memchr::{memchr, memchr_iter};
use pcre2::bytes::Regex;
use std::path::Path;
use std::rc::Rc;

/// The version of the schema from which on items have whole paths.
const WITH_FILEPATH: Schema = Schema::new(5, 6, 0);

pub(super) fn collect(request: &Request<'_>, context: &Context<'_>, out: &mut Collector<'_>) {
    let (Some(pattern), Some(instance)) = (request.entity("pattern"), request.entity("instance")) else {
        return out.fail("the object has no pattern or no instance");
    };
    let behaviors = request.behaviors();
    let flags = Flags {
        multiline: behaviors.flag("multiline", true),
        singleline: behaviors.flag("singleline", false),
        ignore_case: behaviors.flag("ignore_case", false),
        ascii: false,
    };
    match context.patterns.compile(pattern.value(), flags) {
        Ok(regex) => {
            let ascii = pattern.value().is_ascii().then_some(Flags { ascii: true, ..flags });
            // What only means something among wider characters cannot be compiled for bytes.
            let bytes = ascii.and_then(|flags| context.patterns.compile(pattern.value(), flags).ok());
            let search = Search { context, pattern: pattern.value(), regex: &regex, bytes, instance };
            walk::find(request, context, out, &mut |found, out| search.file(found, out));
        }
        Err(why) => out.fail(why),
    }
}

struct Search<'a> {
    context: &'a Context<'a>,
    pattern: &'a str,
    regex: &'a Regex,
    /// The pattern for texts that are ASCII.
    bytes: Option<Rc<Regex>>,
    instance: &'a Asked,
}

impl Search<'_> {
    fn file(&self, found: &Found<'_>, out: &mut Collector<'_>) {
        if !found.may_have_content || out.is_over() {
            return;
        }
        // Links that lead nowhere, and to what is no regular file, are passed over.
        match self.context.system.stat(found.full) {
            Ok(meta) if meta.kind == Kind::Regular => {}
            _ => return self.not_there(found.full, out),
        }
        let path = found.full;
        match self.context.system.read(path) {
            Ok(bytes) => self.content(found, &bytes, out),
            Err(error) => out.fail(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// A link that leads nowhere may lead to something on a running system; devices are no regular files there either.
    fn not_there(&self, path: &Path, out: &mut Collector<'_>) {
        if let Some(own) = self.context.system.kernels_own(path).filter(|own| *own != "/dev") {
            out.end(Flag::NotRunning, walk::not_running(own));
        }
    }

    fn content(&self, found: &Found<'_>, bytes: &[u8], out: &mut Collector<'_>) {
        // oscap's text ends at the first NUL.
        let bytes = memchr(0, bytes).and_then(|end| bytes.get(..end)).unwrap_or(bytes);
        let Ok(text) = std::str::from_utf8(bytes) else { return self.not_text(found.full, bytes, out) };
        let regex = self.bytes.as_deref().filter(|_| text.is_ascii()).unwrap_or(self.regex);
        let mut matches = Matches::new(self.context.patterns, regex, text);
        let mut number = 0;
        let (mut line, mut counted) = (1, 0);
        loop {
            let (start, end) = match matches.next() {
                Ok(Some(span)) => span,
                Ok(None) => return,
                Err(error) => {
                    return out.fail(format!(
                        "{}: the pattern {:?} failed: {error}",
                        found.full.display(),
                        self.pattern
                    ));
                }
            };
            number += 1;
            if self.instance.compare_int(self.context.patterns, number) != Verdict::True {
                continue;
            }
            line += memchr_iter(b'\n', bytes.get(counted..start).unwrap_or_default()).count();
            counted = counted.max(start);
            out.add(self.item(
                found,
                text.get(start..end).unwrap_or_default(),
                number,
                &matches.groups(),
                line,
            ));
            if out.is_over() {
                return;
            }
        }
    }

    fn item(&self, found: &Found<'_>, text: &str, number: i64, groups: &[&str], line: usize) -> Item {
        let mut fields = found.fields();
        fields.retain(|field| self.context.schema >= WITH_FILEPATH || field.name != "filepath");
        fields.push(Field::text("pattern", self.pattern));
        fields.push(Field::int("instance", number));
        fields.push(Field::text("line", self.pattern));
        fields.push(Field::text("text", text));
        fields.extend(groups.iter().map(|group| Field::text("subexpression", *group)));
        // A match that starts with a line break is about the line behind it.
        let skipped =
            text.bytes().take_while(|byte| *byte == b'\n').count().min(text.len().saturating_sub(1));
        Item::new(fields).at(found.full.to_string_lossy(), Some(line + skipped))
    }

    fn not_text(&self, path: &Path, bytes: &[u8], out: &mut Collector<'_>) {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let line = memchr_iter(b'\n', bytes.get(..valid).unwrap_or_default()).count() + 1;
        out.fail(format!("{}:{line}: not UTF-8", path.display()));
    }
}
