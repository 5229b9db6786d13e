//! The TCP header and its options (RFC 9293 §3.1 and the RFCs named at [`TcpOptions`]).

use crate::packet::envelope::Envelope;
use crate::packet::layer::Stop;
use crate::packet::tally::Trouble;
use crate::packet::view::View;
use crate::packet::{ParityLength, TcpFlags, TcpHead, TcpOptions};

/// Length of the header without options.
const FIXED: usize = 20;

/// Ports and header of a segment. Options that are cut by the recorder are read as far as they go.
#[inline]
pub(super) fn segment(envelope: &mut Envelope, view: View<'_>) -> Result<((u16, u16), TcpHead), Stop> {
    let head: &[u8; FIXED] = view.head()?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, high, low, w0, w1, ..] = *head;
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let seq = u32::from_be_bytes([q0, q1, q2, q3]);
    let length = usize::from(high >> 4) * 4;
    if length < FIXED {
        envelope.trouble = Some(Trouble::TcpHeaderLength);
        let parity = ParityLength::BadHeader(view.wire - length as u32);
        return Ok((ports, TcpHead { seq, parity, ..TcpHead::default() }));
    }
    let options = view.bytes.get(FIXED..length).or_else(|| view.bytes.get(FIXED..)).unwrap_or_default();
    let (payload, parity) = if length as u64 <= u64::from(view.wire) {
        let rest = view.skip(view.bytes.len().min(length))?;
        let payload = View { wire: view.wire - length as u32, ..rest };
        (payload, parity(envelope, payload.wire))
    } else {
        envelope.trouble = Some(Trouble::TcpBeyondSegment);
        (view.skip(view.bytes.len())?.keep(0), ParityLength::Unknown)
    };
    let head = TcpHead {
        seq,
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: TcpFlags(u16::from_be_bytes([high & 0x0f, low])),
        window: u16::from_be_bytes([w0, w1]),
        options: if options.is_empty() { TcpOptions::default() } else { read_options(options) },
        payload: payload.payload(envelope.place),
        parity,
    };
    Ok((ports, head))
}

/// What tshark makes of a payload of `length` bytes.
#[inline]
fn parity(envelope: &Envelope, length: u32) -> ParityLength {
    if envelope.fragment.is_some() {
        return ParityLength::Unknown;
    }
    match envelope.false_checksum {
        0 => ParityLength::Same,
        taken => length.checked_sub(taken).map_or(ParityLength::Unknown, ParityLength::Length),
    }
}

/// The options; reading ends at the first that contradicts its length.
fn read_options(bytes: &[u8]) -> TcpOptions {
    let mut options = TcpOptions::default();
    let mut rest = bytes;
    loop {
        match rest {
            // The usual arrangement of timestamps: two of "no operation", then the option.
            [1, 1, 8, 10, v0, v1, v2, v3, e0, e1, e2, e3, tail @ ..] => {
                options.timestamps = Some((
                    u32::from_be_bytes([*v0, *v1, *v2, *v3]),
                    u32::from_be_bytes([*e0, *e1, *e2, *e3]),
                ));
                rest = tail;
            }
            [] | [0, ..] | [_] => return options,
            [1, tail @ ..] => rest = tail,
            [kind, length, ..] => {
                let Some((option, tail)) = rest.split_at_checked(usize::from(*length)) else {
                    return options;
                };
                let Some(value) = option.get(2..) else { return options };
                note(&mut options, *kind, value);
                rest = tail;
            }
        }
    }
}

/// One option by its kind (IANA's TCP parameters).
fn note(options: &mut TcpOptions, kind: u8, value: &[u8]) {
    match (kind, value) {
        (2, &[a, b]) => options.mss = Some(u16::from_be_bytes([a, b])),
        (3, &[shift]) => options.window_scale = Some(shift),
        (4, []) => options.sack_permitted = true,
        (5, edges) => {
            let blocks = edges.chunks_exact(8).filter_map(|block| {
                let (left, right) = block.split_first_chunk::<4>()?;
                Some((u32::from_be_bytes(*left), u32::from_be_bytes(right.try_into().ok()?)))
            });
            for (slot, block) in options.sack.iter_mut().zip(blocks) {
                *slot = block;
            }
            options.sack_blocks = (edges.len() / 8).min(options.sack.len()) as u8;
        }
        (8, &[a, b, c, d, e, f, g, h]) => {
            options.timestamps = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
        }
        (19 | 29, _) => options.signed = true,
        // Granularity in the top bit: minutes or seconds (RFC 5482 §3).
        (28, &[a, b]) => {
            let field = u16::from_be_bytes([a, b]);
            let unit = if field & 0x8000 == 0 { 1 } else { 60 };
            options.user_timeout_s = Some(u32::from(field & 0x7fff) * unit);
        }
        (30, &[first, ..]) => options.mptcp = Some(first >> 4),
        (34, _) | (253 | 254, &[0xf9, 0x89, ..]) => options.fast_open = true,
        _ => {}
    }
}
