//! Variables, and the functions that local ones are computed by.

use super::word::Datatype;
use super::{Read, flag, required, text, word};
use xccdf::Element;

/// A variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Variable {
    /// Its values are written there.
    Constant {
        /// How they are understood.
        datatype: Datatype,
        /// They.
        values: Vec<String>,
    },
    /// Its values come from outside.
    External {
        /// How they are understood.
        datatype: Datatype,
    },
    /// Its values are computed.
    Local {
        /// How they are understood.
        datatype: Datatype,
        /// How.
        component: Component,
    },
}

/// Something that computes to values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Component {
    /// One value, written there.
    Literal(Datatype, String),
    /// A field of every item of an object.
    Object {
        /// The object's id.
        id: String,
        /// The entity of its items.
        field: String,
        /// The field of a record.
        record_field: Option<String>,
    },
    /// Another variable, by id.
    Variable(String),
    /// A function of other components.
    Function(Function, Vec<Component>),
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Function {
    /// Adds or multiplies.
    Arithmetic(Arithmetic),
    /// Puts a text before those that do not start with it.
    Begin(String),
    /// Puts a text behind those that do not end with it.
    End(String),
    /// Joins.
    Concat,
    /// Counts.
    Count,
    /// Quotes what means something in a regular expression.
    EscapeRegex,
    /// Makes a shell pattern a regular expression; true: a backslash means itself.
    GlobToRegex(bool),
    /// What the first group of a regular expression captures.
    RegexCapture(String),
    /// Parts between a delimiter.
    Split(String),
    /// A part by start, from 1, and length, -1 for the rest.
    Substring(i64, i64),
    /// Seconds between two times.
    TimeDifference(TimeFormat, TimeFormat),
    /// Every value once.
    Unique,
}

/// What arithmetic does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// Adds.
    Add,
    /// Multiplies.
    Multiply,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Year, month, day.
    YearMonthDay,
    /// Month, day, year.
    MonthDayYear,
    /// Day, month, year.
    DayMonthYear,
    /// A Windows file time: not understood, as in oscap.
    WinFiletime,
    /// Seconds since 1970.
    SecondsSinceEpoch,
    /// A CIM datetime.
    CimDatetime,
}

impl TimeFormat {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "year_month_day" => TimeFormat::YearMonthDay,
            "month_day_year" => TimeFormat::MonthDayYear,
            "day_month_year" => TimeFormat::DayMonthYear,
            "win_filetime" => TimeFormat::WinFiletime,
            "seconds_since_epoch" => TimeFormat::SecondsSinceEpoch,
            "cim_datetime" => TimeFormat::CimDatetime,
            _ => return None,
        })
    }
}

impl Variable {
    pub fn read(element: &Element) -> Read<Self> {
        let datatype = word(element, "datatype", Datatype::named, Datatype::String)?;
        match element.name.as_str() {
            "constant_variable" => {
                let values = element.elements().filter(|child| child.name == "value").map(text).collect();
                Ok(Variable::Constant { datatype, values })
            }
            "external_variable" => Ok(Variable::External { datatype }),
            "local_variable" => {
                let component = element.elements().find(|child| child.name != "notes");
                let component = component.ok_or("a local variable without a component")?;
                Ok(Variable::Local { datatype, component: Component::read(component)? })
            }
            other => Err(format!("<{other}> is no variable")),
        }
    }
}

impl Component {
    fn read(element: &Element) -> Read<Self> {
        match element.name.as_str() {
            "literal_component" => Ok(Component::Literal(
                word(element, "datatype", Datatype::named, Datatype::String)?,
                text(element),
            )),
            "object_component" => Ok(Component::Object {
                id: required(element, "object_ref")?,
                field: required(element, "item_field")?,
                record_field: element.attribute("record_field").map(str::to_owned),
            }),
            "variable_component" => Ok(Component::Variable(required(element, "var_ref")?)),
            _ => {
                let function = Function::read(element)?;
                Ok(Component::Function(
                    function,
                    element.elements().map(Component::read).collect::<Read<_>>()?,
                ))
            }
        }
    }
}

impl Function {
    fn read(element: &Element) -> Read<Self> {
        let characters = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        let number = |name: &str| {
            let value = required(element, name)?;
            value.parse::<i64>().map_err(|_| format!("<{}>: {name}={value:?} is no number", element.name))
        };
        let format = |name| word(element, name, TimeFormat::named, TimeFormat::YearMonthDay);
        Ok(match element.name.as_str() {
            "arithmetic" => Function::Arithmetic(match required(element, "arithmetic_operation")?.as_str() {
                "add" => Arithmetic::Add,
                "multiply" => Arithmetic::Multiply,
                other => return Err(format!("arithmetic_operation={other:?}, expected add or multiply")),
            }),
            "begin" => Function::Begin(characters("character")),
            "end" => Function::End(characters("character")),
            "concat" => Function::Concat,
            "count" => Function::Count,
            "escape_regex" => Function::EscapeRegex,
            "glob_to_regex" => Function::GlobToRegex(flag(element, "glob_noescape")?),
            "regex_capture" => Function::RegexCapture(characters("pattern")),
            "split" => Function::Split(characters("delimiter")),
            "substring" => Function::Substring(number("substring_start")?, number("substring_length")?),
            "time_difference" => Function::TimeDifference(format("format_1")?, format("format_2")?),
            "unique" => Function::Unique,
            other => return Err(format!("<{other}>: OpenSCAP 1.3.7 knows no such function, nor do we")),
        })
    }
}
