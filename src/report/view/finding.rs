//! The record `finding`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::session::Cited;
use super::{Context, Frames, Seconds, Time, record_type};
#[cfg(feature = "cli")]
use super::{Frame, Stamp};
use crate::analysis::Analysis;
use crate::events::transport::Confidence;
use crate::report::filter;
use crate::report::words::Said;
use crate::rules::{self, Fault, Layer, Role, Severity};

record_type!(FindingType, "finding");

/// What a rule found: the claim, how sure it is, whose fault, and the frames that prove it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Finding<'a> {
    /// `finding`
    pub r#type: FindingType,
    /// `F-0001`, in the order of the output.
    pub id: String,
    /// Code of the rule.
    pub rule: &'static str,
    /// Name of the rule.
    pub name: &'static str,
    /// How much it hurts.
    pub severity: Said<Severity>,
    /// How sure it is.
    pub confidence: Said<Confidence>,
    /// Whose configuration or behaviour has to change.
    pub fault: Said<Fault>,
    /// Which layer is to blame.
    pub layer: Said<Layer>,
    /// What the rule finds, in a few words.
    pub title: &'static str,
    /// The claim, in one sentence.
    pub message: &'a str,
    /// How it is known.
    pub why: &'a str,
    /// How to mend it.
    pub advice: &'a str,
    /// Its session; absent where it concerns the capture, or several sessions alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Ids of its connections.
    pub connections: &'a [u32],
    /// When it showed.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub time: Time,
    /// All frames of the evidence, in order.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Cited,
    /// The proof, piece by piece.
    pub evidence: Vec<Evidence<'a>>,
    /// Figures measured, and thresholds they were held against.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<&'static str, Value<'a>>,
    /// Other explanations, and why they are not it.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub ruled_out: &'a [String],
    /// `id` of the finding that explains this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// A Wireshark display filter that shows the evidence, for the first capture that holds any of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// A name that stays the same from run to run of the same service.
    pub fingerprint: String,
    /// How many sessions it stands for.
    pub occurrences: u32,
}

/// One piece of evidence.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Evidence<'a> {
    /// What it does for the claim.
    pub role: Said<Role>,
    /// Its frames; of an absence those between which nothing came.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<Frame>"))]
    pub frames: Frames<'a>,
    /// The window of an absence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What it says.
    pub sentence: &'a str,
}

/// From when to when nothing came.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Window {
    /// First moment.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub start: Time,
    /// Last moment.
    #[cfg_attr(feature = "cli", schemars(with = "Stamp"))]
    pub end: Time,
}

/// A figure.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum Value<'a> {
    /// Seconds.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    Time(Seconds),
    /// A count or an amount.
    Number(u64),
    /// A ratio.
    Ratio(f64),
    /// A word.
    Text(&'a str),
}

impl<'a> Finding<'a> {
    /// The record of one finding.
    pub fn new(finding: &'a rules::Finding, analysis: &Analysis, context: Context) -> Self {
        let evidence = finding.evidence.iter().map(|piece| Evidence {
            role: Said(piece.role),
            frames: Frames { refs: &piece.frames, context },
            window: piece.window.map(|(start, end)| Window {
                start: Time::new(start, context),
                end: Time::new(end, context),
            }),
            sentence: &piece.sentence,
        });
        let values = finding.values.iter().map(|(name, value)| {
            let value = match value {
                rules::Value::Time(span) => Value::Time(Seconds(*span)),
                rules::Value::Number(number) => Value::Number(*number),
                rules::Value::Ratio(ratio) => Value::Ratio(*ratio),
                rules::Value::Text(text) => Value::Text(text),
            };
            (*name, value)
        });
        Self {
            r#type: FindingType::It,
            id: finding.name(),
            rule: finding.rule.code,
            name: finding.rule.name,
            severity: Said(finding.severity),
            confidence: Said(finding.confidence),
            fault: Said(finding.fault),
            layer: Said(finding.layer),
            title: finding.rule.title,
            message: &finding.message,
            why: &finding.why,
            advice: &finding.advice,
            session: finding.session.map(|id| format!("S-{id:04}")),
            connections: &finding.connections,
            time: Time::new(finding.time, context),
            frames: Cited::new(finding.frames(), context),
            evidence: evidence.collect(),
            values: values.collect(),
            ruled_out: &finding.ruled_out,
            caused_by: finding.caused_by.map(|id| format!("F-{id:04}")),
            filter: filter::finding(finding, analysis)
                .into_iter()
                .next()
                .map_or(String::new(), |shown| shown.filter),
            fingerprint: finding.fingerprint.hex(),
            occurrences: finding.occurrences,
        }
    }
}
