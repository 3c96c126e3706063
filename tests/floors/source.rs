//! One file of the crate as tokens, and which modules of the crate it names.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module at the top of the crate, or another name at its root, that a file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use(pub(crate) String);

/// One file.
pub(crate) struct Source {
    /// The module that the file is, from the root of the crate.
    place: Vec<String>,
    tokens: TokenStream,
}

impl Source {
    /// The file at `path` below `src`, which holds `text`.
    pub(crate) fn read(path: &Path, text: &str) -> Self {
        let mut place: Vec<String> =
            path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if place.len() > 1 && place.last().is_some_and(|last| last == "mod") {
            place.pop();
        }
        let tokens = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { place, tokens }
    }

    /// The module at the top of the crate that it belongs to.
    pub(crate) fn module(&self) -> &str {
        &self.place[0]
    }

    /// What it names at the root of the crate.
    pub(crate) fn uses(&self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        // The root itself, in lib.rs and main.rs, has no name in paths.
        let place = if ["lib", "main"].contains(&self.module()) { &[] } else { &self.place[..] };
        walk(self.tokens.clone(), place, &mut uses);
        uses
    }

    /// Whether its tokens, with one space between any two, hold `wanted` from one token's beginning to another's end.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        let mut flat = String::from(" ");
        flatten(self.tokens.clone(), &mut flat);
        flat.contains(&format!(" {wanted} "))
    }
}

/// Notes what `tokens`, which stand in the module `place`, name at the root of the crate.
fn walk(tokens: TokenStream, place: &[String], uses: &mut BTreeSet<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(depth) = begins_path(&tokens[at..], place.len()) {
            let mut here = &place[..depth];
            let mut next = at + 3;
            while is_word(tokens.get(next), "super") && follows(&tokens, next + 1) {
                here = &here[..here.len().saturating_sub(1)];
                next += 3;
            }
            if here.is_empty() {
                names(tokens.get(next), uses);
            }
        }
        if let TokenTree::Group(group) = &tokens[at] {
            let inner = match at.checked_sub(2).map(|before| &tokens[before..at]) {
                Some([keyword, TokenTree::Ident(name)]) if is_word(Some(keyword), "mod") => {
                    [place, &[name.to_string()]].concat()
                }
                _ => place.to_vec(),
            };
            walk(group.stream(), &inner, uses);
        }
        at += 1;
    }
}

/// If a path of this crate begins with the first of `tokens`, which stand `depth` modules below the root: how many
/// modules below it the path begins.
fn begins_path(tokens: &[TokenTree], depth: usize) -> Option<usize> {
    if !follows(tokens, 1) {
        return None;
    }
    match tokens.first()?.to_string().as_str() {
        "crate" | "switchboard" => Some(0),
        "super" => depth.checked_sub(1),
        _ => None,
    }
}

/// Whether `::` stands at `at`.
fn follows(tokens: &[TokenTree], at: usize) -> bool {
    let colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(tokens.get(at)) && colon(tokens.get(at + 1))
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

/// Notes what stands behind `crate::`: a name, or several in braces.
fn names(token: Option<&TokenTree>, uses: &mut BTreeSet<Use>) {
    match token {
        Some(TokenTree::Ident(name)) => {
            uses.insert(Use(name.to_string()));
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let mut first = true;
            for token in group.stream() {
                if first {
                    names(Some(&token), uses);
                }
                first = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
            }
        }
        _ => {}
    }
}

fn flatten(tokens: TokenStream, flat: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flatten(group.stream(), flat),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                // The two halves of `::` are one token to a reader.
                if flat.ends_with(" : ") {
                    flat.truncate(flat.len() - 2);
                    flat.push_str(":: ");
                } else {
                    flat.push_str(": ");
                }
            }
            other => {
                flat.push_str(&other.to_string());
                flat.push(' ');
            }
        }
    }
}
