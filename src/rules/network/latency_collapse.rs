//! GSN813: the round trip became so slow that timers fired though nothing was lost.

use crate::events::transport::Reason;
use crate::events::{Confidence, Side};
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A connection whose smoothed round-trip time rose to ten times its shortest and above a second, so that segments were
    /// repeated that had arrived, or an end gave up waiting.
    ///
    /// # Why it matters
    /// A queue somewhere on the way is far too long, or the path has changed. Nothing is lost, and yet everything times out.
    ///
    /// # How it is decided
    /// Round trips are measured from data to its acknowledgment by the other host, where it was sent once or where timestamps
    /// tell the copies apart: a slow program does not count. The rise alone is nothing; it is told where something came of it.
    ///
    /// # What it cannot know
    /// Where the queue is, and whether this connection or another fills it.
    ///
    /// # How to mend it
    /// Active queue management (`fq_codel`, `cake`) on the narrow link, a rate limit below the link's, or more capacity.
    ///
    /// # Sources
    /// RFC 6298 (round-trip times, Karn's rule); RFC 7323 and RFC 3522 (timestamps); RFC 8033 and RFC 8290 (queue management); `domain.md` D.9.
    "GSN813", "latency-collapse", "round trips became so slow that timers fired though nothing was lost", Warning, Transport, Session(check)
}

/// The rise that is a collapse.
const RISE: i64 = 10;

/// A round trip that collides with usual timers.
const SLOW: Span = Span::from_secs(1);

/// Fewer measurements tell nothing about a usual value.
const SAMPLES: u32 = 8;

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let rtt = &part.connection.rtt;
        let slow = part.connection.trouble.as_deref().map(|trouble| trouble.sides);
        let slow = slow.into_iter().flat_map(|sides| Side::BOTH.map(|side| sides[side].slow)).flatten();
        let (echoed, needless) = slow.fold((Span::ZERO, 0), |(peak, needless), slow| {
            (peak.max(slow.peak), needless.max(slow.needless))
        });
        let Some(shortest) = rtt.min else { continue };
        let peak = echoed.max(rtt.peak.unwrap_or_default());
        let collapsed = peak >= SLOW && peak.0 >= shortest.0.saturating_mul(RISE) && rtt.samples >= SAMPLES;
        let spurious = part.connection.wireshark.spurious_retransmission.max(needless);
        let gave_up = matches!(part.connection.ended.reason, Reason::AppTimeout | Reason::UserTimeout);
        if !collapsed || !part.sees_both() || (spurious == 0 && !gave_up) {
            continue;
        }
        let consequence = if gave_up {
            "and an end gave up waiting".to_owned()
        } else {
            format!("and {spurious} segments were repeated that had arrived")
        };
        findings.add(
            Finding::of_part(
                &RULE,
                &subject,
                part,
                format!("round trips rose from {shortest} to {peak}, {consequence}"),
            )
            .confidence(Confidence::High)
            .fault(Fault::Network)
            .why(format!("{} round trips were measured from data to its acknowledgment, which no program can delay", rtt.samples))
            .advice("look for the full queue on the narrowest link: active queue management (fq_codel, cake), a rate limit below the link's, or more capacity")
            .shows([part.connection.first, part.connection.last], "the connection in which round trips rose")
            .context(part.connection.ended.frames.iter().copied(), "how it ended")
            .seconds("rtt_min_s", shortest)
            .seconds("rtt_peak_s", peak)
            .number("spurious", spurious),
        );
    }
}
