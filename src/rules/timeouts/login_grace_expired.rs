//! GST112: a server did not wait any longer for a login.

use std::collections::BTreeMap;

use crate::events::Side;
use crate::rules::idle_closings;
use crate::rules::{Finding, Findings, Population, Severity};

rule! {
    /// # What it finds
    /// A connection that the server greeted and closed again after a time, because the client did not log in.
    ///
    /// # Why it matters
    /// A client that hangs between the greeting and the login (a prompt that nobody answers, a name that is looked up for
    /// ever) finds the door shut, and often reports something else.
    ///
    /// # How it is decided
    /// The server spoke first, the client said little or nothing and did not log in, nothing was owed by the server, and
    /// it closed after a pause that is a timer's (as in GST101) and took up most of the connection's life. Clients that
    /// say nothing at all, three times or more, are monitors (info).
    ///
    /// # What it cannot know
    /// Of protocols that are not read: whether what the client sent was its credentials.
    ///
    /// # How to mend it
    /// Find out what the client waits for; raise the time that the server allows for logging in.
    ///
    /// # Sources
    /// RFC 4252 section 4; `domain.md` D.2 and D.9.
    "GST112", "login-grace-expired", "a server did not wait any longer for a login", Warning, Session, Population(check)
}

/// So many silent visits of one client are a monitor's.
const MONITOR: usize = 3;

fn check(population: &Population<'_>, findings: &mut Findings) {
    let early: Vec<_> =
        idle_closings::timed(population).into_iter().filter(|timed| timed.closing.before_login()).collect();
    let mut visits: BTreeMap<_, usize> = BTreeMap::new();
    let silent = |timed: &idle_closings::TimedClosing<'_>| {
        timed.closing.part.connection.sides[Side::Client].payload_bytes == 0
    };
    for timed in early.iter().filter(|timed| silent(timed)) {
        let connection = timed.closing.part.connection;
        *visits.entry((connection.client.ip, connection.server)).or_default() += 1;
    }
    for timed in &early {
        let closing = &timed.closing;
        let connection = closing.part.connection;
        let monitors =
            visits.get(&(connection.client.ip, connection.server)).is_some_and(|count| *count >= MONITOR);
        let severity = if silent(timed) && monitors { Severity::Info } else { Severity::Warning };
        let age = closing.age();
        findings.add(
            Finding::of(
                &RULE,
                &closing.subject,
                format!("the server closed {age} after the connection began, and nobody had logged in"),
            )
            .severity(severity)
            .confidence(timed.confidence)
            .alone(&closing.part)
            .at(closing.act.time)
            .key(connection.id.to_string())
            .fault(Side::Client)
            .why(format!("the server greeted, the client did not log in, and {}", timed.why()))
            .advice(format!("find out what the client waited for between greeting and login; or raise the time that the server allows for it ({age})"))
            .seconds("age_s", age)
            .seconds("idle_s", closing.idle)
            .context([connection.first], "the connection begins")
            .context(closing.act.spoke_last.map(|(_, at)| at), "the last payload")
            .shows([closing.act.at], "the server closes"),
        );
    }
}
