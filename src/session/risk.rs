//! What would be lost if work that was interrupted is not taken up again, and whether it can be (`domain.md` D.8).

use super::Session;
use super::leg::Leg;
use super::work::Work;
use crate::events::{Position, Unit};

/// Whether interrupted work can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The protocol offers it, and there is a proof that the object is the same.
    Resume,
    /// The protocol offers it, and nothing proves that the object is the same.
    ResumeUnproven,
    /// It has to begin anew.
    Restart,
    /// Nobody can tell from outside.
    Unknown,
}

impl Verdict {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::ResumeUnproven => "resume-unproven",
            Self::Restart => "restart",
            Self::Unknown => "unknown",
        }
    }
}

/// What is at risk.
#[derive(Debug, Clone, PartialEq)]
pub struct AtRisk {
    /// Whether it can go on.
    pub verdict: Verdict,
    /// What was being done, for people.
    pub object: Option<Box<str>>,
    /// Bytes sent past the last confirmed point; none where work is not counted in bytes.
    pub bytes: Option<u64>,
    /// How far it was confirmed.
    pub confirmed: Option<Position>,
    /// Bytes to be done again if it is taken up where the protocol allows.
    pub redo_bytes: Option<u64>,
    /// How it can be taken up.
    pub mechanism: Option<&'static str>,
}

/// What is at risk in the work that this session leaves behind.
pub(super) fn of(session: &Session) -> Option<AtRisk> {
    let (leg, work) =
        session.legs.iter().rev().find_map(|part| broken(&part.leg).map(|work| (&part.leg, work)))?;
    let later_done = session
        .works()
        .any(|other| other.object == work.object && other.begun.time > work.begun.time && !other.is_broken());
    if later_done {
        return None;
    }
    let bytes = |position: Option<Position>| {
        position.filter(|position| position.unit == Unit::Bytes).map(|position| position.value)
    };
    let confirmed = work.confirmed.map(|(position, _)| position);
    let reached = bytes(work.reached);
    let base = bytes(confirmed).unwrap_or(0);
    let mechanism = resumable_by(session);
    let verdict = match mechanism {
        _ if leg.readable == 0 => Verdict::Unknown,
        Some("ftp-rest" | "ftp-appe" | "http-range") => Verdict::ResumeUnproven,
        Some(_) => Verdict::Resume,
        None => Verdict::Restart,
    };
    let at_risk = reached.map(|reached| reached.saturating_sub(base));
    let redo_bytes = if verdict == Verdict::Restart { reached } else { at_risk };
    Some(AtRisk { verdict, object: work.object.clone(), bytes: at_risk, confirmed, redo_bytes, mechanism })
}

fn broken(leg: &Leg) -> Option<&Work> {
    leg.works.list.iter().rev().find(|work| work.is_broken())
}

/// The mechanism by which this session's work could be taken up: announced, or used with success.
fn resumable_by(session: &Session) -> Option<&'static str> {
    let work = |mechanism: &&'static str| !mechanism.starts_with("tls-");
    let granted = session
        .resumptions()
        .filter(|resume| resume.result == super::ResumeResult::Granted)
        .map(|resume| resume.mechanism)
        .find(work);
    granted.or_else(|| {
        session
            .legs
            .iter()
            .flat_map(|part| &part.leg.resumptions.offered)
            .map(|(mechanism, _)| *mechanism)
            .find(work)
    })
}
