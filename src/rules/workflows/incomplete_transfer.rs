//! GSW603: less came than was announced.

use std::cmp::Ordering;

use crate::events::transport::{By, How, Reason};
use crate::events::visibility::Sight;
use crate::events::{Confidence, Connection, Position, Side, Stage, Unit};
use crate::rules::data_channel::{came, data_of};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::outcome::describe;
use crate::session::{Verdict, Work};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A body or an object that is shorter at the end than its sender announced: fewer bytes than `Content-Length`, no last
    /// chunk, a data connection that closed without 226, a mail without its final dot. Of TLS whose sender closed in the
    /// middle of its data without `close_notify`, a remark: nobody can tell the whole from a part.
    ///
    /// # Why it matters
    /// Whoever received it may take the part for the whole. The file is there, has a name, and is wrong.
    ///
    /// # How it is decided
    /// The dissector knows how much was announced and how much came, and says so when the connection ends. The claim is
    /// about data that were there to be read: a capture that lost or cut the bytes claims nothing. A receiver that
    /// leaves while it is being served has a right to: that is a remark, unless it asks for the rest afterwards and does
    /// not get it. What was taken up again and finished is a warning.
    ///
    /// # What it cannot know
    /// Whether the receiver noticed, and whether it wanted the rest where it never asked again. An encrypted transfer
    /// shows only how the security layer ended.
    ///
    /// # How to mend it
    /// Take the transfer up again where the protocol allows it (Range, REST, Upload-Offset); check the length or a digest
    /// before the file is used.
    ///
    /// # Sources
    /// RFC 9112 section 8; RFC 959 section 3.4; RFC 5321 section 4.1.1.4; RFC 8446 section 6.1; `domain.md` D.8, D.9.
    "GSW603", "incomplete-transfer", "less came than was announced", Error, Application, Session(check)
}

/// A client that comes back for the rest does so within this time, mostly: the first three SYNs of Linux.
const RETURN: Span = Span::from_secs(3);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        if part.connection.ended.how == How::CaptureEnd || !reads_all(part) {
            continue;
        }
        let mut broken = false;
        let cut = |work: &&Work| is_cut(work) && (has_begun(work) || data_of(subject, work).is_some());
        for (index, work) in part.leg.works.list.iter().enumerate().filter(|(_, work)| cut(work)) {
            broken = true;
            findings.add(of_work(subject, part, work, index));
        }
        if !broken && part.leg.works.list.is_empty() {
            truncated(subject, part, findings);
        }
    }
}

/// Whether nothing of the talk is missing or was cut by the recorder.
fn reads_all(part: Part<'_>) -> bool {
    let visibility = &part.connection.visibility;
    part.sees_both()
        && visibility.snapped == 0
        && visibility.gap_bytes.client + visibility.gap_bytes.server == 0
        && visibility.sight == Sight::Both
}

/// Whether work was begun whose end did not come.
fn is_cut(work: &Work) -> bool {
    match work.ended {
        // What is not counted in bytes carried nothing yet.
        None => work.reached.is_some_and(|position| position.unit == Unit::Bytes),
        Some((Stage::Told, _)) => true,
        Some((Stage::Refused, _)) => work.partial,
        Some(_) => false,
    }
}

/// Whether anything but the request shows a transfer: a length, a byte, or how it ended.
fn has_begun(work: &Work) -> bool {
    work.ended.is_some() || work.reached.is_some_and(|position| position.value > 0 || position.of.is_some())
}

fn of_work(subject: Subject<'_>, part: Part<'_>, work: &Work, index: usize) -> Finding {
    let ended = &part.connection.ended;
    let data = data_of(subject, work);
    let sender = work.sender.or_else(|| data.and_then(|data| sender_of(subject, data)));
    let came = came(work, data);
    let reached = work.reached.map(|position| Position { value: came, ..position });
    let what = describe(&Work { reached, ..work.clone() });
    let receiver = sender.map(Side::other);
    let left = match data.filter(|_| work.ended.is_some_and(is_refusal)) {
        Some(data) => receiver_closed(data),
        None => receiver.is_some_and(|side| ended.by == By::from(side)),
    };
    let fate = Fate::of(subject, work, came);
    // A content that was announced and never begun was held back: for a login, or for leave to send it.
    let held_back = came == 0 && sender == Some(Side::Client);
    let severity = match (left || held_back, fate) {
        (true, Fate::Finished | Fate::Forgotten) => Severity::Info,
        (false, Fate::Finished) | (_, Fate::Open) => Severity::Warning,
        // Who is not watched for long enough may have come back for the rest.
        (_, Fate::Forgotten) if part.watched_after(part.connection.end) < RETURN => Severity::Warning,
        (_, Fate::Wanted | Fate::Forgotten) => Severity::Error,
    };
    let afterwards = match fate {
        Fate::Finished => ", and was finished later",
        Fate::Open => ", and was asked for again when the capture ended",
        Fate::Wanted => ", and was asked for again in vain",
        Fate::Forgotten => "",
    };
    let mut finding = Finding::of(&RULE, &subject, format!("{what} came in part only{afterwards}"))
        .on(std::iter::once(part.connection.id).chain(data.map(|data| data.id)))
        .at(work.ended.map_or(part.connection.end, |(_, at)| at.time))
        .key(format!("{} {index}", part.connection.id))
        .severity(severity)
        .fault(ended.by)
        .why(format!("its end was announced and did not come: {}", ended.because))
        .advice(advice(subject))
        .context_point(work.begun, "the transfer begins");
    if let Some((_, at)) = work.ended {
        finding = finding.shows_point(at, "and is cut here");
    }
    if let Some(Position { of: Some(whole), .. }) = work.reached {
        finding = finding.number("bytes", came).number("announced", whole);
    }
    if work.ended.is_none() {
        // Where its bytes were not seen, that its end did not come is all there is.
        finding = finding.confidence(if came == 0 { Confidence::Medium } else { Confidence::High });
    }
    finding.shows(ended.frames.iter().copied(), "the end of the connection")
}

fn is_refusal((stage, _): (Stage, crate::session::Point)) -> bool {
    stage == Stage::Refused
}

/// What became of the object afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Somebody fetched or sent it whole.
    Finished,
    /// Somebody asked for the rest, and did not get it.
    Open,
    Wanted,
    /// Nobody asked for it again.
    Forgotten,
}

impl Fate {
    fn of(subject: Subject<'_>, work: &Work, came: u64) -> Self {
        let Some(object) = &work.object else { return Self::Forgotten };
        let later = || std::iter::once(subject).chain(subject.later_of_pair().take(16));
        let same =
            |other: &&Work| other.object.as_ref() == Some(object) && other.begun.time > work.begun.time;
        let mut again = later().flat_map(|other| other.session.works()).filter(same).peekable();
        // A player that jumps about in a film asks for parts far from where it left.
        let near = |asked: Position| asked.value <= came && asked.value.saturating_mul(2) >= came;
        let asks = later().flat_map(|other| other.session.resumptions()).any(|resume| {
            let named = resume.object.as_ref().is_none_or(|named| named == object);
            named && resume.begun.time > work.begun.time && resume.asked.is_some_and(near)
        });
        let anew = again.peek().is_some();
        if again.any(|other| matches!(other.ended, Some((Stage::Granted, _)))) {
            Self::Finished
        } else if (asks || anew) && later().any(|other| is_open_later(other, work)) {
            Self::Open
        } else if asks || (anew && work.sender.is_none()) {
            Self::Wanted
        } else {
            Self::Forgotten
        }
    }
}

/// Whether the capture ended while a later connection of the session was under way.
fn is_open_later(subject: Subject<'_>, work: &Work) -> bool {
    subject
        .parts()
        .any(|part| part.connection.start > work.begun.time && part.connection.ended.how == How::CaptureEnd)
}

/// The side of the session whose bytes a data connection carries.
fn sender_of(subject: Subject<'_>, data: &Connection) -> Option<Side> {
    let (client, server) = (data.sides.client.delivered_bytes, data.sides.server.delivered_bytes);
    let speaker = match client.cmp(&server) {
        Ordering::Equal => return None,
        Ordering::Greater => data.client.ip,
        Ordering::Less => data.server.ip,
    };
    Some(if speaker == subject.session.client.ip { Side::Client } else { Side::Server })
}

/// Whether the side of a data connection that only listened closed it first.
fn receiver_closed(data: &Connection) -> bool {
    let (client, server) = (data.sides.client.delivered_bytes, data.sides.server.delivered_bytes);
    let receiver = if client > server { By::Server } else { By::Client };
    matches!(data.ended.how, How::Fin | How::Rst) && data.ended.by == receiver
}

fn advice(subject: Subject<'_>) -> String {
    let check = "check its length or a digest before it is used";
    match &subject.session.at_risk {
        Some(risk) => match (risk.verdict, risk.mechanism) {
            (Verdict::Resume, Some(mechanism)) => {
                format!("take it up again by {mechanism}: the object is proven the same; {check}")
            }
            (Verdict::ResumeUnproven, Some(mechanism)) => format!(
                "take it up again by {mechanism}, with a validator, for nothing proves that the object is the same; {check}"
            ),
            (Verdict::Restart, _) => format!("begin anew: nothing offers to take it up; {check}"),
            _ => format!(
                "take it up again where it stopped if the protocol offers that, else begin anew; {check}"
            ),
        },
        None => {
            format!("take it up again where it stopped if the protocol offers that, else begin anew; {check}")
        }
    }
}

/// TLS that nobody can read, closed by its server right after its own data and without its good-bye.
fn truncated(subject: Subject<'_>, part: Part<'_>, findings: &mut Findings) {
    let connection = part.connection;
    let ended = &connection.ended;
    let unsaid = match part.leg.security_goodbye {
        Some((Side::Server, _)) => false,
        // The client's own good-bye came first: the server only follows.
        Some((Side::Client, at)) => ended.frames.first().is_some_and(|closing| at.first > *closing),
        None => true,
    };
    let spoke_last = connection.sides.server.last_payload
        > connection.sides.client.last_payload.filter(|_| part.leg.security_goodbye.is_none())
        || part.leg.security_goodbye.is_some();
    let idle = matches!(ended.reason, Reason::IdleTimeout | Reason::ServerShutdown);
    if part.leg.security.is_none()
        || part.leg.opaque == 0
        || part.leg.protocols.len() > 1
        || !unsaid
        || !spoke_last
        || idle
        || ended.by != By::Server
        || !matches!(ended.how, How::Fin | How::Rst)
    {
        return;
    }
    findings.add(
        Finding::of(&RULE, &subject, "the server closed its encrypted answer without close_notify: it may have been cut short")
            .severity(Severity::Info)
            .on([connection.id])
            .key(format!("{} tls", connection.id))
            .fault(Fault::Server)
            .why("the last bytes before the closing packet are the server's data, and no alert of it came before: its length is known to nobody")
            .advice("give the keys (--keylog) to see whether the content was whole; have the server send close_notify, and the client check the length")
            .context_point(part.leg.last, "the last that was said")
            .shows(ended.frames.iter().copied(), "the end of the connection"),
    );
}
