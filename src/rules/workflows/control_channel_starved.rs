//! GSW610: while data flowed beside it, the control connection was forgotten.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Side};
use crate::rules::data_channel::data_of;
use crate::rules::{Fault, Finding, Findings, Severity, Subject};
use crate::session::Work;
use crate::session::outcome::describe;

rule! {
    /// # What it finds
    /// A transfer over a connection of its own, during which the control connection lay idle and died: the word that the
    /// transfer is complete never arrived.
    ///
    /// # Why it matters
    /// All bytes may have come, and nobody can know. Clients wait, give up, and transfer it all again.
    ///
    /// # How it is decided
    /// Nothing was said on the control connection while data flowed, and afterwards what the server said stayed without
    /// acknowledgement, or the connection was reset, or it fell silent with the transfer open. Where the final word
    /// arrives, nothing is reported.
    ///
    /// # What it cannot know
    /// Which box between the two forgot it, and after how long exactly: it is shorter than the time of idleness told.
    ///
    /// # How to mend it
    /// Send `NOOP` on the control connection during transfers, or TCP keep-alives, more often than the box forgets; raise
    /// the box's idle limit, or its helper for the protocol.
    ///
    /// # Sources
    /// RFC 959 section 3.2; RFC 5382 REQ-5; `domain.md` D.9.
    "GSW610", "control-channel-starved", "the control connection died while data flowed beside it", Error, Transport, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.mains() {
        let control = part.connection;
        let ended = &control.ended;
        let unheard = control.sides.server.unacked_bytes > 0;
        let died = matches!(
            ended.reason,
            Reason::PeerVanished
                | Reason::UserTimeout
                | Reason::MiddleboxTimeout
                | Reason::MiddleboxReset
                | Reason::KeepaliveTimeout
        ) || (ended.how == How::Rst && unheard);
        if !died || !part.sees_both() {
            continue;
        }
        // The last transfer, and the data connection that outlived the control connection's last word before.
        let open = |work: &&Work| work.ended.is_none() || unheard;
        let last = part.leg.works.list.iter().rev().find(open);
        let Some((work, data)) = last.and_then(|work| Some((work, data_of(subject, work)?))) else {
            continue;
        };
        let idle = part
            .leg
            .clocks
            .quiet
            .iter()
            .filter(|quiet| quiet.until.time > work.begun.time)
            .max_by_key(|quiet| quiet.span);
        let idle = idle.map_or_else(|| control.longest_idle, |quiet| quiet.span);
        let flowed = data.end.since(data.start);
        // It lay idle for most of the transfer, and the transfer made up most of its idleness.
        if idle.0.saturating_mul(2) < flowed.0 || flowed.0.saturating_mul(2) < idle.0 || flowed.0 <= 0 {
            continue;
        }
        let what = describe(work);
        let sign = if unheard {
            "the server's last word was never acknowledged"
        } else {
            "its last word never came"
        };
        findings.add(
            Finding::of(
                &RULE,
                &subject,
                format!("the control connection lay idle for {:.1} s during {what} and is dead since: {sign}", idle.as_secs()),
            )
            .severity(Severity::Error)
            .confidence(Confidence::High)
            .on([control.id, data.id])
            .key(control.id.to_string())
            .fault(Fault::Middlebox)
            .why(format!("data flowed for {:.1} s on the other connection; {}", flowed.as_secs(), ended.because))
            .advice("send NOOP or TCP keep-alives on the control connection more often than the box between forgets, or raise its idle limit")
            .seconds("idle_s", idle)
            .seconds("transfer_s", flowed)
            .number("unacked", control.sides[Side::Server].unacked_bytes)
            .context_point(work.begun, "the transfer begins")
            .context([data.first, data.last], "data flow on a connection of their own")
            .shows(ended.frames.iter().copied(), "the control connection is dead"),
        );
    }
}
