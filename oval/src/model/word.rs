//! The words that attributes choose from (the enumerations of OVAL's common and definitions schemas).

/// Makes an enumeration whose values are words of the standard.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The value a word stands for.
            pub(crate) fn named(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
            }

            /// The word of a value.
            #[allow(dead_code, reason = "not every enumeration is written")]
            pub fn word(self) -> &'static str {
                Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
            }

            /// Every word with its value.
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $name::$variant),)*];
        }
    };
}

words! {
    /// What a definition is about.
    Class {
        /// A vulnerability is present when true.
        Vulnerability = "vulnerability",
        /// The system complies when true.
        Compliance = "compliance",
        /// Something is installed when true.
        Inventory = "inventory",
        /// A patch is missing when true.
        Patch = "patch",
        /// Anything else.
        Miscellaneous = "miscellaneous",
    }
}

words! {
    /// How the results of several things become one.
    Operator {
        /// All are true.
        And = "AND",
        /// Exactly one is true.
        One = "ONE",
        /// At least one is true.
        Or = "OR",
        /// An odd number is true.
        Xor = "XOR",
    }
}

words! {
    /// How many of several things must be true.
    Check {
        /// All of them.
        All = "all",
        /// At least one.
        AtLeastOne = "at least one",
        /// None; the old word.
        NoneExist = "none exist",
        /// None.
        NoneSatisfy = "none satisfy",
        /// Exactly one.
        OnlyOne = "only one",
    }
}

words! {
    /// How many of several things must exist.
    Existence {
        /// At least one, and no error.
        AllExist = "all_exist",
        /// It does not matter.
        AnyExist = "any_exist",
        /// At least one.
        AtLeastOneExists = "at_least_one_exists",
        /// None.
        NoneExist = "none_exist",
        /// Exactly one.
        OnlyOneExists = "only_one_exists",
    }
}

words! {
    /// How a value is compared with the wanted one.
    Operation {
        /// The same.
        Equals = "equals",
        /// Another.
        NotEqual = "not equal",
        /// The same but for case.
        CaseInsensitiveEquals = "case insensitive equals",
        /// Another, even but for case.
        CaseInsensitiveNotEqual = "case insensitive not equal",
        /// More than the wanted value.
        GreaterThan = "greater than",
        /// Less than the wanted value.
        LessThan = "less than",
        /// The wanted value or more.
        GreaterThanOrEqual = "greater than or equal",
        /// The wanted value or less.
        LessThanOrEqual = "less than or equal",
        /// Every bit of the wanted value is set.
        BitwiseAnd = "bitwise and",
        /// No bit but those of the wanted value is set.
        BitwiseOr = "bitwise or",
        /// A regular expression (PCRE) finds something.
        PatternMatch = "pattern match",
        /// Within the wanted network or set.
        SubsetOf = "subset of",
        /// Contains the wanted network or set.
        SupersetOf = "superset of",
    }
}

words! {
    /// How a value is to be understood.
    Datatype {
        /// Characters.
        String = "string",
        /// A whole number.
        Int = "int",
        /// True or false.
        Boolean = "boolean",
        /// A number.
        Float = "float",
        /// Bytes in hexadecimal.
        Binary = "binary",
        /// Numbers between separators.
        Version = "version",
        /// An rpm version: epoch, version, release.
        EvrString = "evr_string",
        /// A Debian version.
        DebianEvrString = "debian_evr_string",
        /// An AIX fileset revision: not supported.
        FilesetRevision = "fileset_revision",
        /// A Cisco version: not supported.
        IosVersion = "ios_version",
        /// An IPv4 address or network.
        Ipv4Address = "ipv4_address",
        /// An IPv6 address or network.
        Ipv6Address = "ipv6_address",
        /// Named fields.
        Record = "record",
    }
}

words! {
    /// How two sets become one.
    SetOperator {
        /// What is in the first and not in the second.
        Complement = "COMPLEMENT",
        /// What is in both.
        Intersection = "INTERSECTION",
        /// What is in either.
        Union = "UNION",
    }
}

words! {
    /// What a filter does with the items its state holds for.
    FilterAction {
        /// Leaves them out.
        Exclude = "exclude",
        /// Keeps only them.
        Include = "include",
    }
}
