//! Prints the verdict on every definition of an OVAL document or data stream: `verdicts FILE [ROOT]`.

use oval::{Document, Evaluator, System, Variables};
use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, rest @ ..] = arguments.as_slice() else { return Err("usage: verdicts FILE [ROOT]".into()) };
    let root = rest.first().map_or("/", String::as_str);
    let system = System::below(Path::new(root))?;
    let mut out = std::io::stdout().lock();
    let text = std::fs::read_to_string(file)?;
    for document in Document::find_all(&text, file)? {
        let evaluator = Evaluator::new(&document, &system, Variables::new());
        evaluator.expect(document.definitions());
        for id in document.definitions() {
            let outcome = evaluator.evaluate(id)?;
            writeln!(out, "{id}\t{}", outcome.verdict.word())?;
            for evidence in &outcome.evidence {
                writeln!(out, "\t{}\t{}\t{}", evidence.place, evidence.found, evidence.wanted)?;
            }
        }
    }
    Ok(())
}
