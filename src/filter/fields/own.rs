//! Our own fields: of sessions, connections, findings, phases and captures, read from the analysis.
//!
//! A boolean of ours is asked by its bare name: `session.ghost`, `!session.censored.end`.

use super::words::{
    BY, CLEAR, CONFIDENCE, END_KIND, FAULT, HOW, LAYER, LOGIN, OPENED, PHASES, REASON, RESUME, SEVERITY,
    word_of_by, word_of_confidence, word_of_how, word_of_opened, word_of_reason,
};
use super::{FieldInfo, Source, Type};
use crate::analysis::Analysis;
use crate::events::transport::{How, Reason};
use crate::events::visibility::Sight;
use crate::events::{Connection, IdentityKind, Safety, Side, Timer};
use crate::inspect::Value;
use crate::rules::Finding;
use crate::session::{PhaseName, Repeat, ResumeResult, Resumption, Role, Session};
use crate::time::Span;

macro_rules! own {
    ($($source:ident { $($name:literal $kind:expr, $about:literal, $sample:literal, $read:expr;)+ })+) => {
        /// All of them.
        pub(super) static FIELDS: &[FieldInfo] = &[$($(
            FieldInfo { name: $name, kind: $kind, about: $about, sample: $sample, source: Source::$source($read) },
        )+)+];
    };
}

own! {
    Session {
        "session" Type::Nothing, "there is a session", "", |_, _, out| out.push(Value::Present);
        "session.id" Type::Id('S'), "its number in order of first frame", "== S-0001", |s, _, out| out.push(number(s.id));
        "session.uid" Type::Text, "the stable name of its first connection", "contains \"a1\"", |s, _, out| out.push(text(&format!("{:016x}", s.uid)));
        "session.proto" Type::Text, "the innermost protocol that was understood", "== \"ftp\"", |s, _, out| out.push(text(s.protocol));
        "session.who" Type::Text, "who: the user, or what the client calls itself", "== \"bob\"", who;
        "session.user" Type::Text, "who logged in, or tried to", "== \"bob\"", |s, _, out| out.extend(s.principal.iter().map(|who| text(&who.name)));
        "session.identity" Type::Text, "what it is known by: kind, hint and hash of each identity", "contains \"ticket\"", identity;
        "session.server" Type::Address, "who was asked", "== 10.0.0.0/8", |s, _, out| out.push(Value::Address(s.server.ip));
        "session.server.port" Type::Unsigned(16), "the port that was asked", "== 443", |s, _, out| out.push(number(s.server.port));
        "session.client" Type::Address, "who asked", "== 10.0.0.0/8", |s, _, out| out.push(Value::Address(s.client.ip));
        "session.client.port" Type::Unsigned(16), "the port that asked", "> 49151", |s, _, out| out.push(number(s.client.port));
        "session.sni" Type::Text, "the server's name that TLS asked for", "== \"legacy.shop\"", sni;
        "session.state" Type::Word(PHASES), "its last state", "== \"interrupted\"", |s, _, out| out.push(text(s.phases.last().map_or("opening", |phase| phase.name.name())));
        "session.start" Type::Time, "time of its first frame", "", |s, _, out| out.push(Value::Time(s.start));
        "session.end" Type::Time, "time of its last frame", "", |s, _, out| out.push(Value::Time(s.end));
        "session.dur" Type::Duration, "from its first to its last frame", "> 15m", |s, _, out| out.push(Value::Span(s.duration()));
        "session.idle.max" Type::Duration, "longest time without payload", "> 300s", |s, _, out| out.push(Value::Span(s.longest_quiet().map_or(Span::ZERO, |quiet| quiet.span)));
        "session.idle.total" Type::Duration, "all time without payload, pauses below a second not counted", "> 1h", |s, _, out| out.push(Value::Span(s.quiet_total()));
        "session.setup.time" Type::Duration, "from its first frame until it logged in or began to work", "> 1s", setup;
        "session.auth.time" Type::Duration, "all time in which it logged in", "> 1s", |s, _, out| out.extend(in_phase(s, PhaseName::Authenticating).map(Value::Span));
        "session.end.kind" Type::Word(END_KIND), "how it ended, in one word", "== \"silent\"", |s, a, out| out.push(text(end_kind(s, a)));
        "session.end.by" Type::Word(BY), "who ended it", "== \"middlebox\"", |s, _, out| out.push(text(word_of_by(s.outcome.by)));
        "session.end.cause" Type::Word(REASON), "why it ended", "== \"idle-timeout\"", |s, _, out| out.push(text(word_of_reason(s.outcome.reason)));
        "session.end.detail" Type::Text, "a word more on the reason", "== \"reset\"", |s, _, out| out.extend(s.outcome.detail.map(text));
        "session.end.confidence" Type::Ranked(CONFIDENCE), "how sure the reason is", ">= high", |s, _, out| out.push(text(word_of_confidence(s.outcome.confidence)));
        "session.history" Type::Text, "the letters of its life: s a A D # . k o O ! R n x f g ?", "~ \"!.*n\"", |s, _, out| out.push(text(&s.history));
        "session.auth.method" Type::Text, "how it logged in, each login", "== \"password\"", |s, _, out| out.extend(s.logins().filter_map(|login| login.mechanism).map(text));
        "session.auth.result" Type::Word(LOGIN), "what became of each login", "== \"refused\"", |s, _, out| out.extend(s.logins().map(|login| text(login.result.name())));
        "session.auth.tries" Type::Unsigned(32), "how often credentials were sent, all logins together", "> 3", |s, _, out| out.push(number(s.logins().map(|login| login.attempts).fold(0, u32::saturating_add)));
        "session.keepalive.asked" Type::Duration, "the keep-alive time that was agreed on", "> 60s", |s, _, out| out.extend(s.last_main().and_then(|part| part.leg.clocks.declared(Timer::KeepAlive)).map(|(_, span)| Value::Span(span)));
        "session.keepalive.seen" Type::Duration, "the rhythm of the keep-alives that were sent", "< 10s", |s, _, out| out.extend(rhythm(s).and_then(|rhythm| rhythm.interval()).map(Value::Span));
        "session.keepalive.missed" Type::Unsigned(32), "keep-alives without an answer", "> 0", |s, _, out| out.extend(rhythm(s).map(|rhythm| number(rhythm.probes.saturating_sub(rhythm.answers))));
        "session.checkpoint.major" Type::Unsigned(32), "major checkpoints", "> 0", |s, _, out| out.push(number(s.legs.iter().map(|part| part.leg.works.major).fold(0, u32::saturating_add)));
        "session.checkpoint.minor" Type::Unsigned(32), "minor checkpoints", "> 0", |s, _, out| out.push(number(s.legs.iter().map(|part| part.leg.works.minor).fold(0, u32::saturating_add)));
        "session.checkpoint.last" Type::Time, "time of the last confirmed checkpoint", "", |s, _, out| out.extend(s.last_confirmed().map(|point| Value::Time(point.at.time)));
        "session.resumed" Type::Boolean, "it went on from earlier state", "", |s, _, out| out.push(Value::Boolean(s.resumptions().any(|resume| resume.result == ResumeResult::Granted)));
        "session.resume.of" Type::Text, "what it wanted to go on with, each attempt", "contains \".iso\"", |s, _, out| out.extend(s.resumptions().map(resumed));
        "session.resume.mechanism" Type::Text, "how it wanted to go on, each attempt", "== \"tls-ticket\"", |s, _, out| out.extend(s.resumptions().map(|resume| text(resume.mechanism)));
        "session.resume.result" Type::Word(RESUME), "what became of each attempt", "== \"refused\"", |s, _, out| out.extend(s.resumptions().map(|resume| text(resume.result.name())));
        "session.resume.reason" Type::Word(&["state-lost", "retryable"]), "what a refusal to go on said of its reason", "== \"state-lost\"", |s, _, out| out.extend(s.resumptions().flat_map(reasons).map(text));
        "session.rework.bytes" Type::Unsigned(64), "bytes to be sent again if interrupted work is taken up where the protocol allows", "> 10MiB", |s, _, out| out.extend(s.at_risk.iter().filter_map(|risk| risk.redo_bytes).map(Value::Unsigned));
        "session.ghost" Type::Boolean, "one side holds it and the other does not", "", |s, a, out| out.push(Value::Boolean(is_ghost(s, a)));
        "session.ghost.since" Type::Time, "since when", "", |s, a, out| out.extend(ghosts(s, a).map(|finding| finding.time).min().map(Value::Time));
        "session.ghost.blocks" Type::Id('S'), "sessions that it locks out", "== S-0003", blocks;
        "session.censored.start" Type::Boolean, "it began before the capture", "", |s, a, out| out.push(Value::Boolean(connections(s, a).next().is_some_and(|one| one.visibility.began_before)));
        "session.censored.end" Type::Boolean, "the capture ended before it did", "", |s, a, out| out.push(Value::Boolean(censored_end(s, a)));
        "session.connections" Type::Unsigned(32), "how many connections it has", "> 1", |s, _, out| out.push(Value::Unsigned(s.legs.len() as u64));
        "session.bytes" Type::Unsigned(64), "payload of both sides on all its connections", "> 10MiB", |s, a, out| out.push(Value::Unsigned(connections(s, a).map(bytes).fold(0, u64::saturating_add)));
        "session.packets" Type::Unsigned(64), "packets of all its connections", "> 1000", |s, a, out| out.push(Value::Unsigned(connections(s, a).map(packets).fold(0, u64::saturating_add)));
        "session.clear" Type::Word(CLEAR), "how much of it was readable", "== \"opaque\"", |s, _, out| out.push(text(s.clear.name()));
        "session.owed.by" Type::Word(&["client", "server"]), "who owed an answer when it ended", "== \"server\"", |s, _, out| out.extend(s.last_main().and_then(|part| part.leg.dialog.debt()).map(|question| text(question.by.other().name())));
        "tls.resume" Type::Word(RESUME), "what became of each attempt to resume TLS", "== \"refused\"", |s, _, out| out.extend(attempts(s, "tls-").map(|resume| text(resume.result.name())));
        "http.dup" Type::Boolean, "a request that changes something was sent twice", "", |s, _, out| if s.protocol == "http" { out.push(Value::Boolean(s.repeats.iter().any(matters))) };
        "ftp.rest.result" Type::Word(RESUME), "what became of each REST", "== \"refused\"", |s, _, out| out.extend(attempts(s, "ftp-rest").map(|resume| text(resume.result.name())));
        "mqtt.session.lost" Type::Boolean, "the client came back and the broker had forgotten its session", "", |s, _, out| if s.protocol == "mqtt" { out.push(Value::Boolean(attempts(s, "mqtt-session").any(|resume| matches!(resume.result, ResumeResult::Silent | ResumeResult::Refused)))) };
    }
    Connection {
        "conn" Type::Nothing, "there is a connection", "", |_, _, out| out.push(Value::Present);
        "conn.id" Type::Unsigned(32), "its number, from 0 in order of first frame", "== 3", |c, _, out| out.push(number(c.id));
        "conn.stream" Type::Unsigned(32), "tcp.stream or udp.stream", "== 3", |c, _, out| out.extend(c.stream.map(number));
        "conn.uid" Type::Text, "its stable name", "contains \"a1\"", |c, _, out| out.push(text(&format!("{:016x}", c.uid)));
        "conn.kind" Type::Word(&["tcp", "udp"]), "its transport", "== \"udp\"", |c, _, out| out.push(text(c.transport.name()));
        "conn.role" Type::Word(&["main", "data"]), "what it is for in its session", "== \"data\"", role;
        "conn.client" Type::Address, "who asked", "== 10.0.0.0/8", |c, _, out| out.push(Value::Address(c.client.ip));
        "conn.client.port" Type::Unsigned(16), "the port that asked", "> 49151", |c, _, out| out.push(number(c.client.port));
        "conn.server" Type::Address, "who was asked", "== 10.0.0.0/8", |c, _, out| out.push(Value::Address(c.server.ip));
        "conn.server.port" Type::Unsigned(16), "the port that was asked", "== 443", |c, _, out| out.push(number(c.server.port));
        "conn.start" Type::Time, "time of its first frame", "", |c, _, out| out.push(Value::Time(c.start));
        "conn.end" Type::Time, "time of its last frame", "", |c, _, out| out.push(Value::Time(c.end));
        "conn.dur" Type::Duration, "from its first to its last frame", "> 15m", |c, _, out| out.push(Value::Span(c.end.since(c.start)));
        "conn.idle.max" Type::Duration, "longest time between two frames with payload", "> 300s", |c, _, out| out.push(Value::Span(c.longest_idle));
        "conn.bytes" Type::Unsigned(64), "payload of both sides", "> 10MiB", |c, _, out| out.push(Value::Unsigned(bytes(c)));
        "conn.packets" Type::Unsigned(64), "packets of both sides", "> 1000", |c, _, out| out.push(Value::Unsigned(packets(c)));
        "conn.gaps" Type::Unsigned(32), "holes in its bytes that were never filled", "> 0", |c, _, out| out.push(number(c.visibility.gap_count));
        "conn.oneway" Type::Boolean, "only one of its sides was captured", "", |c, _, out| out.push(Value::Boolean(c.visibility.sight != Sight::Both));
        "conn.opened" Type::Word(OPENED), "how it began, as far as the capture shows", "== \"never\"", |c, _, out| out.push(text(word_of_opened(c.opened)));
        "conn.end.how" Type::Word(HOW), "the first closing act", "== \"rst\"", |c, _, out| out.push(text(word_of_how(c.ended.how)));
        "conn.end.by" Type::Word(BY), "who made it", "== \"server\"", |c, _, out| out.push(text(word_of_by(c.ended.by)));
        "conn.end.cause" Type::Word(REASON), "why it ended", "== \"peer-vanished\"", |c, _, out| out.push(text(word_of_reason(c.ended.reason)));
        "conn.end.confidence" Type::Ranked(CONFIDENCE), "how sure the reason is", ">= high", |c, _, out| out.push(text(word_of_confidence(c.ended.confidence)));
        "conn.state" Type::Text, "Zeek's conn_state", "== \"S1\"", |c, _, out| out.push(text(c.conn_state));
        "conn.history" Type::Text, "Zeek's history", "contains \"R\"", |c, _, out| out.push(text(&c.history));
        "conn.rtt" Type::Duration, "median of its round-trip times", "> 100ms", |c, _, out| out.extend(c.rtt.median.map(Value::Span));
    }
    Finding {
        "finding" Type::Nothing, "something was found", "", |_, out| out.push(Value::Present);
        "finding.id" Type::Id('F'), "its number", "== F-0001", |f, out| out.push(number(f.id));
        "finding.rule" Type::Rule, "the rule that found it, by code or name", "== \"GSD401\"", |f, out| out.push(text(f.rule.code));
        "finding.name" Type::Text, "the name of that rule", "contains \"timeout\"", |f, out| out.push(text(f.rule.name));
        "finding.severity" Type::Ranked(SEVERITY), "how much it hurts", ">= warning", |f, out| out.push(text(f.severity.name()));
        "finding.confidence" Type::Ranked(CONFIDENCE), "how sure it is", ">= high", |f, out| out.push(text(word_of_confidence(f.confidence)));
        "finding.fault" Type::Word(FAULT), "whose fault it is", "== \"middlebox\"", |f, out| out.push(text(f.fault.name()));
        "finding.layer" Type::Word(LAYER), "which layer is to blame", "== \"transport\"", |f, out| out.push(text(f.layer.name()));
        "finding.frames" Type::Unsigned(64), "the frames that prove it, numbered in their own files", "== 17", |f, out| out.extend(f.frames().iter().map(|at| Value::Unsigned(at.frame)));
        "finding.time" Type::Time, "when it showed", "", |f, out| out.push(Value::Time(f.time));
        "finding.message" Type::Text, "the claim in one sentence", "contains \"keep-alive\"", |f, out| out.push(text(&f.message));
        "finding.root" Type::Boolean, "no other finding explains it", "", |f, out| out.push(Value::Boolean(f.caused_by.is_none()));
    }
    Phase {
        "phase" Type::Word(PHASES), "a state that it was in; of a packet, the state at its time", "== \"interrupted\"", |p, out| out.push(text(p.name.name()));
        "phase.start" Type::Time, "when it came into it", "", |p, out| out.push(Value::Time(p.start));
        "phase.end" Type::Time, "when it left it", "", |p, out| out.push(Value::Time(p.end));
        "phase.dur" Type::Duration, "how long it was in it", "> 300s", |p, out| out.push(Value::Span(p.end.since(p.start)));
        "phase.cause" Type::Text, "what led to it", "contains \"RST\"", |p, out| out.push(text(p.cause));
    }
    Capture {
        "capture.index" Type::Unsigned(16), "its place among the inputs, from 0", "== 0", |_, _, index, out| out.push(number(index));
        "capture.file" Type::Text, "its path", "contains \"prod\"", |f, _, _, out| out.push(text(&f.path.to_string_lossy()));
        "capture.format" Type::Text, "its format", "== \"pcapng\"", |f, _, _, out| out.push(text(f.format));
        "capture.packets" Type::Unsigned(64), "its packets", "> 1000", |f, _, _, out| out.push(Value::Unsigned(f.packets));
        "capture.first" Type::Time, "time of its first packet", "", |f, _, _, out| out.extend(f.first.map(Value::Time));
        "capture.last" Type::Time, "time of its last packet", "", |f, _, _, out| out.extend(f.last.map(Value::Time));
        "capture.truncated" Type::Boolean, "it ends within a packet", "", |f, _, _, out| out.push(Value::Boolean(f.truncated));
        "capture.drops" Type::Unsigned(64), "packets that the recorder says it lost", "> 0", |f, _, _, out| out.extend(f.interfaces.iter().filter_map(|one| one.drops).reduce(u64::saturating_add).map(Value::Unsigned));
        "capture.loss" Type::Float, "share of TCP bytes that were acknowledged and never seen", "> 0.01", |_, a, index, out| out.extend(a.quality.get(index as usize).map(|quality| Value::Float(quality.loss_ratio)));
        "capture.oneway" Type::Float, "share of TCP connections of which one side was captured", "> 0.05", |_, a, index, out| out.extend(a.quality.get(index as usize).map(|quality| Value::Float(quality.one_sided_ratio)));
    }
}

fn number(number: impl Into<u64>) -> Value {
    Value::Unsigned(number.into())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn connections<'a>(session: &'a Session, analysis: &'a Analysis) -> impl Iterator<Item = &'a Connection> {
    session.legs.iter().filter_map(|part| analysis.connections.get(part.connection as usize))
}

fn bytes(connection: &Connection) -> u64 {
    Side::BOTH.iter().map(|side| connection.sides[*side].payload_bytes).fold(0, u64::saturating_add)
}

fn packets(connection: &Connection) -> u64 {
    Side::BOTH.iter().map(|side| connection.sides[*side].packets).fold(0, u64::saturating_add)
}

fn who(session: &Session, _: &Analysis, out: &mut Vec<Value>) {
    out.extend(session.principal.iter().map(|who| text(&who.name)));
    let named = |kind| matches!(kind, IdentityKind::User | IdentityKind::ClientId);
    let known = session.identities.iter().filter(|identity| named(identity.kind));
    out.extend(known.filter_map(|identity| identity.hint.as_deref()).map(text));
}

/// Kind, hint and hash of each: `client-id sensor-7 1f…`.
fn identity(session: &Session, _: &Analysis, out: &mut Vec<Value>) {
    for identity in &session.identities {
        let hint = identity.hint.as_deref().map_or(String::new(), |hint| format!(" {hint}"));
        out.push(Value::Text(format!("{}{hint} {}", identity.kind.name(), identity.hash.hex())));
    }
}

fn sni(session: &Session, _: &Analysis, out: &mut Vec<Value>) {
    let facts = session.legs.iter().filter_map(|part| part.leg.security.as_deref());
    out.extend(facts.filter_map(|facts| facts.sni.as_deref()).map(text));
}

/// From the first frame to the first phase in which it logs in or works; none where it never came so far.
fn setup(session: &Session, _: &Analysis, out: &mut Vec<Value>) {
    let begun = |name| matches!(name, PhaseName::Authenticating | PhaseName::Active | PhaseName::Idle);
    let first = session.phases.iter().find(|phase| begun(phase.name));
    out.extend(first.map(|phase| Value::Span(phase.start.since(session.start))));
}

/// All time in a phase; none where it never was in it.
fn in_phase(session: &Session, name: PhaseName) -> Option<Span> {
    let all = session.phases.iter().filter(|phase| phase.name == name);
    all.map(|phase| phase.end.since(phase.start)).reduce(|a, b| a + b)
}

/// How a session ended, in one word: what `session.end.kind` says.
pub fn end_kind(session: &Session, analysis: &Analysis) -> &'static str {
    let last = session.last_main().and_then(|part| analysis.connections.get(part.connection as usize));
    let how = last.map(|connection| connection.ended.how);
    match session.outcome.reason {
        _ if how == Some(How::Rst) => "reset",
        Reason::Released => "clean",
        Reason::PeerVanished | Reason::UserTimeout | Reason::MiddleboxTimeout => "silent",
        Reason::IdleTimeout | Reason::AppTimeout | Reason::KeepaliveTimeout => "timeout",
        Reason::AuthRefused | Reason::EstablishRefused | Reason::EstablishTimeout => "refused",
        // What is silent or timed out is so, even where the other side still holds its end.
        _ if is_ghost(session, analysis) => "ghost",
        Reason::CaptureEnded | Reason::Unknown => "open",
        _ => "error",
    }
}

/// The findings that say that one side holds the session and the other does not: the rules of the folder `ghosts`.
fn ghosts<'a>(session: &'a Session, analysis: &'a Analysis) -> impl Iterator<Item = &'a Finding> {
    analysis.findings_of(session).filter(|finding| finding.rule.code.starts_with("GSG"))
}

fn is_ghost(session: &Session, analysis: &Analysis) -> bool {
    session.outcome.reason == Reason::HalfReleased || ghosts(session, analysis).next().is_some()
}

/// Sessions that could not begin because this one was still held. The rule names the connection that was held, which is
/// the earliest, and those that were refused.
fn blocks(session: &Session, analysis: &Analysis, out: &mut Vec<Value>) {
    let of = |id: &u32| analysis.sessions.iter().find(|one| one.legs.iter().any(|leg| leg.connection == *id));
    let said = analysis.findings.iter().filter(|finding| finding.rule.name == "blocked-by-own-ghost");
    let mut blocked: Vec<u32> = said
        .filter_map(|finding| finding.connections.split_first())
        .filter(|(held, _)| session.legs.iter().any(|leg| leg.connection == **held))
        .flat_map(|(_, refused)| refused.iter().filter_map(of))
        .map(|one| one.id)
        .filter(|id| *id != session.id)
        .collect();
    blocked.sort_unstable();
    blocked.dedup();
    out.extend(blocked.into_iter().map(number));
}

fn censored_end(session: &Session, analysis: &Analysis) -> bool {
    let last = session.last_main().and_then(|part| analysis.connections.get(part.connection as usize));
    session.outcome.reason == Reason::CaptureEnded || last.is_some_and(|one| one.visibility.ended_after)
}

/// The keep-alives of the application, where it has any, else those of the transport.
fn rhythm(session: &Session) -> Option<crate::session::Rhythm> {
    let clocks = &session.last_main()?.leg.clocks;
    let chosen = if clocks.application.probes > 0 { clocks.application } else { clocks.transport };
    (chosen.probes > 0).then_some(chosen)
}

/// What a resumption is about: its object, else the hash of the state that was shown, else how it was asked.
fn resumed(resume: &Resumption) -> Value {
    let shown = || resume.shown.map(crate::events::Hash128::hex);
    let object = resume.object.as_deref().map(str::to_owned);
    Value::Text(object.or_else(shown).unwrap_or_else(|| resume.mechanism.to_owned()))
}

fn reasons(resume: &Resumption) -> impl Iterator<Item = &'static str> {
    let said = [(resume.state_lost, "state-lost"), (resume.retryable, "retryable")];
    said.into_iter().filter_map(|(yes, word)| yes.then_some(word))
}

/// The resumptions by mechanisms whose names begin so.
fn attempts<'a>(session: &'a Session, begin: &'static str) -> impl Iterator<Item = &'a Resumption> {
    session.resumptions().filter(move |resume| resume.mechanism.starts_with(begin))
}

fn matters(repeat: &Repeat) -> bool {
    !matches!(repeat.safety, Safety::Safe)
}

fn role(connection: &Connection, analysis: &Analysis, out: &mut Vec<Value>) {
    let mut legs = analysis.sessions.iter().flat_map(|session| &session.legs);
    if let Some(leg) = legs.find(|leg| leg.connection == connection.id) {
        out.push(text(if leg.leg.role == Role::Data { "data" } else { "main" }));
    }
}
