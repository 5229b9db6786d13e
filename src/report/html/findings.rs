//! What the rules found: the worst first, alike ones below each other, remarks and consequences in a line each.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use super::card::Card;
use super::{CARDS, Page, REMARKS, Stories, fold, section};
use crate::gate::{Case, State};
use crate::place::PacketRef;
use crate::report::filter;
use crate::report::findings::is_told;
use crate::report::markup::Markup;
use crate::report::text::amounts::{counted, said_moment};
use crate::report::text::findings::cited;
use crate::report::text::story;
use crate::report::words::Word;
use crate::rules::{Finding, Layer, Role, Severity};
use crate::story::narrative::Proof;

/// Frames named in short.
const FRAMES: usize = 8;
/// Findings named that another one explains.
const EXPLAINED: usize = 12;

/// The findings in the order and the form in which the page tells them.
pub(super) struct Findings<'a> {
    /// Cards of those that are told, alike ones together.
    pub(super) groups: Vec<Vec<Card<'a>>>,
    /// How many of those that are told have no card.
    pub(super) left: usize,
    /// Cards of what weakens the captures.
    pub(super) of_captures: Vec<Card<'a>>,
    /// Cards of those that are no cause of their own, or mild, or hardly more than a guess.
    pub(super) remarks: Vec<Card<'a>>,
    /// How many of these have no card.
    remarks_left: usize,
    /// How many there are of each severity among those that are told, mildest first.
    counts: [usize; 4],
}

impl<'a> Findings<'a> {
    /// Sorts them.
    pub(super) fn of(page: &Page<'a>) -> Self {
        let all = page.analysis.findings.iter().enumerate();
        let mut judged: Vec<(&Finding, Option<&Case>, Severity)> = all
            .map(|(place, finding)| {
                let case = page.verdict.and_then(|verdict| verdict.of(place));
                (finding, case, case.map_or(finding.severity, |case| case.severity))
            })
            .collect();
        judged.sort_by_key(|(finding, case, severity)| {
            let fails = case.is_some_and(|case| case.fails);
            let quiet = case.is_some_and(|case| case.state != State::New);
            let aside = finding.layer == Layer::Capture;
            (Reverse(fails), quiet, aside, Reverse(*severity), Reverse(finding.confidence), finding.id)
        });
        let mut explained: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for finding in &page.analysis.findings {
            if let Some(cause) = finding.caused_by {
                let list = explained.entry(cause).or_default();
                if list.len() < EXPLAINED {
                    list.push(finding.name());
                }
            }
        }
        let mut this = Self {
            groups: Vec::new(),
            left: 0,
            of_captures: Vec::new(),
            remarks: Vec::new(),
            remarks_left: 0,
            counts: [0; 4],
        };
        let mut places: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
        let mut cards = 0;
        for (finding, case, severity) in judged {
            let explains = explained.remove(&finding.id);
            if !is_told(finding) && !case.is_some_and(|case| case.fails) {
                if this.remarks.len() < REMARKS {
                    this.remarks.push(card(finding, case, severity, page, explains));
                } else {
                    this.remarks_left += 1;
                }
                continue;
            }
            let of_capture = finding.layer == Layer::Capture;
            if !of_capture && let Some(count) = this.counts.get_mut(severity as usize) {
                *count += 1;
            }
            if cards == CARDS {
                this.left += 1;
                continue;
            }
            cards += 1;
            let card = card(finding, case, severity, page, explains);
            if of_capture {
                this.of_captures.push(card);
                continue;
            }
            let place = *places.entry(card.key.clone()).or_insert_with(|| {
                this.groups.push(Vec::new());
                this.groups.len() - 1
            });
            if let Some(group) = this.groups.get_mut(place) {
                group.push(card);
            }
        }
        this
    }

    /// `1 error, 3 warnings`.
    pub(super) fn counted(&self) -> String {
        let counts = Severity::ALL.iter().zip(self.counts).rev().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(severity, count)| match severity {
                Severity::Critical => format!("{count} critical"),
                Severity::Info => counted(count as u64, "remark"),
                word => counted(count as u64, word.name()),
            })
            .collect();
        counts.join(", ")
    }
}

fn card<'a>(
    finding: &'a Finding,
    case: Option<&Case>,
    severity: Severity,
    page: &Page<'a>,
    explains: Option<Vec<String>>,
) -> Card<'a> {
    let connection = finding.connections.first();
    let id = finding.session.or_else(|| page.sessions_of.get(connection?).copied());
    let session = id.and_then(|id| page.session(id));
    let mut about = Vec::new();
    if let Some(session) = session {
        about.push(format!(
            "{} {}, {} to {}",
            session.name(),
            session.protocol,
            session.client,
            session.server
        ));
    }
    if finding.occurrences > 1 {
        about.push(counted(u64::from(finding.occurrences), "session") + " in all");
    }
    let several = page.scene.several_captures();
    let mut change = finding.advice.clone();
    if let Some(timer) = case.and_then(|case| case.timer.as_ref()) {
        change = format!("{change} (the policy knows this timer: {timer})");
    }
    Card {
        id: finding.name(),
        level: severity.name(),
        badge: severity.word().to_owned(),
        title: format!("{} {}", finding.rule.code, finding.rule.name),
        state: case.map(standing).unwrap_or_default(),
        claim: finding.message.clone(),
        fault: finding.fault.word(),
        confidence: finding.confidence.word().to_owned(),
        session,
        about: about.join("; "),
        when: said_moment(finding.time, page.scene.origin, page.scene.clock),
        frames: frames(finding, several),
        change,
        evidence: finding
            .evidence
            .iter()
            .filter(|piece| piece.role == Role::Shows)
            .chain(finding.evidence.iter().filter(|piece| piece.role != Role::Shows))
            .map(|piece| {
                let frames = cited(piece, page.analysis, page.scene.clock);
                (piece.role.word(), piece.sentence.clone(), frames)
            })
            .collect(),
        why: finding.why.clone(),
        ruled_out: finding.ruled_out.clone(),
        filters: shown(filter::finding(finding, page.analysis)),
        explains: explains.unwrap_or_default(),
        because: finding.caused_by.map(|id| format!("F-{id:04}")),
        alike: 1,
        key: (finding.rule.code, session.map_or(String::new(), |session| session.server.to_string())),
    }
}

/// Filters, each with the capture for which it is.
pub(super) fn shown(filters: Vec<filter::Shown>) -> Vec<String> {
    let said = |shown: filter::Shown| match shown.capture {
        Some(file) => format!("[{}] {}", file.0, shown.filter),
        None => shown.filter,
    };
    filters.into_iter().map(said).collect()
}

/// The frames that show it; where it rests on an absence alone, those around it.
fn frames(finding: &Finding, several: bool) -> String {
    let of = |shows: bool| -> Vec<PacketRef> {
        let pieces = finding.evidence.iter().filter(|piece| !shows || piece.role == Role::Shows);
        let mut frames: Vec<PacketRef> = pieces.flat_map(|piece| piece.frames.iter().copied()).collect();
        frames.sort_unstable();
        frames.dedup();
        frames
    };
    let showing = of(true);
    named(if showing.is_empty() { of(false) } else { showing }, several)
}

/// `17, 90211, 90212 and 3 more`.
pub(super) fn named(mut frames: Vec<PacketRef>, several: bool) -> String {
    if frames.is_empty() {
        return String::new();
    }
    let more = frames.len().saturating_sub(FRAMES);
    frames.truncate(FRAMES);
    let said = story::cited(&Proof::Frames(frames), several);
    let said = said.trim_start_matches("frames ").trim_start_matches("frame ");
    if more > 0 { format!("{said} and {more} more") } else { said.to_owned() }
}

/// How it stands before the gate.
fn standing(case: &Case) -> String {
    match &case.state {
        State::New if case.fails => "fails the gate".to_owned(),
        State::New => "below the gate".to_owned(),
        State::Muted(reason) => format!("muted: {reason}"),
        state => state.name().to_owned(),
    }
}

/// The cards.
pub(super) fn write(
    all: &Findings<'_>,
    page: &Page<'_>,
    stories: &mut Stories,
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    if all.groups.is_empty() {
        return Ok(());
    }
    section(markup, "findings", "Findings", &all.counted())?;
    for group in &all.groups {
        let Some((first, alike)) = group.split_first() else { continue };
        first.write(page, stories, true, markup)?;
        if alike.is_empty() {
            continue;
        }
        markup.open("div", &[("class", "alike")])?;
        markup.element("p", &[("class", "aside")], &format!("{} more of this rule there", alike.len()))?;
        for card in alike {
            card.write(page, stories, false, markup)?;
        }
        markup.close("div")?;
    }
    let mut left = Vec::new();
    if all.left > 0 {
        left.push(format!("{} more findings are left out here; `ghostshark findings` lists them.", all.left));
    }
    if !stories.left.is_empty() {
        left.push(format!(
            "The stories of {} more sessions are left out here; `ghostshark show FILE ID` tells each of them.",
            stories.left.len()
        ));
    }
    if !left.is_empty() {
        markup.element("p", &[("class", "aside")], &left.join(" "))?;
    }
    markup.close("section")?;
    markup.line()
}

/// What the rules say of the captures themselves.
pub(super) fn of_captures(
    all: &Findings<'_>,
    page: &Page<'_>,
    stories: &mut Stories,
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    if all.of_captures.is_empty() {
        return Ok(());
    }
    section(markup, "doubts", "What weakens the captures", "")?;
    for card in &all.of_captures {
        card.write(page, stories, true, markup)?;
    }
    markup.close("section")?;
    markup.line()
}

/// Those that are no cause of their own, or mild, or hardly more than a guess.
pub(super) fn remarks(
    all: &Findings<'_>,
    page: &Page<'_>,
    stories: &mut Stories,
    open: bool,
    markup: &mut Markup<'_>,
) -> io::Result<()> {
    if all.remarks.is_empty() {
        return Ok(());
    }
    let count = (all.remarks.len() + all.remarks_left).to_string();
    fold(markup, "remarks", "Remarks, guesses and consequences", &count, open)?;
    for card in &all.remarks {
        card.write(page, stories, false, markup)?;
    }
    if all.remarks_left > 0 {
        let said =
            format!("{} more are left out here; `ghostshark findings --all` lists them.", all.remarks_left);
        markup.element("p", &[("class", "aside")], &said)?;
    }
    markup.close("details")?;
    markup.close("section")?;
    markup.line()
}
