//! The story of a session: its sentences, its life along time, its ladder.

use std::io;

use super::{Page, RUNGS, row_of};
use crate::report::markup::Markup;
use crate::report::svg::{gantt, ladder};
use crate::report::text::amounts::moment;
use crate::report::text::story::{cited, heading};
use crate::session::Session;

/// Writes it, folded.
pub(super) fn write(page: &Page<'_>, session: &Session, markup: &mut Markup<'_>) -> io::Result<()> {
    let scene = &page.scene;
    let story = page.teller.story(session);
    let id = format!("story-{}", session.name());
    markup.open("details", &[("class", "story"), ("id", &id)])?;
    markup.element(
        "summary",
        &[],
        &format!("Story and ladder of {}", heading(page.analysis, session, true)),
    )?;
    markup.open("ol", &[])?;
    for line in &story.lines {
        markup.open("li", &[])?;
        markup.element("time", &[], &moment(line.time, scene.origin, scene.clock))?;
        markup.element("b", &[], line.phase)?;
        markup.open("span", &[])?;
        markup.text(&line.text)?;
        markup.text(" ")?;
        markup.element("i", &[], &format!("[{}]", cited(&line.proof, scene.several_captures())))?;
        markup.close("span")?;
        markup.close("li")?;
    }
    markup.close("ol")?;
    markup.open("p", &[("class", "next")])?;
    markup.element("b", &[], "Next")?;
    markup.text(" ")?;
    markup.text(&story.next)?;
    markup.close("p")?;
    markup.line()?;
    markup.open("div", &[("class", "picture"), ("tabindex", "0")])?;
    gantt(markup, session, scene, &[])?;
    markup.line()?;
    ladder(markup, &page.teller.ladder(session), session, scene, RUNGS)?;
    markup.close("div")?;
    markup.open("p", &[("class", "more")])?;
    let row = format!("{} in the list of sessions", session.name());
    markup.element("a", &[("href", &row_of(session.id))], &row)?;
    markup.close("p")?;
    markup.close("details")?;
    markup.line()
}
