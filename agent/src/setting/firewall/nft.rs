//! The language of nftables (`nft(8)`), as far as tables, chains and the words of their rules go.
//!
//! `nft list ruleset` prints the same language that the files are written in, so one reader serves for both. Sets, maps and
//! what else a table may hold are skipped. Statements end at a line end or `;` outside of braces.

use std::iter::Peekable;
use std::vec::IntoIter;

use anyhow::{Result, bail};

/// A chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The address family of its table: `inet`, `ip`, `ip6` …
    pub family: String,
    /// The name of its table.
    pub table: String,
    /// Its own name.
    pub name: String,
    /// Where packets meet it; empty unless it is a base chain.
    pub hook: String,
    /// What becomes of packets no rule decides about.
    pub policy: String,
    /// Its rules, words parted by single blanks, without quotation marks.
    pub rules: Vec<String>,
}

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// The tables, as family and name.
    pub tables: Vec<(String, String)>,
    /// Their chains.
    pub chains: Vec<Chain>,
    /// The patterns of the files it includes, in order.
    pub includes: Vec<String>,
}

/// A word, a brace or the end of a statement, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

type Tokens = Peekable<IntoIter<(Token, usize)>>;

/// Reads a text.
///
/// # Errors
/// When a brace or a quotation mark is not closed; names the line.
pub fn parse(text: &str) -> Result<Ruleset> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let mut ruleset = Ruleset::default();
    while tokens.peek().is_some() {
        let words = statement(&mut tokens)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let words = words.strip_prefix(&["add"]).or(words.strip_prefix(&["create"])).unwrap_or(&words);
        match words {
            ["flush", "ruleset"] => (ruleset.tables, ruleset.chains) = (Vec::new(), Vec::new()),
            ["include", pattern] => ruleset.includes.push((*pattern).to_owned()),
            ["table", rest @ ..] => {
                let (family, name) = table_name(rest);
                ruleset.table(&family, &name);
                if tokens.next_if(|(token, _)| *token == Token::Open).is_some() {
                    ruleset.body(&mut tokens, &family, &name)?;
                }
            }
            ["delete", "table", rest @ ..] => ruleset.delete(&table_name(rest)),
            ["chain", family, table, name] => {
                let mut chain = chain(family, table, name);
                if tokens.next_if(|(token, _)| *token == Token::Open).is_some() {
                    fill(&mut chain, &mut tokens)?;
                }
                ruleset.chains.push(chain);
            }
            ["rule", family, table, name, rule @ ..] => ruleset.rule(family, table, name, &rule.join(" ")),
            _ => skip_block(&mut tokens)?,
        }
    }
    Ok(ruleset)
}

impl Ruleset {
    fn table(&mut self, family: &str, name: &str) {
        let table = (family.to_owned(), name.to_owned());
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }

    fn delete(&mut self, table: &(String, String)) {
        self.tables.retain(|other| other != table);
        self.chains.retain(|chain| chain.family != table.0 || chain.table != table.1);
    }

    fn rule(&mut self, family: &str, table: &str, name: &str, rule: &str) {
        let ours = |chain: &&mut Chain| chain.family == family && chain.table == table && chain.name == name;
        if let Some(chain) = self.chains.iter_mut().find(ours) {
            chain.rules.push(rule.to_owned());
        }
    }

    /// The inside of a table, up to its closing brace.
    fn body(&mut self, tokens: &mut Tokens, family: &str, table: &str) -> Result<()> {
        loop {
            if tokens.next_if(|(token, _)| *token == Token::Close).is_some() {
                return Ok(());
            }
            if tokens.peek().is_none() {
                bail!("the table {family} {table} is not closed");
            }
            let words = statement(tokens)?;
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["chain", name] => {
                    let mut chain = chain(family, table, name);
                    if tokens.next_if(|(token, _)| *token == Token::Open).is_some() {
                        fill(&mut chain, tokens)?;
                    }
                    self.chains.push(chain);
                }
                _ => skip_block(tokens)?,
            }
        }
    }

    /// The base chains that meet packets at a hook.
    pub fn at<'a>(&'a self, hook: &'a str) -> impl Iterator<Item = &'a Chain> {
        let filters = ["inet", "ip", "ip6"];
        self.chains.iter().filter(move |chain| chain.hook == hook && filters.contains(&chain.family.as_str()))
    }

    /// Adds what another text says, read after this one.
    pub fn extend(&mut self, other: Ruleset) {
        for (family, name) in &other.tables {
            self.table(family, name);
        }
        self.chains.extend(other.chains);
    }
}

fn chain(family: &str, table: &str, name: &str) -> Chain {
    let [family, table, name] = [family, table, name].map(str::to_owned);
    Chain { family, table, name, policy: "accept".to_owned(), ..Chain::default() }
}

/// Family and name of a table; without a family it is `ip`.
fn table_name(words: &[&str]) -> (String, String) {
    match words {
        [family, name] => ((*family).to_owned(), (*name).to_owned()),
        [name] => ("ip".to_owned(), (*name).to_owned()),
        _ => (String::new(), words.join(" ")),
    }
}

/// The inside of a chain, up to its closing brace.
fn fill(chain: &mut Chain, tokens: &mut Tokens) -> Result<()> {
    let mut words: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for (token, _) in tokens.by_ref() {
        match token {
            Token::Word(word) => words.push(word),
            Token::Open => {
                depth += 1;
                words.push("{".to_owned());
            }
            Token::Close if depth > 0 => {
                depth -= 1;
                words.push("}".to_owned());
            }
            Token::End if depth > 0 => {}
            Token::End | Token::Close => {
                take(chain, &words);
                words.clear();
                if token == Token::Close {
                    return Ok(());
                }
            }
        }
    }
    bail!("the chain {} is not closed", chain.name)
}

/// One statement of a chain.
fn take(chain: &mut Chain, words: &[String]) {
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    match plain[..] {
        [] => {}
        ["type", _, "hook", hook, ..] => hook.clone_into(&mut chain.hook),
        ["policy", policy] => policy.clone_into(&mut chain.policy),
        _ => chain.rules.push(plain.join(" ")),
    }
}

/// The words up to the end of a statement or a brace, which stays.
fn statement(tokens: &mut Tokens) -> Result<Vec<String>> {
    let mut words = Vec::new();
    while let Some((token, line)) = tokens.peek() {
        match token {
            Token::Word(word) => words.push(word.clone()),
            Token::End => {
                tokens.next();
                return Ok(words);
            }
            Token::Close if words.is_empty() => bail!("line {line}: a closing brace without an opening one"),
            Token::Open | Token::Close => return Ok(words),
        }
        tokens.next();
    }
    Ok(words)
}

/// Skips a block in braces, when one is next.
fn skip_block(tokens: &mut Tokens) -> Result<()> {
    let Some((_, line)) = tokens.next_if(|(token, _)| *token == Token::Open) else { return Ok(()) };
    let mut depth = 1_usize;
    for (token, _) in tokens.by_ref() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            Token::Word(_) | Token::End => {}
        }
        if depth == 0 {
            return Ok(());
        }
    }
    bail!("line {line}: the brace is not closed")
}

fn tokens(text: &str) -> Result<Vec<(Token, usize)>> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let mut rest = line.trim();
        let mut joined = false;
        while let Some(first) = rest.chars().next() {
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            rest = match first {
                '#' => "",
                '\\' if after.trim().is_empty() => {
                    joined = true;
                    ""
                }
                '{' | '}' | ';' => {
                    let token = if first == '{' { Token::Open } else { Token::Close };
                    found.push((if first == ';' { Token::End } else { token }, number));
                    after
                }
                '"' => {
                    let Some((inner, after)) = after.split_once('"') else {
                        bail!("line {number}: the quotation mark is not closed");
                    };
                    found.push((Token::Word(inner.to_owned()), number));
                    after
                }
                _ => {
                    let ends = |c: char| c.is_whitespace() || "{};\"#".contains(c);
                    let end = rest.find(ends).filter(|end| *end > 0).unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    found.push((Token::Word(word.to_owned()), number));
                    after
                }
            };
            rest = rest.trim_start();
        }
        if !joined {
            found.push((Token::End, number));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "#!/usr/sbin/nft -f\nflush ruleset\ninclude \"/etc/nftables.d/*.nft\"\n\
        define ports = { 80, 443 }\n\
        table inet filter {\n  set admins {\n    type ipv4_addr\n    elements = { 10.0.0.1 }\n  }\n\
        chain input {\n    type filter hook input priority filter; policy drop;\n\
        iif \"lo\" accept # own\n    tcp dport { 22,\n 80 } accept\n    jump own\n  }\n  chain own { }\n}\n";

    #[test]
    fn tables_chains_and_rules_are_found() {
        let ruleset = parse(FILE).unwrap();
        assert_eq!(ruleset.tables, [("inet".to_owned(), "filter".to_owned())]);
        assert_eq!(ruleset.includes, ["/etc/nftables.d/*.nft"]);
        let input = ruleset.at("input").next().unwrap();
        assert_eq!((input.name.as_str(), input.policy.as_str()), ("input", "drop"));
        assert_eq!(input.rules, ["iif lo accept", "tcp dport { 22, 80 } accept", "jump own"]);
        assert_eq!(ruleset.chains.len(), 2);
    }

    #[test]
    fn flat_commands_say_the_same_and_flushing_starts_anew() {
        let text = "table ip old\nflush ruleset\nadd table inet f\nadd chain inet f i { type filter hook input \
            priority 0; }\nadd rule inet f i iif lo accept\n";
        let ruleset = parse(text).unwrap();
        assert_eq!(ruleset.tables, [("inet".to_owned(), "f".to_owned())]);
        let chain = ruleset.at("input").next().unwrap();
        assert_eq!((chain.policy.as_str(), &chain.rules[..]), ("accept", &["iif lo accept".to_owned()][..]));
    }

    #[test]
    fn deleting_a_table_takes_its_chains_away() {
        let text = "table inet a { chain i { type filter hook input priority 0; } }\ndelete table inet a\n";
        assert_eq!(parse(text).unwrap(), Ruleset::default());
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        for text in ["table inet f {\n", "table inet f { chain a {\n}\n", "include \"x\n", "}\n", "set {\n"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_read(text: String) {
            drop(parse(&text));
        }

        #[test]
        fn any_words_can_be_read(text in "(table|chain|inet|\\{|\\}|;|\n|add|include|\"| |x){0,40}") {
            drop(parse(&text));
        }
    }
}
