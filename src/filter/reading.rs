//! Packets read again from the inputs that the analysis was made of.

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
    /// Whether the line that sums a packet up is wanted too.
    info: bool,
    /// Whether all fields are wanted, and not only those that the filter names.
    whole: bool,
}

impl<'a> Reread<'a> {
    /// The same inputs in the same order as those that were analysed.
    pub fn new(inputs: Vec<Input>, analysis: &'a Analysis) -> Self {
        Self { inputs, analysis, info: false, whole: false }
    }

    /// The same with all fields and the line that sums a packet up, for who shows packets.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { info: true, whole: true, ..self }
    }
}

impl PacketSource for Reread<'_> {
    fn read(
        &self,
        needs: &Needs,
        tell: &mut dyn FnMut(&Dissection, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let wanted = Wanted {
            frames: needs.frames.clone(),
            connections: needs.connections.clone(),
            application: needs.application || self.whole,
            info: self.info,
        };
        dissect(self.inputs.clone(), self.analysis, &wanted, tell)
    }
}
