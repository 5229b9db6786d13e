//! A name for a finding that stays the same from run to run of the same service: what a baseline is made of.
//!
//! It holds the rule, the protocol, the service as its clients name it, who is at fault, what was worked on, and which
//! of several alike it is. It holds no time, client port, frame number or address, and no word of our own sentences, so
//! that neither another recording nor another wording makes a known finding new.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::population::Population;
use crate::events::{Connection, Hash128};
use crate::names::Names;
use crate::place::PacketRef;
use crate::session::{Point, Session};

/// Letters of an object that are looked at: a longer one is known by its beginning.
const TEMPLATE_CHARS: usize = 200;

/// Shorter runs of hexadecimal digits with a number among them may be names: `v2`, `b12`.
const HEXADECIMAL: usize = 4;

/// Letters and numbers mixed from this length on are the names of sessions and uploads.
const TOKEN: usize = 16;

/// What a finding is about, for its name and for people who read a baseline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct About {
    /// The protocol; empty for the capture itself.
    pub protocol: String,
    /// The name that the user gave to the service, else that which clients use for it, else its port; empty for the capture itself.
    pub service: String,
    /// What was worked on, with numbers and tokens taken out; empty where nothing is named.
    pub object: String,
}

impl About {
    /// What this finding is about.
    pub fn of(finding: &Finding, population: &Population<'_>) -> Self {
        let session = finding
            .session
            .and_then(|id| population.sessions.get(id.checked_sub(1)? as usize))
            .or_else(|| Some(population.session_of(*finding.connections.first()?)?.session));
        let connection = || population.connections.get(*finding.connections.first()? as usize);
        match (session, connection()) {
            (Some(session), _) => Self {
                protocol: session.protocol.to_owned(),
                service: population.name_of(session.server).map_or_else(|| service(session), str::to_owned),
                object: object(session, &finding.frames()),
            },
            (None, Some(connection)) => Self {
                protocol: connection.transport.name().to_owned(),
                service: population
                    .name_of(connection.server)
                    .map_or_else(|| format!("port {}", service_port(connection)), str::to_owned),
                object: String::new(),
            },
            (None, None) => Self::default(),
        }
    }
}

impl About {
    /// What a session is about: by the first thing that was asked for in it.
    pub fn of_session(session: &Session, names: &Names) -> Self {
        let legs = || session.legs.iter().map(|leg| &leg.leg);
        let works = legs()
            .flat_map(|leg| &leg.works.list)
            .map(|work| (work.begun, work.op.to_string(), work.object.as_deref()));
        let actions = legs()
            .flat_map(|leg| &leg.actions)
            .map(|acted| (acted.asked, acted.op.to_string(), acted.object.as_deref()));
        let resumes = legs()
            .flat_map(|leg| &leg.resumptions.list)
            .map(|resume| (resume.begun, resume.mechanism.to_owned(), resume.object.as_deref()));
        let first = works.chain(actions).chain(resumes).min_by_key(|(at, ..)| at.first);
        Self {
            protocol: session.protocol.to_owned(),
            service: names
                .service(session.server.ip, session.server.port)
                .map_or_else(|| service(session), str::to_owned),
            object: first.map_or_else(String::new, |(_, op, object)| object.map_or(op, template)),
        }
    }
}

/// The name that clients use for a session's service, else its port.
fn service(session: &Session) -> String {
    named_by_clients(session).unwrap_or_else(|| format!("port {}", session.server.port))
}

/// A refused datagram or SYN may have come from the service itself: of two ports the lower one is the lasting one.
fn service_port(connection: &Connection) -> u16 {
    connection.server.port.min(connection.client.port)
}

/// The name in the client's hello, in lower case.
fn named_by_clients(session: &Session) -> Option<String> {
    let mut facts = session.legs.iter().filter_map(|leg| leg.leg.security.as_deref());
    facts.find_map(|facts| facts.sni.as_deref()).map(str::to_lowercase)
}

/// What the cited frames asked for: the first question, work, action or resumption among them.
fn object(session: &Session, frames: &[PacketRef]) -> String {
    let cited = |point: &Point| {
        frames.binary_search(&point.first).is_ok() || frames.binary_search(&point.last).is_ok()
    };
    let legs = || session.legs.iter().map(|leg| &leg.leg);
    let works = legs().flat_map(|leg| &leg.works.list).filter(|work| cited(&work.begun));
    let questions = legs().flat_map(|leg| &leg.dialog.open).filter(|question| cited(&question.at));
    let resumes = legs().flat_map(|leg| &leg.resumptions.list).filter(|resume| cited(&resume.begun));
    let named = works
        .map(|work| (work.begun, work.op.to_string(), work.object.as_deref()))
        .chain(questions.map(|question| (question.at, question.op.to_string(), question.object.as_deref())))
        .chain(resumes.map(|resume| (resume.begun, resume.mechanism.to_owned(), resume.object.as_deref())));
    let first = named.min_by_key(|(at, ..)| at.first);
    // The object is the same however it is asked for: in one go, or in two with a resumption between.
    first.map_or_else(String::new, |(_, op, object)| object.map_or(op, template))
}

/// What stays of an object when it is asked for again another day: without its query, numbers and tokens.
pub fn template(object: &str) -> String {
    let path = object.split(['?', '#']).next().unwrap_or(object);
    let mut out = String::new();
    let mut run = String::new();
    for letter in path.chars().take(TEMPLATE_CHARS) {
        if letter.is_alphanumeric() {
            run.push(letter);
        } else {
            out.push_str(&kept(&run));
            run.clear();
            out.push(letter);
        }
    }
    out.push_str(&kept(&run));
    out
}

fn kept(run: &str) -> String {
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let hexadecimal = run.len() >= HEXADECIMAL && run.chars().all(|letter| letter.is_ascii_hexdigit());
    if digits > 0 && (digits == run.len() || hexadecimal || run.len() >= TOKEN) {
        return "*".to_owned();
    }
    run.to_owned()
}

/// Gives each finding its name; `findings` are in the order of the output.
pub(super) fn assign(findings: &mut [Finding], population: &Population<'_>) {
    let mut alike: BTreeMap<(&'static str, &'static str, About), u32> = BTreeMap::new();
    for finding in findings {
        let about = About::of(finding, population);
        let nth = alike.entry((finding.rule.code, finding.fault.name(), about.clone())).or_default();
        *nth += 1;
        finding.fingerprint = Hash128::of(&[
            finding.rule.code.as_bytes(),
            about.protocol.as_bytes(),
            about.service.as_bytes(),
            finding.fault.name().as_bytes(),
            about.object.as_bytes(),
            &nth.to_be_bytes(),
        ]);
        finding.about = about;
    }
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn what_changes_from_run_to_run_is_taken_out() {
        let cases = [
            ("/orders/4711/items?page=2", "/orders/*/items"),
            ("/v2/report.csv", "/v2/report.csv"),
            ("/files/17089d268bb799816630f63354fd3cab", "/files/*"),
            ("/s/550e8400-e29b-41d4-a716-446655440000/end", "/s/*-*-*-*-*/end"),
            ("/deadbeef/face", "/deadbeef/face"),
            ("sensors/room12/temperature", "sensors/room12/temperature"),
        ];
        for (object, kept) in cases {
            assert_eq!(template(object), kept, "{object}");
        }
    }
}
