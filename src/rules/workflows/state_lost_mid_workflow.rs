//! GSW604: a server denies state that it issued itself, in the middle of work.

use crate::events::{Timer, Use};
use crate::rules::subject::Part;
use crate::rules::{Fault, Finding, Findings, Subject};
use crate::session::{Lost, Point};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A session, an upload or a login that the server issued in this capture, with which work was done, and which the
    /// server then says not to know: 404 and 410 to an upload, a refusal of a cookie that was good.
    ///
    /// # Why it matters
    /// The client did all right, and has to begin anew; what was done may be half done.
    ///
    /// # How it is decided
    /// The thing shown was issued before, it served at least once, and the refusal says that the state is gone. Where
    /// the announced time had passed it is no case of this rule.
    ///
    /// # What it cannot know
    /// Whether a restart, another backend or a clean-up took it.
    ///
    /// # How to mend it
    /// Keep such state where all backends see it, and over restarts; bind clients to a backend as long as that is not so.
    ///
    /// # Sources
    /// RFC 6265 section 4.1.2; tus 1.0.0; `domain.md` D.9.
    "GSW604", "state-lost-mid-workflow", "the server denies state that it issued itself", Error, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    for part in subject.parts() {
        for (index, lost) in part.leg.lost.iter().enumerate() {
            // An offer to go on that was refused has rules of its own.
            if part.leg.resumptions.list.iter().any(|resume| resume.answered == Some(lost.at)) {
                continue;
            }
            let Some((issued, lifetime)) = issued(subject, lost) else { continue };
            let age = lost.at.time.since(issued.time);
            let served = served(subject, part, lost, issued);
            let (false, Some(served)) = (lifetime.is_some_and(|lifetime| age >= lifetime), served) else {
                continue;
            };
            let object = lost.object.as_deref().unwrap_or("what it is asked");
            let mut finding = Finding::of(
                &RULE,
                &subject,
                format!("{:.1} s after the server issued it, it no longer knows the state behind {object}", age.as_secs()),
            )
            .on([part.connection.id])
            .key(format!("{} {index}", part.connection.id))
            .at(lost.at.time)
            .fault(Fault::Server)
            .why("the server issued what the client shows, work was done with it, and now the answer is that it is not known")
            .advice("keep such state where all backends see it and over restarts, or bind each client to one backend")
            .seconds("age_s", age)
            .context_point(issued, "here the server issued it")
            .context_point(served, "here it served")
            .shows_point(lost.at, "here it is denied");
            if let Some(lifetime) = lifetime {
                finding = finding
                    .seconds("lifetime_s", lifetime)
                    .ruled_out(format!("its end: it was issued for {:.1} s", lifetime.as_secs()));
            }
            findings.add(finding);
        }
    }
}

/// Where the server issued what was shown, and for how long.
fn issued(subject: Subject<'_>, lost: &Lost) -> Option<(Point, Option<Span>)> {
    let shown = lost.shown?;
    subject.session.legs.iter().find_map(|part| {
        let known = part.leg.identities.iter().find(|known| {
            known.identity.hash == shown
                && known.identity.used == Use::Issues
                && known.first.time < lost.at.time
        })?;
        let clocks = &part.leg.clocks;
        let span = clocks.declared(Timer::Lifetime).or(clocks.declared(Timer::Hold)).map(|(_, span)| span);
        Some((known.first, span))
    })
}

/// Where work was done between the issue and the refusal.
fn served(subject: Subject<'_>, part: Part<'_>, lost: &Lost, issued: Point) -> Option<Point> {
    let between = |at: &Point| at.time > issued.time && at.time < lost.at.time;
    let confirmed = subject
        .session
        .legs
        .iter()
        .filter_map(|leg| leg.leg.works.last_confirmed.as_deref())
        .map(|point| point.at);
    let acted = part.leg.actions.iter().filter(|acted| {
        acted.action.safety != crate::events::Safety::Safe && acted.answer.is_some_and(|(granted, _)| granted)
    });
    confirmed.chain(acted.filter_map(|acted| acted.answer).map(|(_, at)| at)).find(between)
}
