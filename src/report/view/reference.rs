//! How frames, times and durations are written.

use serde::{Serialize, Serializer};

use super::{Context, Stamps};
use crate::place::PacketRef;
use crate::time::{Span, Timestamp};

/// A frame as users find it in Wireshark: `frame.number` of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum Frame {
    /// With one input: the number alone.
    Number(u64),
    /// With several inputs: the number, and the `index` of the capture that it counts in.
    In {
        /// `index` of the capture.
        capture: u16,
        /// `frame.number` in that capture.
        frame: u64,
    },
}

impl Frame {
    /// The frame of a reference.
    pub fn new(at: PacketRef, context: Context) -> Self {
        if context.several_captures {
            Self::In { capture: at.file.0, frame: at.frame }
        } else {
            Self::Number(at.frame)
        }
    }
}

/// A list of frames, written as it is walked.
#[derive(Debug, Clone, Copy)]
pub struct Frames<'a> {
    /// The references.
    pub refs: &'a [PacketRef],
    /// How they are numbered.
    pub context: Context,
}

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.refs.iter().map(|at| Frame::new(*at, self.context)))
    }
}

/// A moment of packet time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The moment.
    pub at: Timestamp,
    /// How it is written.
    pub stamps: Stamps,
}

impl Time {
    /// A moment, written as the context asks.
    pub fn new(at: Timestamp, context: Context) -> Self {
        Self { at, stamps: context.stamps }
    }
}

/// Seconds since the epoch with nine digits. A 64-bit float could not hold them, so the digits are made here.
pub(crate) fn epoch(at: Timestamp) -> String {
    let magnitude = at.0.unsigned_abs();
    let sign = if at.0 < 0 { "-" } else { "" };
    format!("{sign}{}.{:09}", magnitude / 1_000_000_000, magnitude % 1_000_000_000)
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.stamps {
            Stamps::Rfc3339 => serializer.serialize_str(&self.at.rfc3339()),
            Stamps::Epoch => serde_json::value::RawValue::from_string(epoch(self.at))
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

/// What the schema says of a [`Time`].
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub enum Stamp {
    /// RFC 3339 in UTC with nine digits.
    Rfc3339(String),
    /// Seconds since 1970-01-01T00:00:00Z (`--ts epoch`).
    Epoch(f64),
}

/// A duration in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Span);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs())
    }
}

/// A ratio that is safe to write: JSON has no word for "not a number", and an absent base is no ratio.
pub(super) fn ratio(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::FileId;

    fn json(value: impl Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn epoch_times_keep_their_nanoseconds() {
        let time = |ns, stamps| json(Time { at: Timestamp(ns), stamps });
        assert_eq!(time(1_700_000_000_000_000_005, Stamps::Epoch), "1700000000.000000005");
        assert_eq!(time(-5, Stamps::Epoch), "-0.000000005");
        assert_eq!(time(0, Stamps::Rfc3339), "\"1970-01-01T00:00:00.000000000Z\"");
    }

    #[test]
    fn a_frame_names_its_capture_only_among_several() {
        let refs = [PacketRef { number: 9, frame: 4, file: FileId(1), ..PacketRef::default() }];
        let frames = |several_captures| {
            json(Frames { refs: &refs, context: Context { several_captures, stamps: Stamps::default() } })
        };
        assert_eq!(frames(false), "[4]");
        assert_eq!(frames(true), r#"[{"capture":1,"frame":4}]"#);
    }
}
