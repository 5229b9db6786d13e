//! What the analysis says about a packet, as the last lines of its tree: its session, and the findings that cite it.

use std::borrow::Cow;

use super::field::{Dissection, Field, Value};
use crate::analysis::Analysis;

/// The sessions of connections, for many packets.
#[derive(Debug)]
pub(super) struct Sessions {
    /// Places in the list of sessions by connection.
    by_connection: Vec<Option<u32>>,
}

impl Sessions {
    /// Of a result.
    pub(super) fn of(analysis: &Analysis) -> Self {
        let mut by_connection = vec![None; analysis.connections.len()];
        for (place, session) in analysis.sessions.iter().enumerate() {
            for leg in &session.legs {
                if let Some(slot) = by_connection.get_mut(leg.connection as usize) {
                    *slot = Some(place as u32);
                }
            }
        }
        Self { by_connection }
    }

    /// Adds the lines of the session and its findings.
    pub(super) fn add(&self, dissection: &mut Dissection, analysis: &Analysis) {
        let mut told = Vec::new();
        for id in &dissection.connections {
            let place = self.by_connection.get(*id as usize).copied().flatten();
            if let Some(place) = place.filter(|place| !told.contains(place)) {
                told.push(place);
            }
        }
        for place in told {
            let Some(session) = analysis.sessions.get(place as usize) else { continue };
            let line = |name, label: &'static str, text: String| Field {
                name,
                label: Cow::Borrowed(label),
                value: Value::Text(text),
                depth: 1,
                computed: true,
                ..Field::default()
            };
            dissection.fields.push(Field {
                label: Cow::Owned(format!("Session {}", session.name())),
                computed: true,
                ..Field::default()
            });
            dissection.fields.push(line("session.id", "Id", session.name()));
            dissection.fields.push(line("session.proto", "Protocol", session.protocol.to_owned()));
            dissection.fields.push(line("", "How it ended", session.outcome.because.clone()));
            let at = dissection.at;
            for finding in analysis.findings_of(session) {
                if !finding.evidence.iter().any(|evidence| evidence.frames.contains(&at)) {
                    continue;
                }
                dissection.fields.push(Field {
                    label: Cow::Owned(format!("Finding {} {}", finding.rule.code, finding.rule.name)),
                    computed: true,
                    ..Field::default()
                });
                dissection.fields.push(line("finding.rule", "Rule", finding.rule.code.to_owned()));
                dissection.fields.push(line("", "Claim", finding.message.clone()));
            }
        }
    }
}
