//! Which mishap befalls which packet.

use super::complaint::Complaint;
use super::script::{Mishap, MishapKind};

/// The mishaps that lie in wait for one side's packets.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    armed: Vec<Armed>,
}

/// One mishap, and the line that ordered it.
#[derive(Debug, Clone, Copy)]
struct Armed {
    mishap: Mishap,
    line: usize,
}

/// What happens to one packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Strokes {
    /// Not delivered.
    pub(super) lost: bool,
    /// Not recorded.
    pub(super) unseen: bool,
    /// Recorded again: how much later, and by how much the time to live differs.
    pub(super) again: Option<(i64, i16)>,
    /// Passes the tap after the next one; the line that says so.
    pub(super) swapped: Option<usize>,
    /// Arrives so much later.
    pub(super) delay: i64,
    /// Travels in fragments of at most so many bytes.
    pub(super) fragment: Option<u16>,
}

impl Faults {
    /// Adds a mishap; one for zero packets ends those of its kind.
    pub(super) fn arm(&mut self, mishap: Mishap, line: usize) {
        if mishap.count == Some(0) {
            let kind = std::mem::discriminant(&mishap.kind);
            self.armed.retain(|armed| std::mem::discriminant(&armed.mishap.kind) != kind);
        } else {
            self.armed.push(Armed { mishap, line });
        }
    }

    /// What befalls the next packet.
    pub(super) fn draw(&mut self) -> Strokes {
        let mut strokes = Strokes::default();
        self.armed.retain_mut(|Armed { mishap, line }| {
            if mishap.after > 0 {
                mishap.after -= 1;
                return true;
            }
            match mishap.kind {
                MishapKind::LoseBehind => strokes.lost = true,
                MishapKind::LoseBefore => (strokes.lost, strokes.unseen) = (true, true),
                MishapKind::Miss => strokes.unseen = true,
                MishapKind::Repeat { later, ttl } => strokes.again = Some((later, ttl)),
                MishapKind::Swap => strokes.swapped = Some(*line),
                MishapKind::Delay(by) => strokes.delay = by,
                MishapKind::Fragment(size) => strokes.fragment = Some(size),
            }
            if let Some(count) = &mut mishap.count {
                *count -= 1;
            }
            mishap.count != Some(0)
        });
        strokes
    }

    /// A mishap that was to happen and did not, which is a mistake of the story.
    pub(super) fn unused(&self) -> Option<(usize, Complaint)> {
        let left = self.armed.iter().find(|armed| armed.mishap.count.is_some());
        left.map(|armed| (armed.line, Complaint::Unused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mishaps_pass_count_and_end() {
        let mut faults = Faults::default();
        faults.arm(Mishap { kind: MishapKind::LoseBehind, after: 1, count: Some(2) }, 7);
        faults.arm(Mishap { kind: MishapKind::Miss, after: 0, count: None }, 8);
        let lost: Vec<bool> = (0..4).map(|_| faults.draw().lost).collect();
        assert_eq!(lost, [false, true, true, false]);
        assert!(faults.draw().unseen);
        faults.arm(Mishap { kind: MishapKind::Miss, after: 0, count: Some(0) }, 9);
        assert_eq!(faults.draw(), Strokes::default());
    }

    #[test]
    fn a_mishap_that_never_happens_is_told_with_its_line() {
        let mut faults = Faults::default();
        faults.arm(Mishap { kind: MishapKind::Swap, after: 0, count: Some(1) }, 5);
        assert_eq!(faults.unused(), Some((5, Complaint::Unused)));
        faults.draw();
        assert_eq!(faults.unused(), None);
    }
}
