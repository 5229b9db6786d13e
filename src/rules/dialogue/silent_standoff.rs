//! GSD408: both sides wait for the other to begin.

use crate::events::Confidence;
use crate::events::transport::{Connection, How, Opened};
use crate::rules::{Fault, Finding, Findings, Population};
use crate::time::Span;

rule! {
    /// # What it finds
    /// A connection that was accepted and on which nobody ever said a word, at a service whose server begins.
    ///
    /// # Why it matters
    /// The client waits for a greeting that does not come: the server is overloaded, looks up names, or expects another
    /// protocol on this port.
    ///
    /// # How it is decided
    /// With other clients (or at other times) this server speaks first. Here it said nothing for three seconds and more,
    /// the client said nothing either, and then one of them closed, or we watched for a minute. Services whose clients
    /// begin are left alone: there an unused connection is a reserve.
    ///
    /// # What it cannot know
    /// Why the server did not greet.
    ///
    /// # How to mend it
    /// Look into the server's log and load at that time; check whether it looks up its client's name before it greets.
    ///
    /// # Sources
    /// RFC 5321 section 4.5.3.2.1 (5 minutes for the greeting); RFC 959 section 5.4; `domain.md` D.9.
    "GSD408", "silent-standoff", "both sides waited for the other to begin", Error, Application, Population(check)
}

/// From when on a greeting is missing (`domain.md` D.1, the pattern before the minutes).
const MISSING: Span = Span::from_millis(2_500);

/// After so long of silence without an end it is clear as well.
const WATCHED: Span = Span::from_secs(60);

fn check(population: &Population<'_>, findings: &mut Findings) {
    for (server, connections) in population.served() {
        let greets = connections.iter().filter(|connection| server_began(connection)).count();
        let begun = connections.iter().filter(|connection| client_began(connection)).count();
        if greets == 0 || begun > 0 {
            continue;
        }
        for connection in connections {
            let Some(silent) = standoff(connection) else { continue };
            let Some(subject) = population.session_of(connection.id) else { continue };
            findings.add(
                Finding::of(&RULE, &subject, format!("nobody said a word for {silent}, though {server} greets its clients"))
                    .on([connection.id])
                    .at(connection.end)
                    .key(connection.id.to_string())
                    .confidence(Confidence::High)
                    .keeps_severity()
                    .fault(Fault::Server)
                    .why(format!("the connection was accepted, no byte of payload was seen, and on {greets} other connections the server spoke first"))
                    .advice("look into the server's log and load at that time; check whether it looks up names before it greets, and whether it expects another protocol on this port")
                    .shows([connection.first], "the connection begins")
                    .absence((connection.start, connection.end), [connection.last], "no word of either side")
                    .context(connection.ended.frames.iter().copied(), "the end")
                    .seconds("silent_s", silent)
                    .number("greeted", greets),
            );
        }
    }
}

/// Who sent the first payload, by Zeek's history: `D` and `d` stand for the first data of client and server.
fn first_data(connection: &Connection) -> Option<char> {
    connection.history.chars().find(|letter| matches!(letter, 'D' | 'd'))
}

fn server_began(connection: &Connection) -> bool {
    connection.opened == Opened::Observed && first_data(connection) == Some('d')
}

fn client_began(connection: &Connection) -> bool {
    connection.opened == Opened::Observed && first_data(connection) == Some('D')
}

/// How long nobody said anything from the handshake to the end.
fn standoff(connection: &Connection) -> Option<Span> {
    let sides = &connection.sides;
    let mute = sides.client.last_payload.is_none() && sides.server.last_payload.is_none();
    let whole = connection.visibility.gap_count == 0 && !connection.visibility.began_before;
    let accepted = connection.opened == Opened::Observed && connection.rtt.initial.is_some();
    if !mute || !whole || !accepted {
        return None;
    }
    let closed = [sides.client.closed, sides.server.closed].into_iter().flatten().min();
    let (until, least) = match (connection.ended.how, closed) {
        (How::CaptureEnd, _) | (_, None) => (connection.end + connection.visibility.tail, WATCHED),
        (_, Some(closed)) => (closed, MISSING),
    };
    let silent = until.since(connection.start);
    (silent >= least).then_some(silent)
}
