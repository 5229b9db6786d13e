//! One thing that was wrong, on a card: the claim, whose fault, what to change, the proof, and the story of its session.

use std::io;

use super::{Page, Stories, row_of, story, story_of};
use crate::report::markup::Markup;
use crate::session::Session;

/// What a card says. Its texts are from the wire in part: the writer escapes them.
#[derive(Debug)]
pub(super) struct Card<'a> {
    /// Its anchor in the page.
    pub(super) id: String,
    /// The class by which it is coloured and chosen: a severity.
    pub(super) level: &'static str,
    /// The word in the coloured field.
    pub(super) badge: String,
    /// The rule, or the kind of end.
    pub(super) title: String,
    /// How it stands before the gate.
    pub(super) state: String,
    /// The cause in one sentence.
    pub(super) claim: String,
    /// Whose it is.
    pub(super) fault: &'static str,
    /// How sure that is.
    pub(super) confidence: String,
    /// The session that is told.
    pub(super) session: Option<&'a Session>,
    /// What else it is about.
    pub(super) about: String,
    /// When it showed.
    pub(super) when: String,
    /// The frames that show it.
    pub(super) frames: String,
    /// What to change.
    pub(super) change: String,
    /// What each piece of evidence does, what it says, and its frames.
    pub(super) evidence: Vec<(&'static str, String, String)>,
    /// How it is known.
    pub(super) why: String,
    /// What it is not.
    pub(super) ruled_out: Vec<String>,
    /// Filters that show it.
    pub(super) filters: Vec<String>,
    /// Findings that this one explains.
    pub(super) explains: Vec<String>,
    /// The finding that explains this one.
    pub(super) because: Option<String>,
    /// For how many sessions that ended alike it stands.
    pub(super) alike: usize,
    /// What tells cards that belong together.
    pub(super) key: (&'static str, String),
}

impl Card<'_> {
    /// Writes it, open or folded.
    pub(super) fn write(
        &self,
        page: &Page<'_>,
        stories: &mut Stories,
        open: bool,
        markup: &mut Markup<'_>,
    ) -> io::Result<()> {
        let class = format!("card {}", self.level);
        let mut attributes =
            vec![("class", class.as_str()), ("id", self.id.as_str()), ("data-level", self.level)];
        if open {
            attributes.push(("open", ""));
        }
        markup.open("details", &attributes)?;
        markup.open("summary", &[])?;
        markup.element("span", &[("class", "badge")], &self.badge)?;
        markup.text(" ")?;
        markup.element("span", &[("class", "rule")], &self.title)?;
        if !self.state.is_empty() {
            markup.text(" ")?;
            markup.element("span", &[("class", "state")], &self.state)?;
        }
        markup.text(" ")?;
        markup.element("strong", &[("class", "claim")], &self.claim)?;
        markup.close("summary")?;
        markup.line()?;
        self.facts(markup)?;
        self.proof(markup)?;
        if let Some(session) = self.session {
            if stories.begin(session.id) {
                story::write(page, session, markup)?;
            } else {
                let (to, said) = if stories.has(session.id) {
                    (story_of(session.id), format!("The story of {} stands above", session.name()))
                } else {
                    (row_of(session.id), format!("{} in the list of sessions", session.name()))
                };
                markup.open("p", &[("class", "more")])?;
                markup.element("a", &[("href", &to)], &said)?;
                markup.close("p")?;
            }
        }
        markup.close("details")?;
        markup.line()
    }

    fn facts(&self, markup: &mut Markup<'_>) -> io::Result<()> {
        markup.open("dl", &[("class", "facts")])?;
        let mut fact = |name: &str, class: &'static str, value: &str| {
            if value.is_empty() {
                return Ok(());
            }
            markup.open("div", &[("class", class)])?;
            markup.element("dt", &[], name)?;
            markup.element("dd", &[], value)?;
            markup.close("div")
        };
        fact("Side at fault", "fault", self.fault)?;
        fact("Confidence", "", &self.confidence)?;
        fact("Proving frames", "frames", &self.frames)?;
        fact("When", "", &self.when)?;
        fact("About", "wide", &self.about)?;
        markup.close("dl")?;
        if !self.change.is_empty() {
            markup.open("p", &[("class", "change")])?;
            markup.element("b", &[], "What to change")?;
            markup.text(" ")?;
            markup.text(&self.change)?;
            markup.close("p")?;
        }
        markup.line()
    }

    fn proof(&self, markup: &mut Markup<'_>) -> io::Result<()> {
        markup.open("ul", &[("class", "proof")])?;
        let mut row = |role: &str, text: &str, frames: &str| {
            if text.is_empty() {
                return Ok(());
            }
            markup.open("li", &[])?;
            markup.element("b", &[], role)?;
            markup.open("span", &[])?;
            markup.text(text)?;
            if !frames.is_empty() {
                markup.text(" ")?;
                markup.element("i", &[], &format!("[{frames}]"))?;
            }
            markup.close("span")?;
            markup.close("li")
        };
        for (role, sentence, frames) in &self.evidence {
            row(role, sentence, frames)?;
        }
        row("why", &self.why, "")?;
        for other in &self.ruled_out {
            row("not", other, "")?;
        }
        for filter in &self.filters {
            markup.open("li", &[])?;
            markup.element("b", &[], "filter")?;
            markup.element("code", &[], filter)?;
            markup.close("li")?;
        }
        let because: Vec<String> = self.because.iter().cloned().collect();
        for (name, ids) in [("because of", &because), ("explains", &self.explains)] {
            if ids.is_empty() {
                continue;
            }
            markup.open("li", &[])?;
            markup.element("b", &[], name)?;
            markup.open("span", &[])?;
            for id in ids {
                markup.element("a", &[("href", &format!("#{id}"))], id)?;
                markup.text(" ")?;
            }
            markup.close("span")?;
            markup.close("li")?;
        }
        markup.close("ul")?;
        markup.line()
    }
}
