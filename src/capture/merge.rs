//! Several inputs as one timeline: whose frame is due next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::place::FileId;
use crate::time::Timestamp;

/// The inputs that have a further frame, by its time; equal times by the order of inputs.
///
/// Each input keeps its own order even where its time runs backwards, since only its next frame is here.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    due: BinaryHeap<Reverse<(Timestamp, FileId)>>,
}

impl Timeline {
    /// An input's next frame has this time.
    pub(super) fn push(&mut self, time: Timestamp, file: FileId) {
        self.due.push(Reverse((time, file)));
    }

    /// The input whose frame is due.
    pub(super) fn due(&self) -> Option<FileId> {
        self.due.peek().map(|Reverse((_, file))| *file)
    }

    /// The same, and takes it out.
    pub(super) fn pop(&mut self) -> Option<FileId> {
        self.due.pop().map(|Reverse((_, file))| file)
    }

    /// Whether a frame of this time and input comes before all that wait.
    pub(super) fn is_first(&self, time: Timestamp, file: FileId) -> bool {
        self.due.peek().is_none_or(|Reverse(next)| (time, file) < *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_first_then_the_order_of_inputs() {
        let mut timeline = Timeline::default();
        for (time, file) in [(5, 0), (3, 2), (3, 1), (9, 3)] {
            timeline.push(Timestamp(time), FileId(file));
        }
        assert!(timeline.is_first(Timestamp(3), FileId(0)));
        assert!(!timeline.is_first(Timestamp(3), FileId(2)));
        let order: Vec<u16> = std::iter::from_fn(|| timeline.pop()).map(|file| file.0).collect();
        assert_eq!(order, [1, 2, 0, 3]);
        assert!(timeline.is_first(Timestamp(i64::MAX), FileId(9)));
    }
}
