//! GSA506: a client is refused because its own dead session still counts.

use crate::events::transport::{Opened, Reason};
use crate::events::{Confidence, Marks, Side};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Population, Subject};
use crate::session::outcome::seconds;
use crate::session::{LoginResult, Point};
use crate::time::Timestamp;

rule! {
    /// # What it finds
    /// A client that may not come in because there are too many sessions of it already, while the server still holds one
    /// of its earlier sessions in which the client has fallen silent.
    ///
    /// # Why it matters
    /// The user is locked out by a ghost: nobody uses the old session, and the server does not know it.
    ///
    /// # How it is decided
    /// The server refuses a connection or a login and says that there are too many (421, 530, a limit of users or
    /// connections). An earlier connection of the same client with the same server was neither closed by the client nor
    /// by the server at that time, and the client says nothing on it any more. It is a finding where the
    /// client gets in once that connection has ended, or the server found out that it was dead; without either it is a
    /// suspicion, and only told (info).
    ///
    /// # What it cannot know
    /// Sessions of the same user from elsewhere, and limits that count other people.
    ///
    /// # How to mend it
    /// Let the server look after dead clients sooner (TCP keep-alive, a shorter idle timeout), or let a new login of the
    /// same user replace the old session. Let the client close before it comes back.
    ///
    /// # Sources
    /// RFC 959 section 4.2 (421); RFC 1122 section 4.2.3.6 (keep-alive); `domain.md` D.5, D.9.
    "GSA506", "blocked-by-own-ghost", "a client is locked out by its own dead session", Error, Session, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (_, sessions) in population.pairs() {
        let parts: Vec<(Subject<'_>, Part<'_>)> =
            sessions.iter().flat_map(|subject| subject.mains().map(|part| (*subject, part))).collect();
        let refused: Vec<(usize, Point)> = parts
            .iter()
            .enumerate()
            .filter_map(|(index, (_, part))| refusal(part).map(|at| (index, at)))
            .collect();
        let Some((first, at)) = refused.iter().min_by_key(|(_, at)| at.time).copied() else { continue };
        let Some((_, ghost)) = parts
            .iter()
            .enumerate()
            .filter(|(index, _)| !refused.iter().any(|(other, _)| other == index))
            .map(|(_, one)| one)
            .rfind(|(_, part)| is_held(part, at.time))
        else {
            continue;
        };
        let Some((subject, _)) = parts.get(first) else { continue };
        let last = refused.iter().map(|(_, at)| at.time).max().unwrap_or(at.time);
        let back = parts
            .iter()
            .filter(|(_, part)| part.connection.start > last && part.leg.dialog.answered > 0)
            .map(|(_, part)| part.leg.first)
            .min_by_key(|point| point.time);
        findings.add(finding(subject, ghost, &refused, &parts, back));
    }
}

/// Where the server said that there are too many.
fn refusal(part: &Part<'_>) -> Option<Point> {
    let at_door = part.leg.refused.as_ref().filter(|refused| refused.marks.has(Marks::LIMIT));
    let at_login = || {
        let mut logins = part.leg.logins.list.iter();
        logins.find(|login| login.result == LoginResult::Refused && login.marks.has(Marks::LIMIT))
    };
    at_door.map(|refused| refused.at).or_else(|| at_login().map(|login| login.last))
}

/// Whether this connection was begun before, not closed by anybody at that time, and silent on the client's side since.
fn is_held(part: &Part<'_>, now: Timestamp) -> bool {
    let connection = part.connection;
    let sides = &connection.sides;
    let open = [sides.client.closed, sides.server.closed].iter().flatten().all(|closed| *closed > now);
    let spoke = sides.client.last_payload.is_some_and(|last| last >= now);
    let silent = sides.client.last.is_none_or(|last| last < now) || (!spoke && knows_nothing(part));
    connection.opened != Opened::Never
        && connection.start < now
        && open
        && silent
        && part.leg.dialog.answered > 0
}

/// Whether the client's host answered by nothing but a reset in the end: it knows nothing of this connection. Zeek's
/// history has `R` for a client's RST and `F` for its FIN.
fn knows_nothing(part: &Part<'_>) -> bool {
    let history = &part.connection.history;
    history.contains('R') && !history.contains('F')
}

fn finding(
    subject: &Subject<'_>,
    ghost: &Part<'_>,
    refused: &[(usize, Point)],
    parts: &[(Subject<'_>, Part<'_>)],
    back: Option<Point>,
) -> Finding {
    let first = refused.iter().map(|(_, at)| *at).min_by_key(|at| at.time);
    let ended = &ghost.connection.ended;
    let found_dead = matches!(
        ended.reason,
        Reason::KeepaliveTimeout | Reason::PeerVanished | Reason::UserTimeout | Reason::IdleTimeout
    );
    let found_dead = found_dead || knows_nothing(ghost);
    let freed = back.is_some_and(|back| ghost.connection.end <= back.time);
    // A connection that is merely quiet may be in use again as soon as the recording is over.
    let confidence = if found_dead || freed { Confidence::High } else { Confidence::Low };
    let connections = refused
        .iter()
        .filter_map(|(index, _)| parts.get(*index).map(|(_, part)| part.connection.id))
        .chain([ghost.connection.id]);
    let times = if refused.len() == 1 { String::from("once") } else { format!("{} times", refused.len()) };
    let let_in = match (first, back) {
        (Some(first), Some(back)) => {
            format!("; it was let in {} after the first refusal", seconds(back.time.since(first.time)))
        }
        _ => String::new(),
    };
    let mut finding = Finding::of(
        &RULE,
        subject,
        format!(
            "the client was refused {times} because of too many sessions, while a dead session of its own was held{let_in}"
        ),
    )
    .on(connections)
    .confidence(confidence)
    .fault(Fault::Server)
    .why("the refusal speaks of too many, and an earlier connection of the same client was open and silent at that time")
    .advice("let the server find dead clients sooner (TCP keep-alive of a minute, a shorter idle timeout), or let a new login replace the old session; let the client close before it comes back")
    .context_point(ghost.leg.last, "the last that was said on the earlier connection")
    .context(ended.frames.iter().copied(), "the end of the earlier connection")
    .shows(refused.iter().flat_map(|(_, at)| at.frames()), "the refusals");
    if let Some(first) = first {
        finding = finding.at(first.time);
        let silent_since = ghost.connection.sides[Side::Client].last.unwrap_or(ghost.connection.start);
        finding = finding.seconds("ghost_silent_s", first.time.since(silent_since));
        if let Some(back) = back {
            finding = finding
                .context_point(back, "the client is let in again")
                .seconds("locked_out_s", back.time.since(first.time));
        }
    }
    finding
}
