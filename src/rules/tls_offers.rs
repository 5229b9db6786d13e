//! Offers to resume that a server passed over, and whether it could have been expected to take them: what the rules of
//! TLS resumption have in common.

use std::collections::BTreeMap;

use super::population::Population;
use super::subject::{Part, Subject};
use super::{Fault, Finding, Rule, Severity};
use crate::events::security::SecurityFacts;
use crate::events::{Hash128, Timer, Use};
use crate::session::{Point, ResumeResult, Resumption};
use crate::time::Span;

/// From so many offers to one server name on, the share of refusals says something.
const OFFERS: usize = 6;

/// An offer that was passed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    /// The session.
    pub(super) subject: Subject<'a>,
    /// The connection on which it was made.
    pub(super) part: Part<'a>,
    /// What was offered.
    pub(super) resume: &'a Resumption,
    /// The security handshake.
    pub(super) facts: &'a SecurityFacts,
    /// Why it could have been expected to be taken.
    pub(super) ground: Option<Ground>,
}

/// Why an offer could have been expected to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ground {
    /// What it shows was issued in this capture, so long before, for so long at most.
    Issued(Point, Span),
    /// The same server took one for the same name before.
    Accepted(Point),
    /// The server passes over so many of so many offers for this name.
    Often(usize, usize),
}

impl Ground {
    /// It in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Issued(_, age) => {
                format!("the server itself issued it {:.1} s before", age.as_secs())
            }
            Self::Accepted(_) => "the same server name took an offer before".to_owned(),
            Self::Often(refused, all) => format!("the server name passed over {refused} of {all} offers"),
        }
    }

    /// The finding with the frames that show it.
    pub(super) fn cite(self, finding: Finding) -> Finding {
        match self {
            Self::Issued(at, age) => {
                finding.seconds("age_s", age).context_point(at, "here the server issued what is shown later")
            }
            Self::Accepted(at) => finding.context_point(at, "here the server took such an offer"),
            Self::Often(refused, all) => finding.number("refused", refused).number("offers", all),
        }
    }
}

/// What is known of a server and a name so far.
#[derive(Debug, Default)]
struct Known {
    issued: BTreeMap<Hash128, (Point, Option<Span>)>,
    accepted: Option<Point>,
    offers: usize,
    refused: usize,
}

/// All offers by these mechanisms that were passed over, in order of servers and time. That one of `akin` was taken
/// before is a reason to expect it again.
pub(super) fn passed_over<'a>(
    population: &'a Population<'a>,
    mechanisms: &[&str],
    akin: &[&str],
) -> Vec<Offer<'a>> {
    let mut all = Vec::new();
    for (_, subjects) in population.servers() {
        let mut parts: Vec<(Subject<'a>, Part<'a>, &'a SecurityFacts)> = subjects
            .into_iter()
            .flat_map(|subject| subject.parts().map(move |part| (subject, part)))
            .filter_map(|(subject, part)| Some((subject, part, part.leg.security.as_deref()?)))
            .collect();
        parts.sort_by_key(|(_, part, _)| part.connection.id);
        let mut known: BTreeMap<Option<&str>, Known> = BTreeMap::new();
        let mut found: Vec<(Option<&str>, Offer<'a>)> = Vec::new();
        for (subject, part, facts) in parts {
            let name = facts.sni.as_deref();
            let known = known.entry(name).or_default();
            for resume in &part.leg.resumptions.list {
                let granted = resume.result == ResumeResult::Granted;
                let passed = matches!(resume.result, ResumeResult::Silent | ResumeResult::Refused);
                if granted && akin.contains(&resume.mechanism) {
                    known.accepted = resume.answered.or(known.accepted);
                }
                if mechanisms.contains(&resume.mechanism) {
                    known.offers += usize::from(granted || passed);
                    if passed {
                        known.refused += 1;
                        let ground = known.ground(resume);
                        found.push((name, Offer { subject, part, resume, facts, ground }));
                    }
                }
            }
            known.learn(part);
        }
        for (name, mut offer) in found {
            let tally = known.get(&name).map_or((0, 0), |known| (known.refused, known.offers));
            if offer.ground.is_none() && tally.1 >= OFFERS && tally.0 * 2 >= tally.1 {
                offer.ground = Some(Ground::Often(tally.0, tally.1));
            }
            all.push(offer);
        }
    }
    all
}

impl Known {
    fn ground(&self, resume: &Resumption) -> Option<Ground> {
        let issued = resume
            .shown
            .and_then(|shown| self.issued.get(&shown))
            .map(|(at, lifetime)| (*at, resume.begun.time.since(at.time), *lifetime));
        match issued {
            // Past its lifetime the server is right to refuse it.
            Some((_, age, Some(lifetime))) if age >= lifetime => None,
            Some((at, age, _)) => Some(Ground::Issued(at, age)),
            None => self.accepted.map(Ground::Accepted),
        }
    }

    fn learn(&mut self, part: Part<'_>) {
        let lifetime = part.leg.clocks.declared(Timer::Lifetime).map(|(_, span)| span);
        for known in part.leg.identities.iter().filter(|known| known.identity.used == Use::Issues) {
            self.issued.insert(known.identity.hash, (known.first, lifetime));
        }
    }
}

impl Offer<'_> {
    /// The name asked for.
    pub(super) fn name(&self) -> &str {
        self.facts.sni.as_deref().unwrap_or("the server")
    }

    /// The claim of a rule about this offer: a warning with a ground, a remark without.
    pub(super) fn claim(&self, rule: &'static Rule, message: String, what: &str, doubt: &str) -> Finding {
        let severity = if self.ground.is_some() { Severity::Warning } else { Severity::Info };
        let why = match self.ground {
            Some(ground) => format!("{what}, although {}", ground.words()),
            None => format!("{what}; {doubt}"),
        };
        let mut finding = Finding::of(rule, &self.subject, message)
            .severity(severity)
            .on([self.part.connection.id])
            .key(self.part.connection.id.to_string())
            .at(self.resume.answered.unwrap_or(self.resume.begun).time)
            .fault(Fault::Server)
            .why(why)
            .shows_point(self.resume.begun, "the client's hello with the offer");
        if let Some(answer) = self.resume.answered {
            finding = finding.shows_point(answer, "the server's answer without it");
        }
        match self.ground {
            Some(ground) => ground.cite(finding),
            None => finding,
        }
    }
}
