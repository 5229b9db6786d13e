//! GST109: a sign of life was owed and did not come.

use crate::events::transport::{How, Reason};
use crate::events::{Confidence, Marks, Side, Timer};
use crate::rules::{Finding, Findings, Part, Subject};
use crate::session::outcome::seconds;
use crate::session::{Point, Role};
use crate::time::{Span, Timestamp};

rule! {
    /// # What it finds
    /// A session that was given up because a sign of life stayed out: probes of TCP that nobody answered, a ping without
    /// its answer, a client that promised to speak every so often and did not.
    ///
    /// # Why it matters
    /// The peer is gone, hangs, or cannot be reached; until the timer ran out, its session was a ghost that held what it
    /// held.
    ///
    /// # How it is decided
    /// The side that gave up says so; or its probes went unanswered and it reset; or it closed one and a half times the
    /// declared interval after the peer's last word; or it closed some time after a ping that
    /// had no answer.
    ///
    /// # What it cannot know
    /// Whether the silent side had crashed, was asleep, or was cut off.
    ///
    /// # How to mend it
    /// Look at the side that fell silent: a blocked event loop, a sleeping device, a path that was down. Let the client
    /// ping well within the interval.
    ///
    /// # Sources
    /// MQTT 5 section 3.1.2.10; RFC 9293 section 3.8.4; RFC 6455 section 5.5.2; `domain.md` D.9.
    "GST109", "keepalive-missed", "a sign of life was owed and did not come", Error, Session, Session(check)
}

/// A wait that is long for the answer to a ping.
const FIRST: Span = Span::from_millis(2_900);

/// What shows that a sign of life was missed.
pub(super) struct Missed {
    silent: Side,
    confidence: Confidence,
    why: String,
    waited: Option<Span>,
    asked: Option<Point>,
    time: Timestamp,
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.leg.role == Role::Main) {
        let missed =
            probes(&part).or_else(|| stated(&part)).or_else(|| promised(&part)).or_else(|| unanswered(&part));
        let Some(missed) = missed else { continue };
        let (silent, other) = (missed.silent.name(), missed.silent.other().name());
        let message = match missed.waited {
            Some(waited) => format!(
                "the {other} gave the {silent} up, which had shown no sign of life for {}",
                seconds(waited)
            ),
            None => format!("the {other} gave the {silent} up, which showed no sign of life"),
        };
        let mut finding = Finding::of(&RULE, &subject, message)
            .confidence(missed.confidence)
            .alone(&part)
            .at(missed.time)
            .key(part.connection.id.to_string())
            .fault(missed.silent)
            .why(missed.why)
            .advice(advice(&part, missed.silent))
            .shows(part.connection.ended.frames.iter().copied(), "the session is given up");
        if let Some(waited) = missed.waited {
            finding = finding.seconds("silent_s", waited);
        }
        if let Some((_, interval, at)) = interval(&part) {
            finding = finding.seconds("keepalive_s", interval).context_point(at, "the interval is declared");
        }
        if let Some(asked) = missed.asked {
            finding = finding.shows_point(asked, "the last sign that was asked for");
        }
        findings.add(finding);
    }
}

/// The interval that holds: the server's word stands above the client's (MQTT 5 section 3.2.2.3.14).
fn interval(part: &Part<'_>) -> Option<(Side, Span, Point)> {
    let declared =
        part.leg.clocks.declared.iter().filter(|(_, declared, _)| declared.timer == Timer::KeepAlive);
    declared.max_by_key(|(side, _, _)| *side).map(|(side, declared, at)| (*side, declared.span, *at))
}

/// Probes of TCP without an answer.
fn probes(part: &Part<'_>) -> Option<Missed> {
    let ended = &part.connection.ended;
    (ended.reason == Reason::KeepaliveTimeout).then(|| {
        let prober = part.connection.closing.as_deref().map_or(Side::Server, |act| act.side);
        let silent = prober.other();
        let last = part.connection.sides[silent].last;
        Missed {
            silent,
            confidence: Confidence::High,
            why: ended.because.clone(),
            waited: last.map(|last| part.connection.end.since(last)),
            asked: part.leg.clocks.transport.last.map(|(_, at)| at),
            time: part.connection.end,
        }
    })
}

/// The side that gives up says so.
fn stated(part: &Part<'_>) -> Option<Missed> {
    let said = part.leg.farewell.as_deref().filter(|said| said.marks.has(Marks::TIMER))?;
    interval(part)?;
    let silent = said.by.other();
    let text = said.text.as_deref().unwrap_or("keep-alive timeout");
    Some(Missed {
        silent,
        confidence: said.confidence,
        why: format!("the {} said so: {} {text}", said.by.name(), said.code),
        waited: last_word(part, silent, said.at.time).map(|last| said.at.time.since(last)),
        asked: Some(said.at),
        time: said.at.time,
    })
}

/// The last payload of a side before a moment.
fn last_word(part: &Part<'_>, side: Side, before: Timestamp) -> Option<Timestamp> {
    let heard = part.connection.sides[side].last_payload.filter(|time| *time <= before);
    heard.or_else(|| {
        part.leg.dialog.last[side].as_ref().map(|turn| turn.at.time).filter(|time| *time <= before)
    })
}

/// The client promised to speak every so often, and the server closed after one and a half times that.
pub(super) fn promised(part: &Part<'_>) -> Option<Missed> {
    let act = part.connection.closing.as_deref().filter(|act| act.side == Side::Server)?;
    let ended = &part.connection.ended;
    let (_, interval, at) = interval(part)?;
    let last = last_word(part, Side::Client, act.time)?;
    let silent = act.time.since(last);
    let due = interval.0 + interval.0 / 2;
    let fits = (due - due / 10..=due + due / 10 + 1_000_000_000).contains(&silent.0);
    let closed = matches!(ended.how, How::Fin | How::Rst) && ended.by == Side::Server.into();
    let released = part.leg.goodbye.is_some();
    (fits && closed && !released && part.sees_both()).then(|| Missed {
        silent: Side::Client,
        confidence: Confidence::High,
        why: format!(
            "the client had promised a sign of life every {interval}, and the server closed {silent} after the last one, which is one and a half times as long"
        ),
        waited: Some(silent),
        asked: Some(at),
        time: act.time,
    })
}

/// A ping without its answer, though earlier ones had theirs; then the side that pinged closed.
fn unanswered(part: &Part<'_>) -> Option<Missed> {
    let act = part.connection.closing.as_deref()?;
    let rhythm = &part.leg.clocks.application;
    let (pinger, asked) = rhythm.asked?;
    let silent = pinger.other();
    let since = part.connection.sides[silent].last_payload.is_none_or(|time| time < asked.time);
    let waited = act.time.since(asked.time);
    // Of a first ping nobody knows how long its answer takes.
    let usual = rhythm.interval().filter(|_| rhythm.answers > 0);
    let patient = waited >= usual.map_or(FIRST, |interval| Span(interval.0 / 2)).max(Span::from_secs(1));
    let closed = act.side == pinger && part.connection.ended.by == pinger.into();
    let left = part.leg.goodbye.as_deref().is_some_and(|goodbye| goodbye.by == silent);
    (closed && since && patient && rhythm.probes > rhythm.answers && !left && part.sees_both()).then(|| {
        Missed {
            silent,
            confidence: Confidence::High,
            why: format!(
                "{} of {} pings were answered, the last one was not, and the {} closed",
                rhythm.answers,
                rhythm.probes,
                pinger.name()
            ),
            waited: Some(waited),
            asked: Some(asked),
            time: act.time,
        }
    })
}

fn advice(part: &Part<'_>, silent: Side) -> String {
    let within = interval(part).map_or(String::new(), |(_, interval, _)| {
        format!(
            "; it had promised a sign of life every {interval}, so let it ping at least every {}",
            Span(interval.0 / 2)
        )
    });
    format!(
        "find out why the {} fell silent: a process that hangs, a device that sleeps, a path that is cut{within}",
        silent.name()
    )
}
