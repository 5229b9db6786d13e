//! Macros: names for filters that are written often, `$name(argument, …)` or `${name;argument;…}` as in Wireshark.
//!
//! A macro is text with `$1`, `$2` … in it, and is put in as text.

use std::collections::BTreeMap;

use super::refusal::{Refusal, nearest};
use crate::limits::{FILTER_BYTES, FILTER_DEPTH};

/// The macros that a filter may use, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Macros {
    table: BTreeMap<String, String>,
}

impl Macros {
    /// No macros.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a macro: its name, and its text.
    pub fn define(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.table.insert(name.into(), text.into());
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(String::as_str)
    }

    /// The text with every macro put in.
    ///
    /// # Errors
    /// Where a macro is not there, is used wrongly, or grows without end.
    pub(super) fn expand(&self, text: &str) -> Result<String, Refusal> {
        let mut text = text.to_owned();
        let refuse = |refusal: Refusal, text: &str| Refusal { text: text.to_owned(), ..refusal };
        for _ in 0..FILTER_DEPTH {
            match self.once(&text).map_err(|refusal| refuse(refusal, &text))? {
                None => return Ok(text),
                Some(more) if more.len() <= FILTER_BYTES => text = more,
                Some(_) => break,
            }
        }
        Err(refuse(
            Refusal::new(0..text.len().min(1), "a macro of this filter calls itself, or becomes too long"),
            &text[..text.len().min(200)],
        ))
    }

    /// Puts in all macros that stand in the text now; none where there is none.
    fn once(&self, text: &str) -> Result<Option<String>, Refusal> {
        let mut done = String::new();
        let mut rest = 0;
        let mut any = false;
        while let Some(at) = next_dollar(text, rest) {
            let (name, args, end) = call(text, at)?;
            let Some(body) = self.table.get(name) else {
                let refusal = if name.contains('.') {
                    Refusal::new(
                        at..end,
                        "a field of the selected packet (`${…}`) is not known here; name its value",
                    )
                    .example("tcp.stream == 3")
                } else if self.table.is_empty() {
                    Refusal::new(at..end, format!("macro '{name}' does not exist; there are none"))
                } else {
                    Refusal::new(at..end, format!("macro '{name}' does not exist"))
                        .nearest(nearest(name, self.names()))
                };
                return Err(refusal);
            };
            done.push_str(&text[rest..at]);
            done.push_str(&put_in(body, &args, at..end)?);
            rest = end;
            any = true;
        }
        done.push_str(&text[rest..]);
        Ok(any.then_some(done))
    }
}

/// The next dollar sign that is not within quotes.
fn next_dollar(text: &str, from: usize) -> Option<usize> {
    let mut quoted: Option<(u8, bool)> = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (quoted, byte) {
            (None, b'$') if at >= from => return Some(at),
            (None, b'"' | b'\'') => {
                let raw = *byte == b'"' && at > 0 && matches!(bytes[at - 1], b'r' | b'R');
                quoted = Some((*byte, raw));
            }
            (Some((_, false)), b'\\') => at += 1,
            (Some((quote, _)), byte) if *byte == quote => quoted = None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The name, the arguments and the end of the call that begins here.
fn call(text: &str, at: usize) -> Result<(&str, Vec<&str>, usize), Refusal> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let rest = &text[at + 1..];
    if let Some(inside) = rest.strip_prefix('{') {
        let Some(length) = inside.find('}') else {
            return Err(Refusal {
                span: at..text.len(),
                ..Refusal::early(text.len(), "the macro is not closed")
            });
        };
        let inside = &inside[..length];
        let (name, args) =
            inside.split_once([';', ':']).map_or((inside, None), |(name, args)| (name, Some(args)));
        let args = args.map_or(Vec::new(), |args| args.split(';').map(str::trim).collect());
        return Ok((name.trim(), args, at + 1 + 1 + length + 1));
    }
    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(length);
    if name.is_empty() {
        let reason = "a macro is `$name(arguments)`";
        return Err(if rest.is_empty() {
            Refusal::early(text.len(), reason)
        } else {
            Refusal::new(at..at + 1, reason)
        });
    }
    let end = at + 1 + length;
    let Some(inside) = rest.strip_prefix('(') else { return Ok((name, Vec::new(), end)) };
    let Some(close) = closing(inside) else {
        return Err(Refusal {
            span: at..text.len(),
            ..Refusal::early(text.len(), "the macro is not closed")
        });
    };
    let args = if inside[..close].trim().is_empty() { Vec::new() } else { split(&inside[..close]) };
    Ok((name, args, end + 1 + close + 1))
}

/// The bracket that closes; quotes and inner brackets are passed over.
fn closing(text: &str) -> Option<usize> {
    walk(text, |depth, c| depth == 0 && c == ')').into_iter().next()
}

/// The places where `wanted` says so, of the signs outside quotes with the depth of brackets there.
fn walk(text: &str, wanted: impl Fn(usize, char) -> bool) -> Vec<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        if wanted(depth, c) {
            found.push(at);
        }
        match c {
            '"' => quoted = true,
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found
}

/// The arguments between commas.
fn split(text: &str) -> Vec<&str> {
    let mut args = Vec::new();
    let mut from = 0;
    for at in walk(text, |depth, c| depth == 0 && (c == ',' || c == ';')) {
        args.push(text[from..at].trim());
        from = at + 1;
    }
    args.push(text[from..].trim());
    args
}

/// The text of a macro with its arguments in it.
fn put_in(body: &str, args: &[&str], span: std::ops::Range<usize>) -> Result<String, Refusal> {
    let mut done = String::new();
    let mut rest = body;
    while let Some(at) = rest.find('$') {
        done.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        if digits == 0 {
            done.push('$');
        } else {
            let number: usize = after[..digits].parse().unwrap_or(usize::MAX);
            let Some(arg) = number.checked_sub(1).and_then(|place| args.get(place)) else {
                let reason = format!("this macro wants an argument {number}, and there are {}", args.len());
                return Err(Refusal::new(span, reason));
            };
            done.push_str(arg);
        }
        rest = &after[digits..];
    }
    done.push_str(rest);
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Macros {
        let mut macros = Macros::new();
        macros.define("between", "ip.addr == $1 && ip.addr == $2");
        macros.define("web", "tcp.port in {80, 443}");
        macros.define("both", "($web && $between($1, $2))");
        macros.define("endless", "$endless");
        macros.define("twice", "$twice $twice");
        macros
    }

    #[test]
    fn macros_are_put_in_as_text() {
        for (text, expanded) in [
            ("$web", "tcp.port in {80, 443}"),
            ("!$web && x", "!tcp.port in {80, 443} && x"),
            ("$between(1.2.3.4, ::1)", "ip.addr == 1.2.3.4 && ip.addr == ::1"),
            ("${between;1.2.3.4;::1}", "ip.addr == 1.2.3.4 && ip.addr == ::1"),
            ("${web}", "tcp.port in {80, 443}"),
            ("$both(a,b)", "(tcp.port in {80, 443} && ip.addr == a && ip.addr == b)"),
            (r#"x contains "$web""#, r#"x contains "$web""#),
        ] {
            assert_eq!(table().expand(text).unwrap(), expanded, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_put_in_is_refused() {
        for (text, incomplete) in [
            ("$wab", false),
            ("$between(1)", false),
            ("$between(1", true),
            ("${web", true),
            ("$endless", false),
            ("$twice", false),
            ("${frame.number}", false),
            ("$", true),
        ] {
            let refusal = table().expand(text).unwrap_err();
            assert_eq!(refusal.incomplete, incomplete, "{text}: {refusal}");
        }
    }
}
