//! GSN804: so much was lost on the way that the session suffered.

use crate::events::transport::Reason;
use crate::events::{Confidence, Side};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject, Value};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A direction in which at least 3 of 100 segments had to be sent again, on a connection that stood still for seconds or
    /// ended badly.
    ///
    /// # Why it matters
    /// TCP hides loss until it does not: throughput falls, answers take seconds, and time-outs of programs fire.
    ///
    /// # How it is decided
    /// Repeated segments over all segments with data, of at least 200, without repetitions of what had arrived, without frames
    /// that the recorder wrote twice, and without the repetitions of the one segment at which a connection died. Loss
    /// that hurts nobody is not told here.
    ///
    /// # What it cannot know
    /// Where on the path it is lost. A capture that itself lost packets is left out.
    ///
    /// # How to mend it
    /// Look at error and drop counters of the links on the way: a full queue, a duplex mismatch, bad radio, a policer.
    ///
    /// # Sources
    /// RFC 9293 section 3.8.1; RFC 6298; RFC 5681; `domain.md` D.1 (`loss_bad`), D.9.
    "GSN804", "loss-heavy", "so much was lost on the way that the session suffered", Warning, Transport, Session(check)
}

/// Segments with data below which a ratio says nothing.
const SEGMENTS: u32 = 200;

/// Repeated ÷ sent.
const RATIO: f64 = 0.03;

/// Standing still for so long is felt.
const STALL: Span = Span::from_secs(3);

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts().filter(|part| part.sees_both()) {
        let stall = part.connection.trouble.as_deref().and_then(|trouble| trouble.stall);
        let stood = stall.map_or(Span::ZERO, |stall| {
            stall.ended.map_or(part.connection.end, |mark| mark.time).since(stall.first.time)
        });
        let badly = matches!(
            part.connection.ended.reason,
            Reason::Abort | Reason::AppTimeout | Reason::UserTimeout | Reason::PeerVanished
        );
        if stood < STALL && !badly {
            continue;
        }
        for side in Side::BOTH {
            let facts = &part.connection.sides[side];
            let last_words = stall.filter(|stall| stall.by == side).map_or(0, |stall| stall.transmissions);
            let spurious = part.connection.wireshark.spurious_retransmission;
            let lost = facts.retransmitted_segments.saturating_sub(last_words).saturating_sub(spurious);
            let ratio = f64::from(lost) / f64::from(facts.data_segments.max(1));
            if facts.data_segments >= SEGMENTS && ratio >= RATIO {
                report(subject, part, side, (lost, ratio), stood, findings);
            }
        }
    }
}

fn report(
    subject: Subject<'_>,
    part: Part<'_>,
    side: Side,
    (lost, ratio): (u32, f64),
    stood: Span,
    findings: &mut Findings,
) {
    let facts = &part.connection.sides[side];
    let name = side.name();
    let mut finding = Finding::of_part(
        &RULE,
        &subject,
        part,
        format!("{:.1} % of the {name}'s segments had to be sent again, and the connection suffered", ratio * 100.0),
    )
    .key(format!("{} {name}", part.connection.id))
    .confidence(Confidence::High)
    .fault(Fault::Network)
    .why(format!(
        "{lost} of {} segments with data were repeated because they had not arrived; {}",
        facts.data_segments, part.connection.ended.because
    ))
    .advice("look at the error and drop counters of links, queues and radio on the way, and at policers and duplex settings")
    .shows([part.connection.first, part.connection.last], "the connection in which segments were repeated")
    .context(part.connection.ended.frames.iter().copied(), "how it ended")
    .number("repeated", lost)
    .number("segments", facts.data_segments)
    .value("ratio", Value::Ratio(ratio));
    if let Some(stall) = part.connection.trouble.as_deref().and_then(|trouble| trouble.stall)
        && stood >= STALL
    {
        finding = finding.shows([stall.first.at, stall.last.at], format!("nothing got through for {stood}"));
    }
    findings.add(finding);
}
