//! The TCP header and its options (RFC 9293 §3.1 and the RFCs named at [`TcpOptions`]).

use crate::capture::Slice;
use crate::packet::envelope::Envelope;
use crate::packet::layer::Stop;
use crate::packet::tally::Trouble;
use crate::packet::view::View;
use crate::packet::{ParityLength, TcpFlags, TcpHead, TcpOptions};

/// Length of the header without options.
const FIXED: usize = 20;

/// Up to and with the window: the checksum and the urgent pointer behind it are not needed.
const NEEDED: usize = 16;

/// Ports and header of a segment. Options that are cut by the recorder are read as far as they go.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the head is large: not copying it saves a sixth of a packet's time")]
pub(super) fn segment(view: View<'_>, place: Slice) -> Result<((u16, u16), TcpHead), Stop> {
    let needed: &[u8; NEEDED] = view.head()?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, high, _, w0, w1] = *needed;
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let seq = u32::from_be_bytes([q0, q1, q2, q3]);
    let length = usize::from(high >> 4) * 4;
    if length < FIXED {
        let parity = ParityLength::BadHeader(view.wire - length as u32);
        let flags = flags(*needed);
        return Ok((ports, TcpHead { seq, flags, parity, ..TcpHead::default() }));
    }
    let captured = view.bytes.len().min(length);
    let rest = view.skip(captured)?;
    let (payload, parity) = match view.wire.checked_sub(length as u32) {
        Some(wire) => (View { wire, ..rest }, ParityLength::Same),
        None => (rest.keep(0), ParityLength::Unknown),
    };
    let options = view.bytes.get(FIXED..captured).unwrap_or_default();
    let head = TcpHead {
        seq,
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: flags(*needed),
        window: u16::from_be_bytes([w0, w1]),
        options: read_options(options),
        payload: payload.payload(place),
        parity,
    };
    Ok((ports, head))
}

/// The flags of a header.
#[inline]
pub(super) fn flags(header: [u8; NEEDED]) -> TcpFlags {
    let [.., high, low, _, _] = header;
    TcpFlags(u16::from_be_bytes([high & 0x0f, low]))
}

/// What contradicts itself in a segment of the frame.
pub(super) fn trouble(head: &TcpHead) -> Option<Trouble> {
    match head.parity {
        ParityLength::BadHeader(_) => Some(Trouble::TcpHeaderLength),
        ParityLength::Unknown => Some(Trouble::TcpBeyondSegment),
        ParityLength::Same | ParityLength::Length(_) => None,
    }
}

/// What tshark makes of a payload that is whole, given what lies around it.
pub(super) fn parity(envelope: &Envelope, head: &TcpHead) -> ParityLength {
    if head.parity != ParityLength::Same {
        return head.parity;
    }
    if envelope.fragment.is_some() {
        return ParityLength::Unknown;
    }
    match envelope.false_checksum {
        0 => ParityLength::Same,
        taken => head.payload.length.checked_sub(taken).map_or(ParityLength::Unknown, ParityLength::Length),
    }
}

/// The options; reading ends at the first that contradicts its length.
#[inline]
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
            for (slot, block) in options.sack.iter_mut().zip(edges.chunks_exact(8).filter_map(pair)) {
                *slot = block;
            }
            options.sack_blocks = (edges.len() / 8).min(options.sack.len()) as u8;
        }
        (8, both) => options.timestamps = pair(both).or(options.timestamps),
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

/// Two 32-bit numbers, where there are exactly eight bytes.
fn pair(bytes: &[u8]) -> Option<(u32, u32)> {
    let (first, second) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*first), u32::from_be_bytes(second.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::samples::hex;

    #[test]
    fn options_are_read() {
        let none = TcpOptions::default();
        let mut sack = [(0, 0); 4];
        sack[0] = (1, 2);
        sack[1] = (3, 4);
        let rows = [
            ("", none),
            ("020405b4", TcpOptions { mss: Some(1460), ..none }),
            ("0204 05b4 0402 080a 00000001 00000000 01 030307", {
                let timestamps = Some((1, 0));
                TcpOptions {
                    mss: Some(1460),
                    sack_permitted: true,
                    timestamps,
                    window_scale: Some(7),
                    ..none
                }
            }),
            ("0101 080a 00000005 00000006", TcpOptions { timestamps: Some((5, 6)), ..none }),
            ("0101 0512 00000001 00000002 00000003 00000004", TcpOptions { sack, sack_blocks: 2, ..none }),
            ("1c04 8002", TcpOptions { user_timeout_s: Some(120), ..none }),
            ("1c04 0002", TcpOptions { user_timeout_s: Some(2), ..none }),
            ("1e0c 20 00 0000000000000000", TcpOptions { mptcp: Some(2), ..none }),
            ("2202 0101", TcpOptions { fast_open: true, ..none }),
            ("fe04 f989", TcpOptions { fast_open: true, ..none }),
            ("fe04 1234", none),
            ("1312 00000000000000000000000000000000 0101", TcpOptions { signed: true, ..none }),
            ("1d04 0102", TcpOptions { signed: true, ..none }),
            // The end of the list ends it.
            ("00 020405b4", none),
            // Lengths that cannot be: 0, 1, and beyond the header.
            ("0200 05b4", none),
            ("0301 07", none),
            ("020405b4 080a 0000", TcpOptions { mss: Some(1460), ..none }),
            ("02", none),
            // A known kind with another length than its own says nothing.
            ("020305", none),
            ("080600000001", none),
        ];
        for (bytes, expected) in rows {
            assert_eq!(read_options(&hex(bytes)), expected, "{bytes}");
        }
    }

    #[test]
    fn more_selective_acknowledgments_than_fit_are_left_out() {
        let mut bytes = hex("05 2a");
        bytes.extend([7; 40]);
        let options = read_options(&bytes);
        assert_eq!((options.sack_blocks, options.sack[3]), (4, (0x0707_0707, 0x0707_0707)));
    }

    #[test]
    fn sixteen_bytes_are_enough() {
        let bytes = hex("9c40 0050 00000001 00000002 5012 0200 0000 0000");
        for cut in 0..20 {
            let found = segment(View::new(&bytes[..cut], 25), Slice::default());
            let expected = (TcpFlags(TcpFlags::SYN | TcpFlags::ACK), 512, 5);
            let found = found.map(|(_, head)| (head.flags, head.window, head.payload.length));
            assert_eq!(found, if cut < 16 { Err(Stop::Cut) } else { Ok(expected) }, "{cut}");
        }
    }

    #[test]
    fn cut_options_are_read_as_far_as_they_go() {
        let bytes = hex("9c40 0050 00000001 00000002 8002 0200 0000 0000 020405b4 0402");
        let view = View::new(&bytes, 45);
        let (ports, head) = segment(view, Slice::default()).unwrap();
        assert_eq!(ports, (40000, 80));
        assert_eq!((head.options.mss, head.options.sack_permitted), (Some(1460), true));
        assert_eq!((head.payload.captured.length, head.payload.length), (0, 13));
    }
}
