//! Whether a text can be the beginning of something a pattern matches: what tells a search which directories to enter.
//!
//! PCRE can tell that, but the crate `pcre2` does not hand it on. This is the only place that calls the library itself.

#![allow(unsafe_code, reason = "a C library: nothing but these calls gives partial matches")]

use pcre2_sys::{
    PCRE2_ERROR_NOMATCH, PCRE2_ERROR_PARTIAL, PCRE2_PARTIAL_SOFT, pcre2_code_8, pcre2_code_free_8,
    pcre2_compile_8, pcre2_match_8, pcre2_match_data_8, pcre2_match_data_create_8, pcre2_match_data_free_8,
};
use std::ptr::{NonNull, null_mut};

/// What a pattern makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It matches.
    Match,
    /// It does not, but may match something that starts with the text.
    Beginning,
    /// Neither.
    None,
}

/// A pattern compiled for this question. Texts are bytes to it, as for oscap.
pub(crate) struct Partial {
    code: NonNull<pcre2_code_8>,
    data: NonNull<pcre2_match_data_8>,
}

impl Partial {
    /// `None` when the pattern is none.
    pub fn compile(pattern: &str) -> Option<Partial> {
        let (mut error, mut offset) = (0, 0);
        // SAFETY: pattern and length belong together, the out parameters are ours, and no context is given.
        let code = unsafe {
            pcre2_compile_8(pattern.as_ptr(), pattern.len(), 0, &mut error, &mut offset, null_mut())
        };
        let code = NonNull::new(code)?;
        // SAFETY: room for one pair of offsets; no context is given.
        let data = NonNull::new(unsafe { pcre2_match_data_create_8(1, null_mut()) });
        let Some(data) = data else {
            // SAFETY: just made, and not used afterwards.
            unsafe { pcre2_code_free_8(code.as_ptr()) };
            return None;
        };
        Some(Partial { code, data })
    }

    /// What the pattern makes of a text; searches that PCRE gives up reach nothing.
    pub fn reach(&self, text: &[u8]) -> Reach {
        // SAFETY: both pointers live as long as `self`, text and length belong together, and PCRE keeps none of them. `Partial` is
        // neither `Send` nor `Sync`, so nobody else uses the match data.
        let found = unsafe {
            pcre2_match_8(
                self.code.as_ptr(),
                text.as_ptr(),
                text.len(),
                0,
                PCRE2_PARTIAL_SOFT,
                self.data.as_ptr(),
                null_mut(),
            )
        };
        match found {
            PCRE2_ERROR_PARTIAL => Reach::Beginning,
            PCRE2_ERROR_NOMATCH => Reach::None,
            0.. => Reach::Match,
            _ => Reach::None,
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // SAFETY: made by `compile`, freed once.
        unsafe {
            pcre2_match_data_free_8(self.data.as_ptr());
            pcre2_code_free_8(self.code.as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_from_what_leads_nowhere() {
        let partial = Partial::compile("^/home/[^/]+/\\.netrc$").unwrap();
        for (text, expected) in [
            ("/", Reach::Beginning),
            ("/home/a", Reach::Beginning),
            ("/home/a/.netrc", Reach::Match),
            ("/home/a/b", Reach::None),
            ("/etc", Reach::None),
        ] {
            assert_eq!(partial.reach(text.as_bytes()), expected, "{text}");
        }
        assert!(Partial::compile("(").is_none());
    }
}
