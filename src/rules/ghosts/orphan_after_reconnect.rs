//! GSG206: the client has come back, and the server still keeps its old session.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Connection, Side, Strength};
use crate::rules::departure::{reached_again, vanished};
use crate::rules::{Fault, Finding, Findings, Part, Subject};
use crate::session::outcome::seconds;
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A client that vanished and came back on a new connection while the server still held, probed or served the old one.
    ///
    /// # Why it matters
    /// One user now counts twice: limits of sessions, locks and "already logged in" strike the user's own return. What the
    /// server still sends goes to the ghost.
    ///
    /// # How it is decided
    /// The old connection was never closed by the client, which no longer answered on it. A new connection of the same client
    /// host to the same service was accepted and used before the server gave the old one up; or it came from the very same
    /// port, which only a host does that has lost its state. If both show the same name or key, it is sure.
    ///
    /// # What it cannot know
    /// Behind a NAT the new connection may be another user's, where no name or key ties the two.
    ///
    /// # How to mend it
    /// Let a new login of the same identity take the old session over, and notice dead peers sooner: shorter keep-alive on the
    /// server.
    ///
    /// # Sources
    /// RFC 9293 sections 3.5.1 (half-open connections) and 3.8.4; MQTT 5 section 3.1.4; `domain.md` D.5, D.9.
    "GSG206", "orphan-after-reconnect", "the client came back while its old session was still held", Error, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for old in subject.mains() {
        if old.connection.ended.reason == Reason::Superseded && talked(old.connection) && old.sees_both() {
            if let Some(finding) = same_port(subject, old) {
                findings.add(finding);
            }
        } else if let Some(last_sign) = client_gone(old) {
            let held = (last_sign, old.connection.end);
            if let Some(new) = reached_again(subject, held) {
                let silent = new.connection.start.since(last_sign);
                let kept = old.connection.end.since(new.connection.start);
                let known = tied(subject, new);
                let finding = claim(subject, old, new.connection.id)
                    .confidence(if known { Confidence::High } else { Confidence::Medium })
                    .why(format!(
                        "the client was silent on connection {} for {}, began connection {} and was served there, and the server kept the old one for {} more",
                        old.connection.id,
                        seconds(silent),
                        new.connection.id,
                        seconds(kept)
                    ))
                    .seconds("kept_s", kept)
                    .shows([new.connection.first], "the client comes back")
                    .shows(old.connection.ended.frames.iter().copied(), "the old connection is still held");
                findings.add(finding);
            }
        }
    }
}

/// When the client gave its last sign of life on a connection that the server went on holding: it vanished, or a box
/// between the two let nothing through any more.
fn client_gone(old: Part<'_>) -> Option<Timestamp> {
    if let Some(departure) = vanished(old) {
        return (departure.gone == Side::Client).then_some(departure.last_sign);
    }
    let connection = old.connection;
    let swallowed =
        connection.ended.reason == Reason::MiddleboxTimeout && connection.ended.how == How::Silence;
    let (client, server) = (connection.sides.client.last?, connection.sides.server.last?);
    (swallowed && old.sees_both() && client < server).then_some(client)
}

/// Whether more than the address ties the new connection to the session.
fn tied(subject: Subject<'_>, new: Part<'_>) -> bool {
    let own = subject.session.legs.iter().find(|leg| leg.connection == new.connection.id);
    if let Some(leg) = own {
        return leg.stitch.is_none_or(|stitch| stitch.by.strength() > Strength::Heuristic);
    }
    let theirs =
        subject.population.session_of(new.connection.id).and_then(|other| other.session.principal.as_ref());
    let principal = subject.session.principal.as_ref();
    principal.is_some() && principal.map(|who| who.hash) == theirs.map(|who| who.hash)
}

fn claim(subject: Subject<'_>, old: Part<'_>, new: u32) -> Finding {
    let message = format!(
        "the client came back on connection {new} while the server still held connection {}",
        old.connection.id
    );
    Finding::of_part(&RULE, &subject, old, message)
        .on([old.connection.id, new])
        .fault(Fault::Server)
        .advice("let a new session of the same client take the old one over; shorten the server's keep-alive so that dead clients are noticed sooner")
}

/// Whether both sides said something.
fn talked(connection: &Connection) -> bool {
    Side::BOTH.iter().all(|side| connection.sides[*side].payload_bytes > 0)
}

/// The client's host lost its state and began again from the same port.
fn same_port(subject: Subject<'_>, old: Part<'_>) -> Option<Finding> {
    let same = |other: &&Connection| {
        other.client == old.connection.client && other.id > old.connection.id && talked(other)
    };
    let new = subject.population.connections_of(old.connection.server).find(same)?;
    let finding = claim(subject, old, new.id)
        .confidence(Confidence::Medium)
        .why(format!("{}: a host does so that has lost its state", old.connection.ended.because))
        .shows(old.connection.ended.frames.iter().copied(), "the old connection, never closed")
        .shows([new.first], "the same ports begin anew");
    Some(finding)
}
