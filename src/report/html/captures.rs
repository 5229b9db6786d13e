//! How far the captures can be trusted, before anything that rests on them; and what was wrong in them and yet survived.

use std::io;

use super::{Page, fold};
use crate::problem::Problem;
use crate::report::markup::Markup;
use crate::report::text::amounts::{count, counted};
use crate::report::text::captures::{described, first_damage, remarks};
use crate::report::text::{Naming, sentence};
use crate::report::words::Word;

/// Captures with a line of their own; the others are counted.
const CAPTURES: usize = 40;
/// Captures that are seen without unfolding.
const SEEN: usize = 3;
/// Kinds of packets that were not analysed.
const KINDS: usize = 6;
/// Problems listed.
const PROBLEMS: usize = 200;

/// One line a capture, with what weakens claims about it.
pub(super) fn write(page: &Page<'_>, markup: &mut Markup<'_>) -> io::Result<()> {
    let analysis = page.analysis;
    let mut order: Vec<(usize, Vec<String>)> =
        (0..analysis.files.len()).map(|index| (index, remarks(analysis, index))).collect();
    // Those that have something to say come first.
    order.sort_by_key(|(_, said)| said.is_empty());
    markup.open("section", &[("id", "captures"), ("aria-label", "Captures")])?;
    for (place, (index, said)) in order.iter().take(CAPTURES).enumerate() {
        if place == SEEN {
            markup.open("details", &[("class", "fold")])?;
            let rest = counted((order.len() - SEEN) as u64, "more capture");
            markup.element("summary", &[], &rest)?;
        }
        one(page, *index, said, markup)?;
    }
    if order.len() > SEEN {
        markup.close("details")?;
    }
    if order.len() > CAPTURES {
        let rest = format!("{} more captures", order.len() - CAPTURES);
        markup.element("p", &[("class", "aside")], &rest)?;
    }
    let mut other: Vec<&(String, u64)> = analysis.totals.other.iter().collect();
    if !other.is_empty() {
        other.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut named: Vec<String> =
            other.iter().take(KINDS).map(|(name, packets)| format!("{} {name}", count(*packets))).collect();
        if other.len() > KINDS {
            named.push("…".to_owned());
        }
        markup.element("p", &[("class", "aside")], &format!("Not analysed: {}", named.join(", ")))?;
    }
    markup.close("section")?;
    markup.line()
}

fn one(page: &Page<'_>, index: usize, said: &[String], markup: &mut Markup<'_>) -> io::Result<()> {
    let Some(facts) = page.analysis.files.get(index) else { return Ok(()) };
    markup.open("div", &[("class", if said.is_empty() { "capture" } else { "capture doubt" })])?;
    markup.open("p", &[])?;
    let number = if page.scene.several_captures() { format!("[{index}] ") } else { String::new() };
    markup.element("b", &[], &format!("{number}{}", facts.path.display()))?;
    markup.text(": ")?;
    markup.text(&described(facts, page.scene.origin, page.scene.clock).join(", "))?;
    if said.is_empty() {
        markup.text("; ")?;
        markup.element("span", &[("class", "sound")], "nothing weakens it")?;
    }
    markup.close("p")?;
    if !said.is_empty() {
        markup.open("ul", &[])?;
        for remark in said {
            markup.element("li", &[], remark)?;
        }
        markup.close("ul")?;
    }
    markup.close("div")?;
    markup.line()
}

/// What the remarks above did not tell.
pub(super) fn problems(page: &Page<'_>, markup: &mut Markup<'_>) -> io::Result<()> {
    let analysis = page.analysis;
    let told: Vec<&Problem> =
        (0..analysis.files.len()).filter_map(|index| first_damage(analysis, index)).collect();
    let mut ordered: Vec<&Problem> = analysis
        .problems
        .iter()
        .filter(|problem| !told.iter().any(|told| std::ptr::eq(*told, *problem)))
        .collect();
    if ordered.is_empty() {
        return Ok(());
    }
    ordered.sort_by_key(|problem| !problem.kind.is_damage());
    let naming = if page.scene.several_captures() { Naming::Index } else { Naming::Nothing };
    fold(markup, "problems", "What was wrong in the inputs", &ordered.len().to_string(), false)?;
    markup.open("ul", &[])?;
    for problem in ordered.iter().take(PROBLEMS) {
        let said = format!("{}: {}", problem.kind.word(), sentence(analysis, problem, naming));
        markup.element("li", &[], &said)?;
    }
    markup.close("ul")?;
    if ordered.len() > PROBLEMS {
        let rest = format!("{} more", ordered.len() - PROBLEMS);
        markup.element("p", &[("class", "aside")], &rest)?;
    }
    markup.close("details")?;
    markup.close("section")?;
    markup.line()
}
