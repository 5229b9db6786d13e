//! Which connections each frame belongs to, in a second pass over the inputs: for whoever wants the frames themselves.

use std::collections::BTreeSet;

use super::dissect::{Pass, Wanted};
use crate::analysis::Analysis;
use crate::capture::{Batch, Capture, Frame, Input, reader};
use crate::error::Error;
use crate::limits::BATCH_BYTES;
use crate::packet::{Body, Header, Packet};

/// A frame, what it was taken apart into, and whose it is.
#[derive(Debug)]
pub struct Member<'b> {
    /// The frame.
    pub frame: Frame<'b>,
    /// The headers that were met in it, the outer ones first.
    pub headers: &'b [Header],
    /// Its packets, the outer ones first, each with its place in the run.
    pub packets: &'b [(Packet, u64)],
    /// Ids of the connections that its packets belong to, or that an error in it is about.
    pub connections: Vec<u32>,
    pub(super) batch: &'b Batch,
}

impl Member<'_> {
    /// What was captured of a packet's payload.
    pub fn payload(&self, packet: &Packet) -> &[u8] {
        match &packet.body {
            Body::Tcp(head) => self.batch.bytes(head.payload.captured),
            Body::Udp(payload) => self.batch.bytes(payload.captured),
            Body::IcmpError(_) | Body::Sampled(_) => &[],
        }
    }

    /// Whether one of its packets is an error about another packet.
    pub fn is_error(&self) -> bool {
        self.packets.iter().any(|(packet, _)| matches!(packet.body, Body::IcmpError(_)))
    }
}

/// Reads the inputs again and tells every frame in the order of the run. Only these connections are recognised; all
/// where none are given. What is known of the inputs afterwards is given back.
///
/// # Errors
/// Where not one input can be read again.
pub fn members(
    inputs: Vec<Input>,
    analysis: &Analysis,
    connections: Option<BTreeSet<u32>>,
    tell: &mut dyn FnMut(&Member<'_>),
) -> Result<reader::Finished, Error> {
    let wanted = Wanted { connections, application: false, info: false, ..Wanted::default() };
    let mut capture = Capture::open(inputs, BATCH_BYTES)?;
    let mut pass = Pass::new(analysis, &wanted);
    let mut batch = Batch::default();
    while capture.fill(&mut batch) {
        pass.members(&mut batch, tell);
    }
    Ok(capture.finish())
}
