//! Where work stands: the position of a checkpoint.

/// What a position counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of an object.
    Bytes,
    /// Messages or packets.
    Messages,
    /// A protocol's serial number.
    Serial,
    /// Recipients of a mail.
    Recipients,
    /// A cookie whose value only its issuer understands.
    Cookie,
}

impl Unit {
    /// The name in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Messages => "messages",
            Self::Serial => "serial",
            Self::Recipients => "recipients",
            Self::Cookie => "cookie",
        }
    }
}

/// A place in a unit of work. Two positions compare only in the same unit and object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// What is counted.
    pub unit: Unit,
    /// How many: everything before this is done.
    pub value: u64,
    /// Out of how many, where that is known.
    pub of: Option<u64>,
}

impl Position {
    /// So many bytes.
    pub fn bytes(value: u64) -> Self {
        Self { unit: Unit::Bytes, value, of: None }
    }

    /// The same out of a known whole.
    #[must_use]
    pub fn of(mut self, whole: Option<u64>) -> Self {
        self.of = whole;
        self
    }
}
