//! Which checklist is meant: by the ids that are given, else the first there is, as OpenSCAP chooses.

use super::SourceContent;
use super::checklist::Checklist;
use super::collection::{ComponentRef, DataStream};
use crate::error::Error;
use crate::id::{did_you_mean, short_id};

/// What is known of the checklist that is meant. Ids are matched whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Id of the data stream.
    pub stream: Option<&'a str>,
    /// Id of the reference to the checklist in it.
    pub checklist: Option<&'a str>,
    /// Full or short id of the benchmark; looked at only without the other two.
    pub benchmark: Option<&'a str>,
}

impl SourceContent {
    /// The checklist that is meant. Without any id, the first one of the first data stream that has one; of
    /// an XCCDF document alone, its benchmark.
    ///
    /// # Errors
    /// Ids of what is not there, with what there is; a checklist that is not in the content, or no benchmark.
    pub fn checklist(&self, choice: Choice<'_>) -> Result<Checklist<'_>, Error> {
        let found = match choice {
            _ if !self.is_collection() => return self.alone(choice),
            Choice { stream: None, checklist: None, benchmark: Some(id) } => self.with_benchmark(id)?,
            Choice { stream, checklist, .. } => self.with_ids(stream, checklist)?,
        };
        let (stream, reference) = found;
        let missing = |message: String, remedy: &str| Error::new(self.source(), message).remedy(remedy);
        let Some(id) = reference.component() else {
            let message =
                format!("checklist {:?} is not in the file but at {}", reference.id, reference.href);
            return Err(missing(message, "fetch that file and give it instead"));
        };
        let Some(component) = self.component(id) else {
            let message =
                format!("checklist {:?} refers to component {id:?}, which is not there", reference.id);
            return Err(missing(message, "the file is damaged, or was cut from a larger one"));
        };
        Checklist::new(self, component, Some((stream, reference)))
    }

    fn alone(&self, choice: Choice<'_>) -> Result<Checklist<'_>, Error> {
        let component = self.outline.components.first();
        let component = component.ok_or_else(|| Error::new(self.source(), "no benchmark in it"))?;
        let asked = choice.stream.or(choice.checklist);
        if let Some(id) = asked {
            let message = format!("{id:?} is asked for, but this is an XCCDF document, not a data stream");
            return Err(Error::new(self.source(), message).remedy("leave the id out"));
        }
        let own = self.benchmark_id(component).unwrap_or_default();
        if let Some(id) = choice.benchmark.filter(|id| short_id(id) != short_id(&own)) {
            return Err(self.lost("benchmark", id, std::iter::once(own.as_str())));
        }
        Checklist::new(self, component, None)
    }

    fn with_ids(
        &self,
        stream: Option<&str>,
        checklist: Option<&str>,
    ) -> Result<(&DataStream, &ComponentRef), Error> {
        let streams = || self.streams().iter().filter(move |own| stream.is_none_or(|id| own.id == id));
        let mut checklists =
            streams().flat_map(|own| own.checklists.iter().map(move |reference| (own, reference)));
        if let Some(found) = checklists.find(|(_, reference)| checklist.is_none_or(|id| reference.id == id)) {
            return Ok(found);
        }
        match (stream, checklist) {
            (Some(id), _) if streams().next().is_none() => {
                Err(self.lost("data stream", id, self.streams().iter().map(|own| own.id.as_str())))
            }
            (_, Some(id)) => {
                let known = streams().flat_map(|own| &own.checklists).map(|own| own.id.as_str());
                Err(self.lost("checklist", id, known))
            }
            _ => Err(Error::new(self.source(), "no data stream in it has a checklist")
                .remedy("give a data stream with a benchmark, such as ssg-…-ds.xml")),
        }
    }

    fn with_benchmark(&self, id: &str) -> Result<(&DataStream, &ComponentRef), Error> {
        let benchmark_of = |reference: &ComponentRef| {
            self.component(reference.component()?).and_then(|component| self.benchmark_id(component))
        };
        let mut checklists = self
            .streams()
            .iter()
            .flat_map(|own| own.checklists.iter().map(move |reference| (own, reference)));
        let found = checklists
            .find(|(_, reference)| benchmark_of(reference).is_some_and(|own| short_id(&own) == short_id(id)));
        found.ok_or_else(|| {
            let all = self.streams().iter().flat_map(|own| &own.checklists);
            let known: Vec<String> = all.filter_map(benchmark_of).collect();
            self.lost("benchmark", id, known.iter().map(String::as_str))
        })
    }

    fn lost<'k>(&self, what: &str, id: &str, known: impl Iterator<Item = &'k str>) -> Error {
        let known: Vec<&str> = known.collect();
        let near = did_you_mean(id, known.iter().copied());
        let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let remedy = if near.is_empty() { format!("there are: {all}") } else { near };
        Error::new(self.source(), format!("no {what} {id:?}")).remedy(remedy)
    }
}
