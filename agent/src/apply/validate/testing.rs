//! A host whose checkers say what a test wants them to say.

use anyhow::Result;

use crate::setting::testing::Tree;
use crate::system::{Output, Run, System, Tool};

/// Every program is installed, and answers arguments and input with what a function says.
pub struct Scripted<F>(F);

impl<F> Scripted<F>
where
    F: Fn(&[&str], Option<&str>) -> Output + Send + Sync + 'static,
{
    /// The machine in a tree with these answers.
    pub fn on(tree: &Tree, answer: F) -> System {
        tree.system_with(Box::new(Scripted(answer)))
    }
}

impl<F: Fn(&[&str], Option<&str>) -> Output + Send + Sync> Run for Scripted<F> {
    fn run(&self, _: Tool, args: &[&str], input: Option<&[u8]>) -> Result<Output> {
        let input = input.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok((self.0)(args, input.as_deref()))
    }

    fn has(&self, _: Tool) -> bool {
        true
    }
}
