//! The words of a policy.

use std::fmt;
use std::str::FromStr;

use crate::events::Confidence;
use crate::rules::Severity;
use crate::time::Span;

/// A day of the calendar (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub jiff::civil::Date);

impl FromStr for Day {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().map(Self).map_err(|_| ())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// How many sessions have to satisfy an assert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// Not one.
    None,
    /// At least one.
    Some,
    /// Every one.
    All,
    /// At least, at most or exactly so many.
    Count(Relation, u64),
    /// At least this part of them, from 0 to 1.
    Ratio(f64),
}

/// How a count compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `==`
    Exactly,
}

impl Expectation {
    /// Whether so many of all satisfy it.
    pub fn holds(self, satisfied: usize, all: usize) -> bool {
        let satisfied_number = satisfied as u64;
        match self {
            Self::None => satisfied == 0,
            Self::Some => satisfied > 0,
            Self::All => satisfied == all,
            Self::Count(Relation::AtLeast, bound) => satisfied_number >= bound,
            Self::Count(Relation::AtMost, bound) => satisfied_number <= bound,
            Self::Count(Relation::Exactly, bound) => satisfied_number == bound,
            Self::Ratio(part) => satisfied as f64 >= part * all as f64,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Some => out.write_str("some"),
            Self::All => out.write_str("all"),
            Self::Count(Relation::AtLeast, bound) => write!(out, "count >= {bound}"),
            Self::Count(Relation::AtMost, bound) => write!(out, "count <= {bound}"),
            Self::Count(Relation::Exactly, bound) => write!(out, "count == {bound}"),
            Self::Ratio(part) => write!(out, "ratio >= {part}"),
        }
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("`{text}` is no expectation; known are none, some, all, count >= 3, ratio >= 0.95");
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["none"] => Ok(Self::None),
            ["some"] => Ok(Self::Some),
            ["all"] => Ok(Self::All),
            ["count", relation, bound] => {
                let relation = match relation {
                    ">=" => Relation::AtLeast,
                    "<=" => Relation::AtMost,
                    "==" => Relation::Exactly,
                    _ => return Err(unknown()),
                };
                bound.parse().map(|bound| Self::Count(relation, bound)).map_err(|_| unknown())
            }
            ["ratio", ">=", part] => match part.parse() {
                Ok(part) if (0.0..=1.0).contains(&part) => Ok(Self::Ratio(part)),
                _ => Err(format!("`{part}` is no ratio between 0 and 1")),
            },
            _ => Err(unknown()),
        }
    }
}

/// A severity.
pub(super) fn severity(word: &str) -> Result<Severity, String> {
    Severity::ALL.into_iter().find(|severity| severity.name() == word).ok_or_else(|| {
        let known: Vec<_> = Severity::ALL.iter().map(|severity| severity.name()).collect();
        format!("`{word}` is no severity; known are {}", known.join(", "))
    })
}

/// From which severity on the gate fails; none for never.
///
/// # Errors
/// What is wrong with the word.
pub fn fail_on(word: &str) -> Result<Option<Severity>, String> {
    if word == "never" {
        Ok(None)
    } else {
        severity(word).map(Some).map_err(|reason| format!("{reason}, never"))
    }
}

/// A confidence.
///
/// # Errors
/// What is wrong with the word.
pub fn confidence(word: &str) -> Result<Confidence, String> {
    match word {
        "low" => Ok(Confidence::Low),
        "medium" => Ok(Confidence::Medium),
        "high" => Ok(Confidence::High),
        "certain" => Ok(Confidence::Certain),
        _ => Err(format!("`{word}` is no confidence; known are low, medium, high, certain")),
    }
}

/// A time such as `350s`, `15m`, `1.5h`.
pub(super) fn idle(text: &str) -> Result<Span, String> {
    crate::filter::duration(text)
        .filter(|span| span.0 >= 0 && text.ends_with(|letter: char| letter.is_ascii_alphabetic()))
        .ok_or_else(|| format!("`{text}` is no time; times are written 350s, 15m or 1.5h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_and_hold() {
        let cases = [
            ("none", 0, 3, true),
            ("none", 1, 3, false),
            ("some", 1, 3, true),
            ("all", 3, 3, true),
            ("all", 2, 3, false),
            ("count >= 3", 3, 9, true),
            ("count <= 2", 3, 9, false),
            ("count == 0", 0, 9, true),
            ("ratio >= 0.95", 19, 20, true),
            ("ratio >= 0.95", 18, 20, false),
        ];
        for (text, satisfied, all, holds) in cases {
            let expectation: Expectation = text.parse().unwrap();
            assert_eq!(expectation.holds(satisfied, all), holds, "{text}");
            assert_eq!(expectation.to_string(), text);
        }
        for wrong in ["", "ALL", "count > 3", "count >= x", "ratio >= 2", "ratio"] {
            assert!(wrong.parse::<Expectation>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read() {
        let cases = [("350s", 350_000), ("1.5h", 5_400_000), ("15m", 900_000), ("20ms", 20)];
        for (text, millis) in cases {
            assert_eq!(idle(text), Ok(Span::from_millis(millis)), "{text}");
        }
        for wrong in ["", "s", "10", "-3s", "1e99h", "3 weeks"] {
            assert!(idle(wrong).is_err(), "{wrong}");
        }
    }
}
