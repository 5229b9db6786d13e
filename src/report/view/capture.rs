//! The record `capture`: one input, and how far it can be trusted.

use std::borrow::Cow;

use serde::Serialize;

use super::reference::ratio;
use super::{Context, Seconds, Time, record_type};
use crate::analysis;
use crate::capture::{FileFacts, InterfaceFacts};

record_type!(CaptureType, "capture");

/// One input.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Capture<'a> {
    /// `capture`
    pub r#type: CaptureType,
    /// Its number, from 0, to which frames refer when there are several.
    pub index: usize,
    /// As the user named it; `-` for standard input.
    pub path: Cow<'a, str>,
    /// `pcap`, `pcapng`, `snoop`, or a variant such as `pcap-modified`.
    pub format: &'a str,
    /// `gzip`, `zstd` or `lz4`; absent where it was not compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<&'a str>,
    /// Every link type that a frame had: numbers of the registry of pcap and pcapng (`LINKTYPE_…`).
    pub link_types: Vec<u32>,
    /// Finest resolution of its clocks, in seconds; absent where nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_resolution: Option<f64>,
    /// Frames read.
    pub packets: u64,
    /// Their captured bytes.
    pub bytes_captured: u64,
    /// Their bytes on the wire.
    pub bytes_wire: u64,
    /// Earliest time of a frame; absent without frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<super::Stamp>"))]
    pub first: Option<Time>,
    /// Latest time of a frame; absent without frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<super::Stamp>"))]
    pub last: Option<Time>,
    /// From `first` to `last`; absent without frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "cli", schemars(with = "Option<f64>"))]
    pub duration_s: Option<Seconds>,
    /// Whether the file ends in the middle of a record.
    pub truncated: bool,
    /// Interfaces, in order of appearance.
    pub interfaces: Vec<Interface<'a>>,
    /// How far it can be trusted; absent where it was not judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// One interface of a capture.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Interface<'a> {
    /// Its name; absent where the file gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// What its frames begin with: a number of the registry of pcap and pcapng.
    pub link_type: u32,
    /// Bytes kept of a frame at most; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snaplen: Option<u32>,
    /// Packets that the recorder says it dropped; absent where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<u64>,
}

/// How far a capture can be trusted.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Quality {
    /// TCP connections of at least five segments seen from one side only ÷ all of at least five segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_sided_ratio: Option<f64>,
    /// TCP bytes acknowledged and never seen ÷ bytes acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_ratio: Option<f64>,
    /// TCP segments recorded twice ÷ TCP segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_ratio: Option<f64>,
    /// Frames cut by the recorder ÷ frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapped_ratio: Option<f64>,
    /// How far time ran backwards at most.
    #[cfg_attr(feature = "cli", schemars(with = "f64"))]
    pub clock_disorder_s: Seconds,
    /// Times without any frame though there were many before and after.
    pub blackouts: Vec<Blackout>,
}

/// A time without any frame.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Blackout {
    /// Time of the last frame before.
    #[cfg_attr(feature = "cli", schemars(with = "super::Stamp"))]
    pub start: Time,
    /// Time of the first frame after.
    #[cfg_attr(feature = "cli", schemars(with = "super::Stamp"))]
    pub end: Time,
}

impl<'a> Capture<'a> {
    /// The record of one input.
    pub fn new(
        index: usize,
        facts: &'a FileFacts,
        quality: Option<&analysis::Quality>,
        context: Context,
    ) -> Self {
        Self {
            r#type: CaptureType::It,
            index,
            path: facts.path.to_string_lossy(),
            format: facts.format,
            compression: facts.compression,
            link_types: facts.link_types.iter().map(|link| link.0).collect(),
            time_resolution: (facts.time_resolution_ns > 0).then(|| facts.time_resolution_ns as f64 / 1e9),
            packets: facts.packets,
            bytes_captured: facts.bytes_captured,
            bytes_wire: facts.bytes_wire,
            first: facts.first.map(|at| Time::new(at, context)),
            last: facts.last.map(|at| Time::new(at, context)),
            duration_s: facts.first.zip(facts.last).map(|(first, last)| Seconds(last.since(first))),
            truncated: facts.truncated,
            interfaces: facts.interfaces.iter().map(Interface::new).collect(),
            quality: quality.map(|quality| Quality::new(facts, quality, context)),
        }
    }
}

impl<'a> Interface<'a> {
    fn new(facts: &'a InterfaceFacts) -> Self {
        Self {
            name: (!facts.name.is_empty()).then_some(facts.name.as_str()),
            link_type: facts.link.0,
            snaplen: (facts.snaplen > 0).then_some(facts.snaplen),
            drops: facts.drops,
        }
    }
}

impl Quality {
    fn new(facts: &FileFacts, quality: &analysis::Quality, context: Context) -> Self {
        Self {
            one_sided_ratio: ratio(quality.one_sided_ratio),
            loss_ratio: ratio(quality.loss_ratio),
            duplicate_ratio: ratio(quality.duplicate_ratio),
            snapped_ratio: ratio(quality.snapped_ratio),
            clock_disorder_s: Seconds(quality.disorder),
            blackouts: facts
                .blackouts
                .iter()
                .map(|dark| Blackout {
                    start: Time::new(dark.start, context),
                    end: Time::new(dark.end, context),
                })
                .collect(),
        }
    }
}
