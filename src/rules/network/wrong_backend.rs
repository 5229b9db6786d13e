//! GSN811: in the middle of a session its packets were brought to another host behind the same address.

use crate::events::transport::How;
use crate::events::{Confidence, Side};
use crate::rules::backends::other_backend;
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject, Value};

rule! {
    /// # What it finds
    /// A reset from a server that knows nothing of the connection, and that is another host than the one that had served it,
    /// though it has the same address: it serves other connections.
    ///
    /// # Why it matters
    /// Behind the address stand several hosts, and something (a load balancer, equal-cost routes, anycast) moved a live
    /// connection to one without its state. Sessions break at random, and each host's log shows nothing wrong.
    ///
    /// # How it is decided
    /// The RST has the form of a host without state for it, its hop limit differs from all that the server had sent on this
    /// connection, and equals the one of other connections that were served at this address. Two such connections make it
    /// sure; one alone is likely.
    ///
    /// # What it cannot know
    /// Backends at the same distance look alike. A planned change of all sessions at once is GSN814.
    ///
    /// # How to mend it
    /// Make the balancing stick to the connection: hash on the five-tuple with a stable set of members, share the state table,
    /// drain members before they are removed; on routers use a resilient hash.
    ///
    /// # Sources
    /// RFC 9293 section 3.5.2; RFC 2991 and RFC 7690 (equal-cost paths and anycast break connections); `domain.md` D.9.
    "GSN811", "wrong-backend", "packets of a live session reached another host behind the same address", Error, Transport, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.connection.ended.how == How::Rst && part.sees_both()) {
        if let Some(other) = other_backend(subject.population, part.connection) {
            report(subject, part, other.first, findings);
        }
    }
}

fn report(subject: Subject<'_>, part: Part<'_>, other: crate::place::PacketRef, findings: &mut Findings) {
    let server = part.connection.server;
    let alike = subject
        .population
        .connections_of(server)
        .take(100)
        .filter(|connection| {
            connection.ended.how == How::Rst && other_backend(subject.population, connection).is_some()
        })
        .count();
    let sides = &part.connection.sides[Side::Server];
    let (own, reset) = (sides.ttl.unwrap_or_default(), sides.reset_ttl.unwrap_or_default());
    findings.add(
        Finding::of_part(
            &RULE,
            &subject,
            part,
            format!("the session with {server} was moved to another host behind that address, which reset it"),
        )
        .at(part.connection.end)
        .confidence(if alike > 1 { Confidence::High } else { Confidence::Medium })
        .fault(Fault::Middlebox)
        .why(format!(
            "the reset has the form of a host that does not know the connection, and a hop limit of {reset} where all else of the server had {own}; another connection to {server} was served with {reset}"
        ))
        .advice("keep live connections on their member: balance by the whole five-tuple with a resilient hash, share connection state between members, and drain members before removing them")
        .shows(part.connection.ended.frames.iter().copied(), "the reset, and what it answers")
        .context([other], "a connection that was served from where the reset came")
        .value("ttl", Value::Number(own.into()))
        .value("reset_ttl", Value::Number(reset.into())),
    );
}
