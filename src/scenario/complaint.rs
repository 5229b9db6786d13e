//! Why a story cannot be compiled, said so that its author knows what to write instead.

use super::script::Side;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Complaint {
    #[error("expected {expected}, found {}{}", instead(.found.as_deref()), question(*.suggestion))]
    Expected {
        expected: String,
        /// The word that stands there; none at the end of the line.
        found: Option<String>,
        /// A word of the language that was probably meant.
        suggestion: Option<&'static str>,
    },
    #[error("expected the end of the line, found `{0}`")]
    TooMuch(String),
    #[error("text must end with a quotation mark and may hold \\r \\n \\t \\0 \\\\ \\\" \\xNN")]
    BadText,
    #[error("{what} must be {range}, found {found}")]
    OutOfRange { what: &'static str, range: String, found: String },
    #[error("`{0}` belongs to the head of the story, before the first thing that happens")]
    LateSetting(&'static str),
    #[error("`{0}` concerns the whole story and takes no connection name")]
    NoConnectionHere(&'static str),
    #[error("no connection is named `{0}`; write `connection {0}` first")]
    UnknownConnection(String),
    #[error("a connection named `{0}` exists already")]
    TwiceNamed(String),
    #[error("the ends of a connection must both be IPv4 or both IPv6 addresses")]
    MixedFamilies,
    #[error("VLAN tags need `link ethernet`")]
    TagsNeedEthernet,
    #[error("the {} cannot do this: its connection is not open; write `open` first", .0.name())]
    NotOpen(Side),
    #[error("the {} cannot do this: it has vanished; write `{} return` first", .0.name(), .0.name())]
    Vanished(Side),
    #[error("the {} cannot send any more: it has closed; `segment` sends what no stack would", .0.name())]
    Finished(Side),
    #[error("the connection is open already; close or reset it first")]
    AlreadyOpen,
    #[error("nothing was sent by the {} that could be quoted", .0.name())]
    NothingToQuote(Side),
    #[error("that moment is past: the story is {0} ns after its start already")]
    Past(i64),
    #[error("nothing follows that this could happen to")]
    Unused,
    #[error("the story does not come to rest within {0} steps")]
    Endless(u64),
    #[error("the story sends or records more than {0} bytes")]
    TooLong(usize),
    #[error("a packet would be larger than 65535 bytes")]
    TooLarge,
}

/// The thing that stood where something else was expected.
fn instead(word: Option<&str>) -> String {
    word.map_or_else(|| "the end of the line".to_owned(), |w| format!("`{w}`"))
}

/// The question behind the complaint, where a near word is known.
fn question(word: Option<&'static str>) -> String {
    word.map_or_else(String::new, |w| format!(" (did you mean `{w}`?)"))
}

/// The word nearest to `found`, if it is near enough to have been meant.
pub(super) fn nearest(found: &str, words: &[&'static str]) -> Option<&'static str> {
    let bound = (found.chars().count() / 3).max(1);
    words
        .iter()
        .map(|word| (distance(found, word), *word))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, word)| word)
}

/// How many letters must be added, left out, changed or exchanged with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["sleep", "repeat", "reset", "read"];
        assert_eq!(nearest("slep", &words), Some("sleep"));
        assert_eq!(nearest("repaet", &words), Some("repeat"));
        assert_eq!(nearest("rset", &words), Some("reset"));
        assert_eq!(nearest("banana", &words), None);
    }
}
