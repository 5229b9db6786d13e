//! GST103: a request went into a connection that its peer had just closed.

use crate::events::transport::How;
use crate::events::{Confidence, Safety, Side};
use crate::rules::idle_closings::{IdleClosing, crossing};
use crate::rules::{Fault, Finding, Findings, Part, Severity, Subject};
use crate::session::outcome::name;
use crate::session::{Acted, Question, Role};

rule! {
    /// # What it finds
    /// A request that was sent on a kept-alive connection after its peer had closed it, and that was answered by a RST
    /// or not at all.
    ///
    /// # Why it matters
    /// The sender sees "connection reset by peer" for a request that nobody refused. It cannot know whether the request
    /// was carried out, and does not repeat it if twice would not be once.
    ///
    /// # How it is decided
    /// The first closing act was the peer's FIN or RST with nothing owed. The request was sent after it, no byte of
    /// answer came, and nothing of the peer's shows that the request was read. A good-bye is no request. Where the same
    /// safe request succeeded on a new connection, it is a fact (info).
    ///
    /// # What it cannot know
    /// Whether the sender could already have known: the FIN may have been on its way still.
    ///
    /// # How to mend it
    /// Give up idle connections earlier than the peer does; repeat what is idempotent at once on a new connection.
    ///
    /// # Sources
    /// RFC 9112 sections 9.3.1 and 9.5; RFC 9110 section 9.2.2; `domain.md` D.9.
    "GST103", "close-race", "a request went into a connection that its peer had just closed", Warning, Session, Session(check)
}

/// Later sessions of the same two in which a repetition is looked for.
const NEIGHBOURS: usize = 16;

/// The request that ran into the closed connection.
pub(super) fn late_request<'a>(part: &Part<'a>) -> Option<&'a Question> {
    let act = part.connection.closing.as_deref()?;
    let (asker, ended) = (act.side.other(), &part.connection.ended);
    if part.leg.role == Role::Data || part.leg.opaque > 0 || !part.sees_both() || ended.by != act.side.into()
    {
        return None;
    }
    let answered = part.connection.sides[act.side].last_payload.is_some_and(|time| time > act.time);
    crossing(part).filter(|_| !answered && asker == Side::Client)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        let Some(question) = late_request(&part) else { continue };
        let Some(act) = part.connection.closing.as_deref() else { continue };
        let (closer, asker) = (act.side.name(), act.side.other().name());
        let late = question.at.time.since(act.time);
        let when = if question.at.first > act.at {
            format!("{late} after the {closer} had closed")
        } else {
            format!("while the {closer}'s closing was on its way")
        };
        let idle =
            IdleClosing::of(subject, part).map_or(act.quiet.unwrap_or_default(), |closing| closing.idle);
        let reset =
            matches!(part.connection.ended.how, How::Rst) || part.connection.history.contains(['r', 'R']);
        let answer = if reset { "a RST" } else { "nothing" };
        let mut finding = Finding::of(
            &RULE,
            &subject,
            format!(
                "{} was sent {when}, and was answered by {answer}",
                name(question)
            ),
        )
        .confidence(Confidence::High)
        .alone(&part)
        .at(question.at.time)
        .key(part.connection.id.to_string())
        .fault(Fault::Unknown)
        .why(format!(
            "the {closer}'s {} does not acknowledge the request, and no byte of the {closer} came after it",
            if act.fin { "FIN" } else { "RST" }
        ))
        .advice(format!(
            "let the {asker} give up idle connections before the {closer} does (here after {idle}), and repeat idempotent requests at once on a new connection"
        ))
        .seconds("late_s", late)
        .seconds("idle_s", idle)
        .shows([act.at], "the closing")
        .shows_point(question.at, "the request, sent after it")
        .context(part.connection.ended.frames.iter().copied(), "the end of the connection");
        if repeated_well(&subject, question) {
            finding = finding.severity(Severity::Info);
        }
        findings.add(finding);
    }
}

/// Whether the same request, which changes nothing, was granted later.
fn repeated_well(subject: &Subject<'_>, question: &Question) -> bool {
    let Some(own) = acts(*subject).find(|acted| acted.asked == question.at) else { return false };
    let again = |other: &Acted| {
        other.action.key == own.action.key
            && other.asked.time > own.asked.time
            && other.answer.is_some_and(|(granted, _)| granted)
    };
    let mut sessions = subject.later_of_pair().take(NEIGHBOURS).chain([*subject]);
    own.action.safety == Safety::Safe && sessions.any(|session| acts(session).any(again))
}

/// All that was asked for in a session.
fn acts(of: Subject<'_>) -> impl Iterator<Item = &Acted> {
    of.session.legs.iter().flat_map(|part| &part.leg.actions)
}
