//! Fills the record `session` from a session.

use super::{
    AtRisk, Checkpoints, Cited, Confirmed, Dialog, End, Identity, Idle, KeepAlive, Login, Outcome, Part,
    Phase, Resume, Session, SessionType, Stitch, Tls,
};
use crate::analysis::Analysis;
use crate::events::security::EarlyData;
use crate::events::{Endpoint, SecurityFacts, Timer};
use crate::place::PacketRef;
use crate::report::view::{Context, Seconds, Time};
use crate::report::words::Said;
use crate::rules;
use crate::session::{self, Layer, Role};
use crate::time::Span;

fn end(endpoint: Endpoint) -> End {
    End { ip: endpoint.ip.to_string(), port: endpoint.port }
}

fn cited(refs: Vec<PacketRef>, context: Context) -> Cited {
    let mut refs = refs;
    refs.sort_unstable();
    refs.dedup();
    Cited { refs, context }
}

impl Session {
    /// The record of one session.
    pub fn new(session: &session::Session, analysis: &Analysis, context: Context) -> Self {
        let time = |at| Time::new(at, context);
        let identities = session.identities.iter().map(|identity| Identity {
            kind: identity.kind.name(),
            hash: identity.hash.hex(),
            hint: identity.hint.as_deref().map(str::to_owned),
        });
        let phases = session.phases.iter().map(|phase| Phase {
            state: phase.name.name(),
            start: time(phase.start),
            end: time(phase.end),
            cause: phase.cause,
            frames: cited(phase.at.iter().flat_map(session::Point::frames).collect(), context),
        });
        Self {
            r#type: SessionType::It,
            id: session.name(),
            uid: format!("{:016x}", session.uid),
            protocol: session.protocol,
            client: end(session.client),
            server: end(session.server),
            identities: identities.collect(),
            connections: session.legs.iter().map(part).collect(),
            start: time(session.start),
            end: time(session.end),
            duration_s: Seconds(session.duration()),
            state: session.phases.last().map_or("opening", |phase| phase.name.name()),
            outcome: Outcome {
                reason: Said(session.outcome.reason),
                detail: session.outcome.detail,
                by: Said(session.outcome.by),
                confidence: Said(session.outcome.confidence),
                frames: cited(session.outcome.frames.clone(), context),
                because: session.outcome.because.clone(),
            },
            history: session.history.clone(),
            phases: phases.collect(),
            auth: session.logins().map(|login| self::login(login, context)).collect(),
            resume: session.resumptions().map(|resume| self::resume(resume, context)).collect(),
            checkpoints: checkpoints(session, context),
            at_risk: session.at_risk.as_ref().map(|risk| AtRisk {
                verdict: risk.verdict.name(),
                object: risk.object.as_deref().map(str::to_owned),
                bytes: risk.bytes,
                redo_bytes: risk.redo_bytes,
            }),
            dialog: dialog(session, analysis),
            keepalive: keepalive(session),
            tls: session
                .legs
                .iter()
                .filter_map(|part| Some(tls(part.connection, part.leg.security.as_deref()?)))
                .collect(),
            idle: Idle {
                max_s: Seconds(session.longest_quiet().map_or(Span::ZERO, |quiet| quiet.span)),
                total_s: Seconds(session.quiet_total()),
            },
            clear: session.clear.name(),
            findings: analysis.findings_of(session).map(rules::Finding::name).collect(),
        }
    }
}

fn part(leg: &session::SessionLeg) -> Part {
    Part {
        id: leg.connection,
        role: if leg.leg.role == Role::Data { "data" } else { "main" },
        stitch: leg.stitch.map(|stitch| Stitch {
            confidence: Said(stitch.confidence),
            by: stitch.by.name(),
            class: stitch.by.strength().letter(),
            score: stitch.score,
            with: stitch.with,
        }),
    }
}

fn login(login: &session::Login, context: Context) -> Login {
    let mut frames = login.begun.frames();
    frames.extend(login.last.frames());
    Login {
        mechanism: login.mechanism,
        principal_hash: login.principal.as_ref().map(|principal| principal.hash.hex()),
        result: login.result.name(),
        attempts: login.attempts,
        frames: cited(frames, context),
    }
}

fn resume(resume: &session::Resumption, context: Context) -> Resume {
    let mut frames = resume.begun.frames();
    frames.extend(resume.answered.iter().flat_map(session::Point::frames));
    Resume {
        mechanism: resume.mechanism,
        result: resume.result.name(),
        of: resume.object.as_deref().map(str::to_owned),
        position_asked: resume.asked.map(|position| position.value),
        position_granted: resume.granted.map(|position| position.value),
        frames: cited(frames, context),
    }
}

fn checkpoints(session: &session::Session, context: Context) -> Option<Checkpoints> {
    let (minor, major) = session.legs.iter().fold((0_u32, 0_u32), |(minor, major), part| {
        (minor.saturating_add(part.leg.works.minor), major.saturating_add(part.leg.works.major))
    });
    let last_confirmed = session.last_confirmed().map(|point| Confirmed {
        grade: point.grade.name(),
        position: point.position.map(Into::into),
        object: point.object.as_deref().map(str::to_owned),
        time: Time::new(point.at.time, context),
        frames: cited(point.at.frames(), context),
    });
    (minor + major > 0).then_some(Checkpoints { minor, major, last_confirmed })
}

fn dialog(session: &session::Session, analysis: &Analysis) -> Dialog {
    let turns =
        session.legs.iter().map(|part| part.leg.dialog.turns.client + part.leg.dialog.turns.server).sum();
    let last = session.last_main();
    let ended = last.and_then(|part| analysis.connections.get(part.connection as usize)).map(|c| c.end);
    let debt = last.and_then(|part| part.leg.dialog.debt());
    Dialog {
        mode: last.map_or("one-way", |part| part.leg.dialog.mode().name()),
        turns,
        floor: last.map_or("nobody-spoke", |part| part.leg.dialog.floor().name()),
        owed_by: debt.map(|question| question.by.other().name()),
        owed_s: debt.zip(ended).map(|(question, ended)| Seconds(ended.since(question.at.time))),
    }
}

/// Of the application's keep-alives if it has any or declares them, else of the transport's.
fn keepalive(session: &session::Session) -> Option<KeepAlive> {
    let part = session.last_main()?;
    let clocks = &part.leg.clocks;
    let declared = clocks.declared(Timer::KeepAlive).map(|(_, span)| Seconds(span));
    let (layer, rhythm) = if clocks.application.probes > 0 || clocks.transport.probes == 0 {
        (Layer::Application, clocks.application)
    } else {
        (Layer::Transport, clocks.transport)
    };
    if rhythm.probes == 0 && declared.is_none() {
        return None;
    }
    Some(KeepAlive {
        layer: layer.name(),
        declared_s: declared,
        observed_s: rhythm.interval().map(Seconds),
        missed: rhythm.probes.saturating_sub(rhythm.answers),
    })
}

fn tls(connection: u32, facts: &SecurityFacts) -> Tls {
    let offered = [
        (facts.offered.session_id, "session-id"),
        (facts.offered.ticket, "ticket"),
        (facts.offered.psk, "psk"),
        (facts.early_data != EarlyData::None, "early-data"),
    ];
    Tls {
        connection,
        version: facts.version.map(|version| format!("{version:#06x}")),
        sni: facts.sni.as_deref().map(str::to_owned),
        alpn: facts.alpn.as_deref().map(str::to_owned),
        cipher: facts.cipher.map(|cipher| format!("{cipher:#06x}")),
        offered: offered.into_iter().filter_map(|(yes, name)| yes.then_some(name)).collect(),
        resumed: facts.resumed,
        early_data: match facts.early_data {
            EarlyData::None => None,
            EarlyData::Offered => Some("offered"),
            EarlyData::Rejected => Some("rejected"),
            EarlyData::Accepted => Some("accepted"),
        },
        alerts: facts.alerts.iter().map(|(_, number)| *number).collect(),
    }
}
