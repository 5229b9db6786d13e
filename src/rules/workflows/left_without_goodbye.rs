//! GSW612: the protocol has a good-bye, and it was not said.

use crate::events::transport::{By, How};
use crate::rules::{Fault, Finding, Findings, Severity, Subject};

rule! {
    /// # What it finds
    /// A session whose protocol has a good-bye (`QUIT`, `DISCONNECT`) and whose connection was closed without it, though
    /// nothing was owed.
    ///
    /// # Why it matters
    /// The server cannot tell an intended end from a crash: it may keep locks, deliver a last will, or hold the login.
    ///
    /// # How it is decided
    /// The connection ended by a FIN or RST of one end after at least one answered question, no good-bye was read, and no
    /// answer was owed. TLS without `close_notify` and plain HTTP are no case: there the end of the message says it all.
    ///
    /// # What it cannot know
    /// Whether the process was killed or its author never wrote the good-bye.
    ///
    /// # How to mend it
    /// Close the session by its protocol before closing the socket; stop services with a signal that they handle.
    ///
    /// # Sources
    /// RFC 959 section 4.1.1 (QUIT); RFC 5321 section 4.1.1.10; MQTT 5 section 3.14; `domain.md` D.9.
    "GSW612", "left-without-goodbye", "the connection was closed without the protocol's good-bye", Info, Session, Session(check)
}

fn check(subject: Subject<'_>, findings: &mut Findings) {
    let Some(part) = subject.last() else { return };
    let ended = &part.connection.ended;
    let by = match (ended.how, ended.by) {
        (How::Fin | How::Rst, By::Client) => Fault::Client,
        (How::Fin | How::Rst, By::Server) => Fault::Server,
        _ => return,
    };
    let talked = part.leg.dialog.answered > 0 && part.leg.readable > 0;
    let left = subject.population.has_goodbye(part.leg.protocol()) && part.leg.goodbye.is_none();
    if !talked
        || !left
        || part.leg.farewell.is_some()
        || part.leg.dialog.debt().is_some()
        || part.leg.opaque > 0
    {
        return;
    }
    findings.add(
        Finding::of(
            &RULE,
            &subject,
            format!("the {} closed without the good-bye of {}", by.name(), part.leg.protocol()),
        )
        .severity(Severity::Info)
        .on([part.connection.id])
        .fault(by)
        .why("the connection was closed though nothing was owed, and no good-bye was read before")
        .advice("end the session by its protocol before closing the socket")
        .context_point(part.leg.last, "the last that was said")
        .shows(ended.frames.iter().copied(), "the end of the connection"),
    );
}
