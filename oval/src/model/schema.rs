//! Versions of OVAL's schemas: what items have depends on the version that the content was written for.

/// A version of a schema, `major.minor.update`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Schema([u32; 3]);

impl Schema {
    /// What oscap 1.3.7 takes content for that does not say.
    pub const UNSAID: Schema = Schema::new(5, 11, 1);

    pub const fn new(major: u32, minor: u32, update: u32) -> Schema {
        Schema([major, minor, update])
    }

    /// The version a text says; what is no number is 0.
    pub fn read(text: &str) -> Schema {
        let mut numbers = text.trim().split(['.', ':']).map(|number| number.parse().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        Schema([next(), next(), next()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let read = |text| Schema::read(text);
        assert!(
            read("5.9") < read("5.10") && read("5.11") < read("5.11.1") && read(" 5.11.2\n") > read("5.11.1")
        );
        assert_eq!((read("5.11"), read("5.11.1")), (Schema::new(5, 11, 0), Schema::UNSAID));
        assert!(read("x") < read("5.3"));
    }
}
