//! The head of the page: its policy, its title, the verdict, the controls. And its foot: what the letters mean, which keys there
//! are, what was left out.

use std::collections::BTreeMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Page;
use super::card::Card;
use super::findings::Findings;
use crate::gate::Verdict;
use crate::report::markup::{Fixed, Markup};
use crate::report::text::amounts::{count, counted};
use crate::report::text::rank_of;
use crate::report::words::Word;
use crate::rules::Severity;

const STYLE: Fixed = Fixed(include_str!("style.css"));
const SCRIPT: Fixed = Fixed(include_str!("script.js"));

/// Kinds of ends named in the line that says it in short.
const ENDS: usize = 5;
/// Names of captures in the heading.
const NAMES: usize = 3;
/// Sessions named for an assert.
const AGAINST: usize = 8;

/// The letters of a life, and what they mean.
const LETTERS: [(&str, &str); 13] = [
    ("s", "set-up"),
    ("a A", "login, refused"),
    ("D #", "talk"),
    (".", "idle"),
    ("k", "keep-alive"),
    ("o O", "checkpoint, minor and major"),
    ("!", "break"),
    ("R", "resumed"),
    ("n", "begun anew instead"),
    ("x", "reset"),
    ("f", "closed"),
    ("g", "held by one side only"),
    ("?", "not seen"),
];

/// What the bars are.
const BARS: [(&str, &str); 7] = [
    ("ps", "set-up"),
    ("pa", "login"),
    ("pw", "work"),
    ("pi", "idle"),
    ("pb", "interrupted"),
    ("pr", "resuming"),
    ("pf", "closing"),
];

/// The keys of the page.
const KEYS: [(&str, &str); 7] = [
    ("/", "to the filter box"),
    ("j k, arrows", "next, previous row"),
    ("Enter", "open or fold it; in the list of sessions go to the story"),
    ("Esc", "out of the box, then empty it; close this"),
    ("e", "open or fold all"),
    ("t", "dark or light"),
    ("?", "this"),
];

/// The source by which the policy of a page knows a text.
fn hash(own: &Fixed) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(own.text().as_bytes())))
}

/// All that the page may do: use its own style and its own script.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(&STYLE),
        hash(&SCRIPT)
    )
}

/// The names of the captures, without their folders.
fn names(page: &Page<'_>) -> String {
    let files = &page.analysis.files;
    let name = |file: &crate::capture::FileFacts| {
        file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = files.iter().take(NAMES).map(name).collect();
    if files.len() > NAMES {
        names.push(format!("{} more", files.len() - NAMES));
    }
    names.join(", ")
}

/// From the beginning to where the captures come.
pub(super) fn begin(
    page: &Page<'_>,
    all: &Findings<'_>,
    ends: &[Card<'_>],
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    let names = names(page);
    markup.fixed(&Fixed("<!DOCTYPE html>\n"))?;
    markup.open("html", &[("lang", "en")])?;
    markup.open("head", &[])?;
    markup.empty("meta", &[("charset", "utf-8")])?;
    markup.line()?;
    // The policy comes before everything that it is about.
    markup.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy())])?;
    markup.line()?;
    markup.empty("meta", &[("name", "referrer"), ("content", "no-referrer")])?;
    markup.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")])?;
    markup.empty("meta", &[("name", "generator"), ("content", "ghostshark")])?;
    markup.line()?;
    markup.element("title", &[], &format!("ghostshark: {names}"))?;
    markup.line()?;
    markup.open("style", &[])?;
    markup.fixed(&STYLE)?;
    markup.close("style")?;
    markup.close("head")?;
    markup.line()?;
    markup.open("body", &[])?;
    markup.open("header", &[])?;
    markup.open("h1", &[])?;
    markup.element("span", &[("class", "brand")], "ghostshark")?;
    markup.text(" ")?;
    markup.text(&names)?;
    markup.close("h1")?;
    if let Some(verdict) = page.verdict {
        judgement(verdict, markup)?;
    }
    in_short(page, all, ends, markup)?;
    markup.close("header")?;
    markup.line()?;
    controls(all, ends, markup)?;
    markup.open("main", &[])?;
    markup.line()
}

/// Whether the gate passes, and why not.
fn judgement(verdict: &Verdict, markup: &mut Markup<'_>) -> io::Result<()> {
    let failing = verdict.cases.iter().filter(|case| case.fails).count();
    let broken = verdict.asserts.iter().filter(|assert| !assert.holds()).count();
    let mut reasons = Vec::new();
    if failing > 0 {
        reasons.push(counted(failing as u64, "finding"));
    }
    if broken > 0 {
        reasons.push(counted(broken as u64, "assert"));
    }
    if !verdict.overruns.is_empty() {
        reasons.push(counted(verdict.overruns.len() as u64, "budget"));
    }
    if !verdict.capture.is_empty() {
        reasons.push("the capture itself".to_owned());
    }
    if verdict.stale_fails && !verdict.stale.is_empty() {
        reasons.push(format!("{} of the baseline did not come again", verdict.stale.len()));
    }
    let (class, word) =
        if verdict.passes() { ("pass", "The gate passes") } else { ("fail", "The gate fails") };
    markup.open("div", &[("class", &format!("verdict {class}")), ("id", "verdict")])?;
    let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    markup.element("p", &[], &format!("{word}{because}"))?;
    let mut lines: Vec<String> = verdict.capture.iter().map(|wrong| format!("capture: {wrong}")).collect();
    for (severity, (count, most)) in &verdict.overruns {
        lines.push(format!("budget: {count} findings of severity {}, {most} allowed", severity.name()));
    }
    for assert in &verdict.asserts {
        let holds = if assert.holds() { "holds" } else { "does not hold" };
        let against: Vec<String> =
            assert.against().iter().take(AGAINST).map(|id| format!("S-{id:04}")).collect();
        let against = if assert.holds() || against.is_empty() {
            String::new()
        } else {
            format!("; against it: {}", against.join(" "))
        };
        lines.push(format!("assert \"{}\" {holds}: {}{against}", assert.name, assert.sentence()));
    }
    lines.extend(
        verdict.expired.iter().map(|(line, day)| format!("the mute in line {line} expired on {day}")),
    );
    for (state, what) in [("known", "known by the baseline"), ("muted", "muted"), ("off", "switched off")] {
        let count = verdict.count(state);
        if count > 0 {
            lines.push(format!("{} {what}", counted(count as u64, "finding")));
        }
    }
    if !lines.is_empty() {
        markup.open("ul", &[])?;
        for line in lines {
            markup.element("li", &[], &line)?;
        }
        markup.close("ul")?;
    }
    markup.close("div")
}

/// One line that says it.
fn in_short(
    page: &Page<'_>,
    all: &Findings<'_>,
    ends: &[Card<'_>],
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    let sessions = &page.analysis.sessions;
    let mut reasons: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for session in sessions {
        let reason = session.outcome.reason;
        *reasons.entry((rank_of(reason), reason.word())).or_default() += 1;
    }
    let mut named: Vec<String> =
        reasons.iter().take(ENDS).map(|((_, word), number)| format!("{} {word}", count(*number))).collect();
    if reasons.len() > ENDS {
        named.push("…".to_owned());
    }
    let connections = counted(page.analysis.connections.len() as u64, "connection");
    let said = if named.is_empty() {
        format!("{connections}, no session")
    } else {
        format!("{} over {connections}: {}", counted(sessions.len() as u64, "session"), named.join(", "))
    };
    let alike = |level: &str| -> usize {
        ends.iter().filter(|card| card.level == level).map(|card| card.alike).sum()
    };
    let (hurts, odd) = (alike("warning"), alike("info"));
    let (class, verdict) = match (all.groups.is_empty(), hurts, odd) {
        (false, ..) => ("bad", format!("{} found", all.counted())),
        (true, 1.., _) => ("bad", format!("No finding, but {} badly", ended(hurts))),
        (true, 0, 1..) => {
            ("odd", format!("Nothing is known to hurt; {} in a way that deserves a look", ended(odd)))
        }
        (true, 0, 0) if page.analysis.connections.is_empty() => {
            ("odd", "There is nothing to judge".to_owned())
        }
        (true, 0, 0) if !all.of_captures.is_empty() => {
            ("odd", "Nothing is wrong in what was seen, but the captures are in doubt".to_owned())
        }
        (true, 0, 0) => ("good", "Nothing is wrong, as far as the captures show".to_owned()),
    };
    markup.open("p", &[("class", &format!("short {class}"))])?;
    markup.element("strong", &[], &verdict)?;
    markup.text(". ")?;
    markup.text(&said)?;
    markup.text(".")?;
    markup.close("p")
}

/// `3 ended`, whatever they were.
fn ended(number: usize) -> String {
    if number == 1 {
        "one session or connection ended".to_owned()
    } else {
        format!("{number} sessions or connections ended")
    }
}

/// The box, the buttons, how many rows are shown.
fn controls(all: &Findings<'_>, ends: &[Card<'_>], markup: &mut Markup<'_>) -> io::Result<()> {
    markup.open("nav", &[("id", "controls"), ("aria-label", "Filter")])?;
    let attributes = [
        ("id", "box"),
        ("type", "search"),
        ("placeholder", "Filter rows by words   /"),
        ("aria-label", "Filter rows by words"),
        ("autocomplete", "off"),
        ("spellcheck", "false"),
    ];
    markup.empty("input", &attributes)?;
    markup.open("span", &[("id", "levels"), ("role", "group"), ("aria-label", "Severity")])?;
    let cards = || all.groups.iter().flatten().chain(&all.of_captures).chain(&all.remarks).chain(ends);
    for level in Severity::ALL.iter().rev().map(|severity| severity.name()) {
        // A button that chooses nothing would only take room.
        if cards().any(|card| card.level == level) {
            let attributes = [("type", "button"), ("data-level", level), ("aria-pressed", "false")];
            markup.element("button", &attributes, level)?;
        }
    }
    markup.close("span")?;
    markup.element("output", &[("id", "shown")], "")?;
    markup.open("span", &[("class", "end")])?;
    markup.element("button", &[("type", "button"), ("id", "theme"), ("title", "dark or light (t)")], "◐")?;
    markup.element("button", &[("type", "button"), ("id", "ask"), ("title", "keys (?)")], "?")?;
    markup.close("span")?;
    markup.close("nav")?;
    markup.line()
}

/// From where the last part of the report is written to the end.
pub(super) fn end(page: &Page<'_>, markup: &mut Markup<'_>) -> io::Result<()> {
    markup.close("main")?;
    markup.open("footer", &[])?;
    markup.open("p", &[])?;
    markup.element("b", &[], "Bars")?;
    for (class, meaning) in BARS {
        markup.text(" ")?;
        markup.open("span", &[("class", "sign")])?;
        markup.open("svg", &[("class", "key"), ("viewBox", "0 0 10 10")])?;
        markup.empty("path", &[("class", class), ("d", "M0 0h10v10H0z")])?;
        markup.close("svg")?;
        markup.text(" ")?;
        markup.text(meaning)?;
        markup.close("span")?;
    }
    markup.close("p")?;
    markup.open("p", &[])?;
    markup.element("b", &[], "Letters")?;
    for (letters, meaning) in LETTERS {
        markup.text(" ")?;
        markup.open("span", &[("class", "sign")])?;
        markup.element("code", &[], letters)?;
        markup.text(" ")?;
        markup.text(meaning)?;
        markup.close("span")?;
    }
    markup.close("p")?;
    let from = page.analysis.files.iter().filter_map(|file| file.first).min();
    let from = from.map(|first| format!(" Relative times count from {}.", first.rfc3339()));
    let said = format!(
        "Left out: payload, and every secret. Names of users are told by their hashes.{} Frames are numbered as \
         Wireshark does. Written by ghostshark {}.",
        from.unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    );
    markup.element("p", &[], &said)?;
    markup.close("footer")?;
    markup.line()?;
    markup.open("dialog", &[("id", "keys"), ("aria-label", "Keys")])?;
    markup.open("dl", &[])?;
    for (key, meaning) in KEYS {
        markup.open("div", &[])?;
        markup.element("dt", &[], key)?;
        markup.element("dd", &[], meaning)?;
        markup.close("div")?;
    }
    markup.close("dl")?;
    markup.close("dialog")?;
    markup.line()?;
    markup.open("script", &[])?;
    markup.fixed(&SCRIPT)?;
    markup.close("script")?;
    markup.close("body")?;
    markup.close("html")?;
    markup.line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_texts_end_nothing_early() {
        for own in [STYLE, SCRIPT] {
            assert!(!own.text().contains("</") && !own.text().contains("<!--"));
        }
    }
}
