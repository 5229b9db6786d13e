//! Packets read again from the inputs that the analysis was made of.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{Needs, PacketSource};
use crate::analysis::Analysis;
use crate::capture::Input;
use crate::error::Error;
use crate::inspect::{Dissection, Wanted, dissect};

/// The inputs of an analysis, as a source of packets.
#[derive(Debug)]
pub struct Reread<'a> {
    inputs: Vec<Input>,
    analysis: &'a Analysis,
    shown: Wanted,
}

impl<'a> Reread<'a> {
    /// The same inputs in the same order as those that were analysed.
    pub fn new(inputs: Vec<Input>, analysis: &'a Analysis) -> Self {
        let shown = Wanted { frames: None, connections: None, application: false, info: false };
        Self { inputs, analysis, shown }
    }

    /// The same for who shows the packets and wants more of them than the filter does.
    #[must_use]
    pub fn showing(self, shown: Wanted) -> Self {
        Self { shown, ..self }
    }
}

impl PacketSource for Reread<'_> {
    fn read(
        &self,
        needs: &Needs,
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let wanted = Wanted {
            frames: both(self.shown.frames.as_ref(), needs.frames.as_ref()),
            connections: both(self.shown.connections.as_ref(), needs.connections.as_ref()),
            application: needs.application || self.shown.application,
            info: self.shown.info,
        };
        dissect(self.inputs.clone(), self.analysis, &wanted, tell)
    }
}

/// What is in both sets; none where neither bounds anything.
fn both<T: Ord + Copy>(a: Option<&BTreeSet<T>>, b: Option<&BTreeSet<T>>) -> Option<BTreeSet<T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a & b),
        (one, other) => one.or(other).cloned(),
    }
}
