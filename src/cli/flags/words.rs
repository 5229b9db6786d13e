//! Words that flags take, and what they mean to the reports.

use clap::ValueEnum;

use crate::report::Order;
use crate::report::session_columns::{ListForm, SessionOrder};
use crate::report::stories::{EventForm, Statistic, StoryForm, TableForm};
use crate::report::text::Clock;
use crate::report::view::Stamps;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SessionsFormat {
    /// Columns for people; tab-separated where fields are named
    Text,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated, with a heading
    Csv,
}

impl From<SessionsFormat> for ListForm {
    fn from(format: SessionsFormat) -> Self {
        match format {
            SessionsFormat::Text => Self::Text,
            SessionsFormat::Jsonl => Self::Jsonl,
            SessionsFormat::Csv => Self::Csv,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShowFormat {
    /// Text for people
    Text,
    /// One JSON object a session
    Json,
    /// The ladder as a Mermaid sequence diagram
    Mermaid,
    /// What happened as a Markdown table
    Md,
    /// The life along time and the ladder as a picture
    Svg,
}

impl From<ShowFormat> for StoryForm {
    fn from(format: ShowFormat) -> Self {
        match format {
            ShowFormat::Text => Self::Text,
            ShowFormat::Json => Self::Json,
            ShowFormat::Mermaid => Self::Mermaid,
            ShowFormat::Md => Self::Markdown,
            ShowFormat::Svg => Self::Svg,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum EventsFormat {
    /// One line an event, for people
    Text,
    /// One JSON object a line
    Jsonl,
}

impl From<EventsFormat> for EventForm {
    fn from(format: EventsFormat) -> Self {
        match format {
            EventsFormat::Text => Self::Text,
            EventsFormat::Jsonl => Self::Jsonl,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StatsFormat {
    /// Columns for people
    Text,
    /// Comma-separated, with a heading
    Csv,
    /// One JSON object a row
    Jsonl,
}

impl From<StatsFormat> for TableForm {
    fn from(format: StatsFormat) -> Self {
        match format {
            StatsFormat::Text => Self::Text,
            StatsFormat::Csv => Self::Csv,
            StatsFormat::Jsonl => Self::Jsonl,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FollowSide {
    /// The client
    C,
    /// The server
    S,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FollowView {
    /// Lines of text, secrets masked; what is no text in short as hex
    Text,
    /// All bytes as hex and as signs
    Hex,
    /// The bytes as they are, and nothing else
    Raw,
}

/// A table of `stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StatsName {
    /// Timers declared, kept, and run out
    Timers,
    /// Resumptions, and what came of them
    Resume,
    /// Logins, and what came of them
    Logins,
    /// Sessions by how they ended
    Ends,
    /// Sessions by protocol
    Protocols,
    /// What each server does with sessions: timers, resumption, ends, ghosts
    Services,
}

impl From<StatsName> for Statistic {
    fn from(name: StatsName) -> Self {
        match name {
            StatsName::Timers => Self::Timers,
            StatsName::Resume => Self::Resume,
            StatsName::Logins => Self::Logins,
            StatsName::Ends => Self::Ends,
            StatsName::Protocols => Self::Protocols,
            StatsName::Services => Self::Services,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SessionSort {
    /// By first frame
    Id,
    /// Longest first
    Duration,
    /// Longest quiet time first
    Idle,
    /// Most payload first
    Bytes,
    /// Most connections first
    Connections,
    /// Ends that hurt first
    Concern,
}

impl From<SessionSort> for SessionOrder {
    fn from(key: SessionSort) -> Self {
        match key {
            SessionSort::Id => Self::Id,
            SessionSort::Duration => Self::Duration,
            SessionSort::Idle => Self::Idle,
            SessionSort::Bytes => Self::Bytes,
            SessionSort::Connections => Self::Connections,
            SessionSort::Concern => Self::Concern,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProgressWhen {
    Auto,
    Never,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TimeClock {
    /// Seconds since the first frame of the run
    Rel,
    /// Date and time in UTC
    Utc,
    /// Seconds since 1970
    Epoch,
}

impl From<TimeClock> for Clock {
    fn from(clock: TimeClock) -> Self {
        match clock {
            TimeClock::Rel => Self::Relative,
            TimeClock::Utc => Self::Utc,
            TimeClock::Epoch => Self::Epoch,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TimeStamps {
    /// Text in UTC with nine digits
    Rfc3339,
    /// Numbers: seconds since 1970
    Epoch,
}

impl From<TimeStamps> for Stamps {
    fn from(stamps: TimeStamps) -> Self {
        match stamps {
            TimeStamps::Rfc3339 => Self::Rfc3339,
            TimeStamps::Epoch => Self::Epoch,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SortKey {
    /// By first frame
    Id,
    /// Longest first
    Duration,
    /// Most payload first
    Bytes,
    /// Most packets first
    Packets,
    /// Ends that hurt first
    Concern,
}

impl From<SortKey> for Order {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Id => Self::Id,
            SortKey::Duration => Self::Duration,
            SortKey::Bytes => Self::Bytes,
            SortKey::Packets => Self::Packets,
            SortKey::Concern => Self::Concern,
        }
    }
}
