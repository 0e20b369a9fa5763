//! Which events of a YAML file a path selects: the automaton of `yaml-filter` (`yaml_path_filter_event` of its `src/yaml-path.c`), state by
//! state, since what it selects in odd files is what OpenSCAP 1.3.7 evaluates.

use super::path::{Path, Step};

/// An event of a YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// Before and after all documents.
    Stream,
    /// A document starts.
    Document,
    /// A document ends.
    DocumentEnd,
    /// A mapping starts; its anchor.
    Mapping(Option<&'a str>),
    /// A mapping ends.
    MappingEnd,
    /// A sequence starts; its anchor.
    Sequence(Option<&'a str>),
    /// A sequence ends.
    SequenceEnd,
    /// A scalar: its anchor and its text.
    Scalar(Option<&'a str>, &'a str),
    /// An alias of another node.
    Alias,
}

/// What a step is in while events go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Node {
    #[default]
    None,
    Mapping,
    Sequence,
}

/// How far a step got.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    node: Node,
    /// How many nodes of it went by: in a mapping, keys and values.
    counter: u64,
    /// Whether the last node is what the step asks for.
    valid: bool,
    /// Whether the next one is, for a key that was met.
    next_valid: bool,
}

/// A path on its way through a file.
pub(super) struct Filter<'a> {
    steps: Vec<(&'a Step, State)>,
    level: u64,
    /// The level the path starts at; 0 before it has.
    start: u64,
}

impl<'a> Filter<'a> {
    /// A path at the beginning of a file.
    pub fn new(path: &'a Path) -> Filter<'a> {
        let steps = path.0.iter().map(|step| (step, State::default())).collect();
        Filter { steps, level: 0, start: 0 }
    }

    /// Whether an event is selected. The error is a key that is none: OpenSCAP crashes there.
    pub fn selects(&mut self, event: Event<'_>) -> Result<bool, String> {
        self.begin(event);
        if let Some(place) = self.current() {
            self.judge(place, event)?;
        }
        Ok(match event {
            Event::Stream => true,
            Event::Document => {
                self.level = self.level.wrapping_add(u64::from(self.start == 1));
                true
            }
            Event::DocumentEnd => {
                self.level = self.level.wrapping_sub(u64::from(self.start == 1));
                true
            }
            Event::Mapping(_) => self.enter(Node::Mapping),
            Event::Sequence(_) => self.enter(Node::Sequence),
            Event::MappingEnd | Event::SequenceEnd => self.leave(),
            Event::Scalar(..) | Event::Alias => self.takes_leaf(),
        })
    }

    /// Finds out where the path starts.
    fn begin(&mut self, event: Event<'_>) {
        if self.start > 0 {
            return;
        }
        match self.steps.first_mut() {
            Some((Step::Root, state)) if event == Event::Document => {
                self.start = 1;
                state.valid = true;
            }
            Some((Step::Anchor(name), _)) if event.anchor() == Some(name) => self.start = self.level,
            _ => {}
        }
    }

    /// The number of the step for this level.
    fn current(&self) -> Option<usize> {
        let place = usize::try_from(self.level.checked_sub(self.start)?).ok()?;
        (self.start > 0 && place < self.steps.len()).then_some(place)
    }

    /// Puts a node to a step.
    fn judge(&mut self, place: usize, event: Event<'_>) -> Result<(), String> {
        let is_node = matches!(
            event,
            Event::Document | Event::Mapping(_) | Event::Sequence(_) | Event::Scalar(..) | Event::Alias
        );
        let Some((step, state)) = self.steps.get_mut(place).filter(|_| is_node) else { return Ok(()) };
        let key = |keys: &mut dyn FnMut(&str) -> bool| match event {
            Event::Scalar(_, text) => Ok(keys(text)),
            _ => Err("a key that is no text".to_owned()),
        };
        let is_value = state.counter % 2 == 1;
        match (state.node, *step) {
            (Node::None, Step::Anchor(name)) => state.valid = event.anchor() == Some(name),
            (Node::None, _) => {}
            (Node::Mapping, Step::Key(_) | Step::Keys(_)) if is_value => {
                state.valid = state.next_valid;
                state.next_valid = false;
            }
            (Node::Mapping, Step::Key(name)) => {
                state.next_valid = key(&mut |text| text == name)?;
                state.valid = false;
            }
            (Node::Mapping, Step::Keys(names)) => {
                state.next_valid =
                    names.is_empty() || key(&mut |text| names.iter().any(|name| name == text))?;
                state.valid = state.next_valid;
            }
            (Node::Sequence, Step::Index(index)) => state.valid = *index == state.counter,
            (Node::Sequence, Step::Indices(indices)) => {
                state.valid = indices.is_empty() || indices.contains(&state.counter);
            }
            _ => state.valid = false,
        }
        state.counter += 1;
        Ok(())
    }

    fn enter(&mut self, node: Node) -> bool {
        let mut selected = self.takes_node();
        self.level = self.level.wrapping_add(1);
        if let Some(place) = self.current()
            && let Some((_, state)) = self.steps.get_mut(place)
        {
            (state.node, state.counter) = (node, 0);
            selected |= self.is_container(place);
        }
        selected
    }

    fn leave(&mut self) -> bool {
        let container = self.current().is_some_and(|place| self.is_container(place));
        self.level = self.level.wrapping_sub(1);
        container | self.takes_node()
    }

    /// Whether a mapping or sequence at this level is what the whole path asks for, or a part of that.
    fn takes_node(&self) -> bool {
        match self.current() {
            Some(place) => place + 1 == self.steps.len() && self.is_valid(),
            None => self.level > self.start && self.is_valid(),
        }
    }

    /// The same for a scalar; the key of a value that is asked for too.
    fn takes_leaf(&self) -> bool {
        let Some(place) = self.current() else { return self.level >= self.start && self.is_valid() };
        let is_key = self
            .steps
            .get(place)
            .is_some_and(|(_, state)| state.valid && state.node == Node::Mapping && state.counter % 2 == 1);
        (place + 1 == self.steps.len() && self.is_valid()) || (is_key && self.is_container(place))
    }

    fn is_valid(&self) -> bool {
        self.steps.iter().all(|(_, state)| state.valid)
    }

    /// Whether a step may take several nodes, so that what holds them is selected with them.
    fn is_container(&self, place: usize) -> bool {
        let several = self.steps.get(place).is_some_and(|(step, state)| {
            matches!((step, state.node), (Step::Keys(_), Node::Mapping) | (Step::Indices(_), Node::Sequence))
        });
        several && self.steps.iter().take(place).all(|(_, state)| state.valid)
    }
}

impl Event<'_> {
    fn anchor(&self) -> Option<&str> {
        match self {
            Event::Mapping(anchor) | Event::Sequence(anchor) | Event::Scalar(anchor, _) => *anchor,
            _ => None,
        }
    }
}
