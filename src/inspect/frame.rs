//! The fields of the frame itself: when, how long, which protocols.

use std::borrow::Cow;

use super::field::{Dissection, Field, Value};
use super::segments::Segment;
use super::tree::Tree;
use crate::analysis::Analysis;
use crate::capture::Frame;
use crate::events::Connection;
use crate::packet::Packet;
use crate::time::{Span, Timestamp};

/// The name of the field that lists a frame's protocols.
const PROTOCOLS: &str = "frame.protocols";

/// A packet of the frame and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) packet: &'a Packet,
    /// What was captured of its payload, where somebody wants it.
    pub(super) payload: Option<&'a [u8]>,
    pub(super) connection: Option<&'a Connection>,
    pub(super) segment: Option<Segment>,
    /// Since the first and the previous datagram of its stream.
    pub(super) spans: Option<(Span, Span)>,
}

/// What the times of a frame are measured from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// The first frame of the run.
    pub(super) first: Option<Timestamp>,
    /// The frame before.
    pub(super) before: Option<Timestamp>,
}

/// Writes the lines of the frame.
pub(super) fn begin(dissection: &mut Dissection, frame: &Frame<'_>, moments: Moments, analysis: &Analysis) {
    let (length, captured) = (frame.original.max(frame.bytes.len() as u32), frame.bytes.len());
    let mut tree = Tree::new(&mut dissection.fields, frame.bytes, Some(0));
    let number = frame.at.frame;
    let label = format!("Frame {number}: {length} bytes on wire, {captured} bytes captured");
    tree.protocol("frame", label, captured);
    tree.computed("frame.interface_id", "Interface id", Value::Unsigned(u64::from(frame.interface)));
    tree.computed("frame.time", "Arrival Time", Value::Time(frame.time));
    tree.computed("frame.time_epoch", "Epoch Time", Value::Time(frame.time));
    let delta = moments.before.map_or(Span::ZERO, |before| frame.time - before);
    tree.computed("frame.time_delta", "Time delta from previous captured frame", Value::Span(delta));
    let relative = moments.first.map_or(Span::ZERO, |first| frame.time - first);
    tree.computed("frame.time_relative", "Time since first frame", Value::Span(relative));
    tree.computed("frame.number", "Frame Number", Value::Unsigned(number));
    tree.computed("frame.len", "Frame Length", Value::Unsigned(u64::from(length)));
    tree.computed("frame.cap_len", "Capture Length", Value::Unsigned(captured as u64));
    tree.computed(PROTOCOLS, "Protocols in frame", Value::Text(String::new()));
    let file = analysis.files.get(usize::from(frame.at.file.0));
    for (_, comment) in file.iter().flat_map(|file| &file.comments).filter(|(of, _)| *of == number) {
        tree.computed("frame.comment", "Comment", Value::Text(comment.clone()));
    }
}

/// Fills in what is known only once all lines are there.
pub(super) fn finish(dissection: &mut Dissection) {
    let mut names: Vec<&'static str> = Vec::new();
    // What an ICMP error quotes has its own protocols, one level down.
    let is_protocol = |field: &&Field| match field.depth {
        0 => !field.name.is_empty(),
        1 => field.value == Value::Present && matches!(field.name, "ip" | "ipv6" | "tcp" | "udp"),
        _ => false,
    };
    for field in dissection.fields.iter().skip(1).filter(is_protocol) {
        // Several messages of one protocol are named once; a header in a tunnel is another one.
        if names.last() != Some(&field.name) || matches!(field.name, "ip" | "ipv6" | "vlan") {
            names.push(field.name);
        }
        if matches!(field.name, "eth" | "vlan" | "ieee8021ad" | "sll") {
            names.push("ethertype");
        }
    }
    if let Some(field) = dissection.fields.iter_mut().find(|field| field.name == PROTOCOLS) {
        field.value = Value::Text(names.join(":"));
    }
    if dissection.protocol.is_empty() {
        dissection.protocol = Cow::Borrowed("Frame");
    }
}
