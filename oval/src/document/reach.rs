//! What a definition leads to: which values from outside its result can depend on.

use super::Document;
use crate::model::Variable;
use std::collections::{BTreeSet, HashSet};

impl Document<'_> {
    /// Whether there is a variable of this id that takes its values from outside.
    pub fn has_external_variable(&self, id: &str) -> bool {
        matches!(self.variable(id), Ok(Variable::External { .. }))
    }

    /// The external variables that the result of a definition can depend on: through definitions it extends, tests, objects, states and
    /// other variables. None for a definition that is not there.
    pub fn external_variables(&self, definition: &str) -> BTreeSet<&str> {
        let mut open: Vec<&str> = self.own_id(definition).into_iter().collect();
        let (mut seen, mut found) = (HashSet::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(text) = self.text_of(id) else { continue };
            if text.contains(EXTERNAL) && self.has_external_variable(id) {
                found.insert(id);
            }
            open.extend(self.ids_in(text));
        }
        found
    }
}

/// What the text of an external variable begins with, after the prefix of its namespace.
const EXTERNAL: &str = "external_variable";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_variables_are_found_wherever_a_definition_leads() {
        let test = |id: &str| {
            format!(
                "<x_test id='oval:x:tst:{id}'><object object_ref='oval:x:obj:1'/><state state_ref='oval:x:ste:{id}'/></x_test>"
            )
        };
        let definition = |id: &str, criteria: &str| {
            format!(
                "<definition id='oval:x:def:{id}' version='1' class='compliance'><criteria>{criteria}</criteria></definition>"
            )
        };
        let text = format!(
            "<oval_definitions xmlns='{}'><definitions>{}{}{}</definitions><tests>{}{}</tests><objects><x_object id='oval:x:obj:1'/></objects>
             <states><x_state id='oval:x:ste:1'><value var_ref='oval:x:var:1'/></x_state><x_state id='oval:x:ste:2'/></states>
             <variables><local_variable id='oval:x:var:1' version='1' datatype='string'><concat>
             <variable_component var_ref='oval:x:var:2'/><variable_component var_ref='oval:x:var:3'/></concat></local_variable>
             <external_variable id='oval:x:var:2' version='1' datatype='string'/><constant_variable id='oval:x:var:3' version='1'
             datatype='string'><value>x</value></constant_variable></variables></oval_definitions>",
            super::super::NAMESPACE,
            definition("1", "<criterion test_ref='oval:x:tst:1'/>"),
            definition("2", "<extend_definition definition_ref='oval:x:def:1'/>"),
            definition("3", "<criterion test_ref='oval:x:tst:2'/>"),
            test("1"),
            test("2"),
        );
        let document = Document::parse(text, "x.xml").unwrap();
        for (id, expected) in [("1", &["oval:x:var:2"][..]), ("2", &["oval:x:var:2"]), ("3", &[]), ("9", &[])]
        {
            let found: Vec<&str> =
                document.external_variables(&format!("oval:x:def:{id}")).into_iter().collect();
            assert_eq!(found, expected, "{id}");
        }
        let external = ["1", "2", "3"].map(|id| document.has_external_variable(&format!("oval:x:var:{id}")));
        assert_eq!(external, [false, true, false]);
    }
}
