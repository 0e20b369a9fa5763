//! What every value is, and whether it may be that.

use super::Layer;
use crate::benchmark::Benchmark;
use crate::error::{Error, Errors, Position};
use crate::index::{Index, Lost};
use crate::policy::{Binding, BoundValue, Remark};
use crate::value::{Content, Keyed, Operator, Value, ValueType, decimal};
use regex_lite::Regex;

/// What the profiles say of a value.
#[derive(Default)]
struct Wish<'a> {
    /// The selector asked for, which also picks the bounds.
    selector: Option<Said<'a, &'a str>>,
    /// The content set outright.
    set: Option<Said<'a, &'a Content>>,
    operator: Option<Operator>,
    /// Where the last refinement is from.
    refined: Option<Layer<'a>>,
    remarks: Vec<Remark>,
}

/// Something that a profile says, and where.
struct Said<'a, T> {
    what: T,
    layer: Layer<'a>,
    position: Position,
}

pub(super) fn bind(
    benchmark: &Benchmark,
    index: &Index<'_>,
    layers: &[Layer<'_>],
    errors: &mut Errors,
) -> Vec<BoundValue> {
    let mut wishes: Vec<Wish<'_>> = index.values.iter().map(|_| Wish::default()).collect();
    for layer in layers {
        refine(index, &mut wishes, layer, errors);
        set(index, &mut wishes, layer, errors);
    }
    exports(benchmark, index, errors);
    let bound = index.values.iter().zip(wishes).map(|(value, wish)| {
        let (source, position, element) = match (&wish.set, &wish.selector) {
            (Some(set), _) => (set.layer.source, set.position, "set-value"),
            (None, Some(selector)) => (selector.layer.source, selector.position, "refine-value"),
            (None, None) => (benchmark.source.as_str(), value.head.position, "Value"),
        };
        settle(value, wish).map_err(|Lost { message, remedy }| {
            let message = format!("value {:?} {message}", crate::id::short_id(&value.head.id));
            Error::new(source, message).at(position).about(element).remedy(remedy)
        })
    });
    let mut values = Vec::new();
    for outcome in bound {
        match outcome {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    values
}

fn refine<'a>(index: &Index<'_>, wishes: &mut [Wish<'a>], layer: &Layer<'a>, errors: &mut Errors) {
    for refine in &layer.profile.refine_values {
        match index.value(&refine.idref) {
            Err(lost) => errors.push(layer.error("refine-value", refine.position, lost)),
            Ok(n) => {
                let Some(wish) = wishes.get_mut(n) else { continue };
                wish.remarks.extend(layer.remarks(&refine.remarks, refine.position));
                if !wish.refined.is_some_and(|earlier| layer.adds_to(&earlier)) {
                    (wish.selector, wish.operator) = (None, None);
                }
                wish.refined = Some(*layer);
                wish.operator = refine.operator.or(wish.operator);
                if let Some(selector) = &refine.selector {
                    wish.selector = Some(Said { what: selector, layer: *layer, position: refine.position });
                    wish.set = wish.set.take().filter(|set| !layer.adds_to(&set.layer));
                }
            }
        }
    }
}

fn set<'a>(index: &Index<'_>, wishes: &mut [Wish<'a>], layer: &Layer<'a>, errors: &mut Errors) {
    for set in &layer.profile.set_values {
        match index.value(&set.idref) {
            Err(lost) => errors.push(layer.error("set-value", set.position, lost)),
            Ok(n) => {
                let Some(wish) = wishes.get_mut(n) else { continue };
                wish.set = Some(Said { what: &set.content, layer: *layer, position: set.position });
            }
        }
    }
}

/// Every value that a rule hands to its check must exist.
fn exports(benchmark: &Benchmark, index: &Index<'_>, errors: &mut Errors) {
    for rule in benchmark.rules() {
        for export in rule.all_checks().into_iter().flat_map(|check| &check.exports) {
            if let Err(Lost { message, remedy }) = index.value(&export.value_id) {
                let error = Error::new(&benchmark.source, message).at(rule.head.position);
                errors.push(error.about("check-export").remedy(remedy));
            }
        }
    }
}

/// Settles what a value is. Only what is set is held against what the value may be: the rest is the benchmark's own, which no user can mend.
fn settle(value: &Value, wish: Wish<'_>) -> Result<BoundValue, Lost> {
    let selector = wish.selector.as_ref().map_or("", |selector| selector.what);
    let (content, binding) = match (&wish.set, &wish.selector) {
        (Some(set), _) => {
            permitted(value, selector, set.what)?;
            (set.what, Binding::Set(set.layer.origin(set.position)))
        }
        (None, Some(said)) => {
            let origin = said.layer.origin(said.position);
            (picked(value, selector)?, Binding::Selector { selector: selector.to_owned(), origin })
        }
        (None, None) => (picked(value, selector)?, Binding::Default),
    };
    Ok(BoundValue {
        id: value.head.id.clone(),
        content: content.clone(),
        binding,
        remarks: wish.remarks,
        value_type: value.value_type.unwrap_or(ValueType::String),
        operator: wish.operator.or(value.operator).unwrap_or(Operator::Equals),
    })
}

/// What a value is for a selector.
fn picked<'a>(value: &'a Value, selector: &str) -> Result<&'a Content, Lost> {
    value
        .instance(selector)
        .ok_or_else(|| Lost { message: format!("has no selector {selector:?}"), remedy: selectors(value) })
}

fn selectors(value: &Value) -> String {
    let known: Vec<&str> = value.selectors().collect();
    if known.is_empty() {
        "it has no selectors; use set-value".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    }
}

/// Whether a value may be this: of its type, within its bounds, among its choices.
fn permitted(value: &Value, selector: &str, content: &Content) -> Result<(), Lost> {
    let texts = match content {
        Content::One(text) => std::slice::from_ref(text),
        Content::List(items) => items,
    };
    for text in texts {
        of_type(value.value_type.unwrap_or(ValueType::String), text)?;
        if let Some(number) = decimal(text) {
            within(value, selector, number)?;
        }
        matching(value, selector, text)?;
    }
    chosen(value, selector, content)
}

/// What holds for a selector, else what holds without.
fn held<'a, T>(list: &'a [Keyed<T>], selector: &str) -> Option<&'a T> {
    let exact = list.iter().find(|keyed| keyed.selector == selector);
    let found = exact.or_else(|| list.iter().find(|keyed| keyed.selector.is_empty()))?;
    Some(&found.content)
}

fn of_type(value_type: ValueType, text: &str) -> Result<(), Lost> {
    let (fits, expected) = match value_type {
        ValueType::String => (true, ""),
        ValueType::Number => (decimal(text).is_some(), "a number, such as 15 or 0.5"),
        ValueType::Boolean => (matches!(text.trim(), "true" | "false" | "1" | "0"), "true or false"),
    };
    if fits { Ok(()) } else { Err(unfit(text, format!("expected {expected}"))) }
}

fn within(value: &Value, selector: &str, number: f64) -> Result<(), Lost> {
    if value.value_type != Some(ValueType::Number) {
        return Ok(());
    }
    if let Some(least) = held(&value.lower_bounds, selector).filter(|least| number < **least) {
        return Err(unfit(&number.to_string(), format!("expected {least} or more")));
    }
    if let Some(most) = held(&value.upper_bounds, selector).filter(|most| number > **most) {
        return Err(unfit(&number.to_string(), format!("expected {most} or less")));
    }
    Ok(())
}

fn matching(value: &Value, selector: &str, text: &str) -> Result<(), Lost> {
    let Some(pattern) = held(&value.matches, selector) else { return Ok(()) };
    match Regex::new(pattern) {
        Ok(regex) if !regex.is_match(text) => Err(unfit(text, format!("expected a match of {pattern}"))),
        // Patterns may say more than this engine understands (XML Schema's `\i`, look-ahead); such a one holds nobody to anything.
        _ => Ok(()),
    }
}

fn chosen(value: &Value, selector: &str, content: &Content) -> Result<(), Lost> {
    let exact = value.choices.iter().find(|choices| choices.selector == selector);
    let choices = exact.or_else(|| value.choices.iter().find(|c| c.selector.is_empty()));
    let Some(choices) = choices.filter(|choices| choices.must_match == Some(true)) else {
        return Ok(());
    };
    let number = |content: &Content| match content {
        Content::One(text) if value.value_type == Some(ValueType::Number) => decimal(text),
        _ => None,
    };
    let same =
        |choice: &Content| choice == content || number(choice).is_some_and(|n| number(content) == Some(n));
    if choices.choices.iter().any(same) {
        return Ok(());
    }
    let known: Vec<String> = choices.choices.iter().map(ToString::to_string).collect();
    Err(unfit(&content.to_string(), format!("expected one of: {}", known.join(", "))))
}

fn unfit(text: &str, remedy: String) -> Lost {
    Lost { message: format!("cannot be {text:?}"), remedy }
}
