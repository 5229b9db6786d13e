//! GSD403: a repetition was known as one.

use crate::events::Marks;
use crate::rules::retries::{self, Retry};
use crate::rules::{Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// A repeated action that the server knew as a repetition: the client sent the same key twice, or the server said
    /// that the work had been done already.
    ///
    /// # Why it matters
    /// This is how it ought to be. It tells that an answer was lost and that nothing was done twice.
    ///
    /// # How it is decided
    /// The same action was asked for again on another connection before its first answer was heard, and either both
    /// carry the same key and the answers do not name different results, or the second answer is a conflict (409) or
    /// says that it is a repetition.
    ///
    /// # What it cannot know
    /// With a key, and two answers that name no result: whether the server heeds the key.
    ///
    /// # How to mend it
    /// Nothing to mend here; look at why the first answer was lost.
    ///
    /// # Sources
    /// RFC 9110 section 15.5.10 (409); MQTT 5 section 4.3; `domain.md` D.6, D.9.
    "GSD403", "duplicate-suppressed", "a repeated action was known as a repetition", Info, Application, Population(check)
}

/// The status by which a server says that the thing is there already.
const CONFLICT: u32 = 409;

fn check(population: &Population<'_>, findings: &mut Findings) {
    for retry in retries::all(population) {
        let Some((how, at)) = suppressed(&retry) else { continue };
        findings.add(
            Finding::of(
                &RULE,
                &retry.second.subject,
                format!("{} was repeated {} after the first, and {how}", retry.second.name(), retry.after()),
            )
            .severity(Severity::Info)
            .on(retry.connections())
            .at(at.time)
            .key(retry.key())
            .why(format!("of the first {}, so the client asked again", retry.because()))
            .advice("nothing to mend: the repetition did no harm")
            .shows_point(retry.first.acted.asked, "the first request")
            .shows_point(retry.second.acted.asked, "the same request again")
            .shows_point(at, "the answer to the second")
            .seconds("repeated_after_s", retry.after()),
        );
    }
}

fn suppressed(retry: &Retry<'_>) -> Option<(&'static str, crate::session::Point)> {
    let (granted, at) = retry.second.acted.answer?;
    let reply = retry.second.acted.reply.as_deref()?;
    if retry.second.is_mail() {
        return None;
    }
    if reply.code.number() == Some(CONFLICT) {
        return Some(("the server answered that this conflicts with what is there already", at));
    }
    if reply.marks.has(Marks::REPEATED) {
        return Some(("the server answered that it knew it as a repetition", at));
    }
    let differ = retry.results().is_some_and(|(one, other)| one != other);
    let by_key = granted && retry.has_token() && !differ && retry.is_unsafe();
    by_key.then_some(("both carry the same key, so that the server could know the second", at))
}
