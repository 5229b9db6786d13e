//! One frame, written anew: only what is understood and names nobody is taken over, addresses become others, and all
//! the rest is a fixed octet.
//!
//! The headers are those that the decoder met. What it did not come to is not taken over.

use std::net::IpAddr;

use super::addresses::Addresses;
use super::checksums::{Covered, Ip, Sum};
use super::{MASK, Payload};
use crate::capture::{Frame, LinkType};
use crate::packet::{Header, HeaderKind};

const ARP: u16 = 0x0806;
/// Link types without any address in what they put before the next header.
const PLAIN_LINKS: [u32; 15] = [0, 9, 12, 14, 50, 51, 101, 104, 105, 107, 108, 119, 127, 228, 229];
/// Tunnel headers without any address.
const PLAIN_TUNNELS: [&str; 8] = ["vxlan", "geneve", "gtp", "l2tp", "nsh", "chdlc", "fr", "lisp-data"];

/// A frame being written anew.
pub(super) struct Redacted<'f> {
    bytes: &'f [u8],
    pub(super) out: Vec<u8>,
    /// Where what was taken over ends.
    pub(super) end: usize,
    /// Whether something was not understood and is masked.
    pub(super) masked: bool,
    addresses: &'f mut Addresses,
    payload: Payload,
    sums: Vec<Sum>,
    ip: Option<Ip>,
}

impl<'f> Redacted<'f> {
    /// Writes a frame anew, of which these headers are known.
    pub(super) fn new(
        frame: &Frame<'f>,
        headers: &[Header],
        addresses: &'f mut Addresses,
        payload: Payload,
    ) -> Self {
        let mut redacted = Self {
            bytes: frame.bytes,
            out: vec![0; frame.bytes.len()],
            end: 0,
            masked: false,
            addresses,
            payload,
            sums: Vec::new(),
            ip: None,
        };
        redacted.headers(headers);
        // What lies within is written before what a checksum around it covers.
        for sum in std::mem::take(&mut redacted.sums).into_iter().rev() {
            sum.write(redacted.bytes, &mut redacted.out, payload == Payload::Cut);
        }
        redacted
    }

    fn headers(&mut self, headers: &[Header]) {
        let mine: Vec<&Header> = headers.iter().filter(|header| header.reassembled.is_none()).collect();
        for (index, header) in mine.iter().enumerate() {
            let next = mine.get(index + 1).map(|next| next.start as usize);
            if !self.header(header, next) {
                self.masked = true;
                return;
            }
        }
    }

    /// Takes one header over; false where it is not known, so that nothing behind it may be.
    fn header(&mut self, header: &Header, next: Option<usize>) -> bool {
        let start = header.start as usize;
        let end = self.bytes.len().min(start + header.captured as usize);
        match header.kind {
            HeaderKind::Ethernet => {
                self.copy(start, 14);
                self.link(start);
                self.link(start + 6);
                true
            }
            HeaderKind::Link(LinkType(113)) => {
                self.copy(start, 16);
                self.cooked(start + 4, start + 6, 8)
            }
            HeaderKind::Link(LinkType(276)) => {
                self.copy(start, 20);
                self.cooked(start + 10, start + 12, 8)
            }
            HeaderKind::Link(LinkType(link)) => PLAIN_LINKS.contains(&link) && self.until(start, next),
            HeaderKind::EtherType(ARP) => self.arp(start),
            HeaderKind::Other(name) => PLAIN_TUNNELS.contains(&name) && self.until(start, next),
            HeaderKind::Wifi => self.wifi(start, next),
            HeaderKind::Ipv4 => self.ipv4(start),
            HeaderKind::Ipv6 => self.ipv6(start),
            HeaderKind::Fragment => self.fragment(start, end),
            HeaderKind::IpProtocol(6) => self.tcp(start, end, header.wire),
            HeaderKind::IpProtocol(17) => self.udp(start, end, header.wire, next),
            HeaderKind::IpProtocol(1) => self.icmp(start, end, header.wire),
            HeaderKind::IpProtocol(58) => self.icmp6(start, end, header.wire),
            HeaderKind::IpProtocol(2) => {
                self.copy(start, 8.min(end - start.min(end)));
                self.ip4(start + 4);
                true
            }
            HeaderKind::IpProtocol(43) => {
                let done = self.until(start, next);
                let after = next.unwrap_or(start);
                for at in (start + 8..after).step_by(16).filter(|at| at + 16 <= after) {
                    self.ip6(at);
                }
                done
            }
            HeaderKind::EtherType(_)
            | HeaderKind::Llc
            | HeaderKind::Mpls
            | HeaderKind::Gre
            | HeaderKind::Ppp
            | HeaderKind::IpProtocol(_) => self.until(start, next),
        }
    }

    /// Takes octets over as they are.
    fn copy(&mut self, start: usize, length: usize) {
        let end = self.bytes.len().min(start.saturating_add(length));
        if let (Some(from), Some(to)) = (self.bytes.get(start..end), self.out.get_mut(start..end)) {
            to.copy_from_slice(from);
            self.end = self.end.max(end);
        }
    }

    /// Takes over what lies before the next header; false where there is none.
    fn until(&mut self, start: usize, next: Option<usize>) -> bool {
        let Some(next) = next.filter(|next| *next >= start) else { return false };
        self.copy(start, next - start);
        true
    }

    fn octets<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..at + N)?.try_into().ok()
    }

    fn put(&mut self, at: usize, octets: &[u8]) {
        if let Some(to) = self.out.get_mut(at..at + octets.len()) {
            to.copy_from_slice(octets);
        }
    }

    /// Zeros from here to the end: of a field that was cut nothing may stay.
    fn blank(&mut self, at: usize) {
        if let Some(rest) = self.out.get_mut(at..) {
            rest.fill(0);
        }
    }

    fn link(&mut self, at: usize) {
        match self.octets(at) {
            Some(address) => {
                let other = self.addresses.link(address);
                self.put(at, &other);
            }
            None => self.blank(at),
        }
    }

    fn ip4(&mut self, at: usize) {
        match self.octets::<4>(at).map(|octets| self.addresses.ip(IpAddr::from(octets))) {
            Some(IpAddr::V4(other)) => self.put(at, &other.octets()),
            _ => self.blank(at),
        }
    }

    fn ip6(&mut self, at: usize) {
        match self.octets::<16>(at).map(|octets| self.addresses.ip(IpAddr::from(octets))) {
            Some(IpAddr::V6(other)) => self.put(at, &other.octets()),
            _ => self.blank(at),
        }
    }

    /// The address of a cooked header: its length in two octets (or one, behind another field), and room for eight.
    fn cooked(&mut self, length_at: usize, at: usize, room: usize) -> bool {
        let length = self.octets::<2>(length_at).map_or(0, |octets| usize::from(octets[1]));
        if length == 6 {
            self.link(at);
            self.put(at + 6, &[0; 2]);
        } else {
            self.put(at, &vec![0; room.min(self.out.len().saturating_sub(at))]);
        }
        true
    }

    fn wifi(&mut self, start: usize, next: Option<usize>) -> bool {
        // An aggregate holds further addresses between its parts: header, fourth address, quality and HT control are
        // all that may be taken over.
        const LONGEST: usize = 36 + 8;
        let Some(next) = next.filter(|next| (start + 24..=start + LONGEST).contains(next)) else {
            return false;
        };
        self.copy(start, next - start);
        for at in [4, 10, 16] {
            self.link(start + at);
        }
        let both_systems = self.octets::<2>(start).is_some_and(|control| control[1] & 3 == 3);
        if both_systems && start + 30 <= next {
            self.link(start + 24);
        }
        true
    }

    fn arp(&mut self, start: usize) -> bool {
        // Ethernet and IPv4, of six and four octets.
        if self.octets::<6>(start) != Some([0, 1, 8, 0, 6, 4]) {
            return false;
        }
        self.copy(start, 28);
        self.link(start + 8);
        self.ip4(start + 14);
        self.link(start + 18);
        self.ip4(start + 24);
        true
    }

    fn ipv4(&mut self, start: usize) -> bool {
        let Some(first) = self.bytes.get(start).copied() else { return false };
        let length = usize::from(first & 0x0f) * 4;
        self.copy(start, 20);
        // Options may name the hosts on the way: each octet becomes an option that says nothing.
        if let Some(options) = self.out.get_mut(start + 20..(start + length).max(start + 20)) {
            options.fill(1);
            self.end = self.end.max(start + length);
        }
        self.ip4(start + 12);
        self.ip4(start + 16);
        let end = start + length.max(20);
        self.sums.push(Sum {
            at: start + 10,
            covered: Covered::Only(start, end),
            whole: end <= self.bytes.len(),
        });
        self.ip = Some(Ip { v6: false, start });
        true
    }

    fn ipv6(&mut self, start: usize) -> bool {
        self.copy(start, 40);
        self.ip6(start + 8);
        self.ip6(start + 24);
        self.ip = Some(Ip { v6: true, start });
        true
    }

    /// Octets that programs said.
    fn said(&mut self, start: usize, end: usize) {
        match self.payload {
            Payload::Keep => self.copy(start, end.saturating_sub(start)),
            Payload::Mask => {
                if let Some(to) = self.out.get_mut(start..end.max(start)) {
                    to.fill(MASK);
                    self.end = self.end.max(end);
                }
            }
            Payload::Cut => {}
        }
    }

    fn tcp(&mut self, start: usize, end: usize, wire: u32) -> bool {
        let content = self.tcp_header(start, end);
        self.said(content, end);
        self.sum(start + 16, 6, (start, end), wire);
        true
    }

    /// The header with its options; where it ends.
    fn tcp_header(&mut self, start: usize, end: usize) -> usize {
        let offset = self.bytes.get(start + 12).map_or(5, |octet| octet >> 4);
        let content = end.min(start + usize::from(offset.max(5)) * 4);
        self.copy(start, content.saturating_sub(start));
        let mut at = start + 20;
        while let Some([kind, length]) = self.octets::<2>(at).filter(|_| at + 2 <= content) {
            match kind {
                0 => break,
                1 => at += 1,
                _ => {
                    let length = usize::from(length).max(2);
                    let subtype = self.bytes.get(at + 2).map(|octet| octet >> 4);
                    // Multipath TCP: the message that adds an address holds it.
                    if kind == 30 && subtype == Some(3) && at + length <= content {
                        let (size, six) = if length >= 20 { (16, true) } else { (4, false) };
                        if six {
                            self.ip6(at + 4);
                        } else {
                            self.ip4(at + 4);
                        }
                        let rest = (at + 4 + size).min(at + length);
                        self.put(rest, &vec![0; at + length - rest]);
                    }
                    at += length;
                }
            }
        }
        content
    }

    fn udp(&mut self, start: usize, end: usize, wire: u32, next: Option<usize>) -> bool {
        self.copy(start, 8.min(end.saturating_sub(start)));
        let length = self.octets::<2>(start + 4).map_or(0, |octets| usize::from(u16::from_be_bytes(octets)));
        let inside = if length >= 8 { end.min(start + length) } else { end };
        if next.is_none() {
            self.said(start + 8, inside);
        }
        let wire = if length >= 8 { wire.min(length as u32) } else { wire };
        self.sum(start + 6, 17, (start, inside), wire);
        true
    }

    /// A part of a datagram: the transport's header stands in the first one only, and its checksum covers all of them.
    fn fragment(&mut self, start: usize, end: usize) -> bool {
        let Some(ip) = self.ip else { return false };
        let field = if ip.v6 { start.checked_sub(6) } else { Some(ip.start + 6) };
        let Some(field) = field.and_then(|at| self.octets::<2>(at)).map(u16::from_be_bytes) else {
            return false;
        };
        let offset = if ip.v6 { field >> 3 } else { field & 0x1fff };
        let first = offset == 0;
        let protocol = if ip.v6 {
            start.checked_sub(8).and_then(|at| self.bytes.get(at))
        } else {
            self.bytes.get(ip.start + 9)
        };
        match (first, protocol) {
            (true, Some(6)) => {
                let content = self.tcp_header(start, end);
                self.put(start + 16, &[0; 2]);
                self.said(content, end);
            }
            (true, Some(17)) => {
                self.copy(start, 8.min(end.saturating_sub(start)));
                self.put(start + 6, &[0; 2]);
                self.said(start + 8, end);
            }
            (false, Some(6 | 17)) => self.said(start, end),
            _ => return false,
        }
        true
    }

    fn icmp(&mut self, start: usize, end: usize, wire: u32) -> bool {
        self.copy(start, 8.min(end.saturating_sub(start)));
        match self.bytes.get(start) {
            Some(3 | 4 | 5 | 11 | 12) => {
                if self.bytes.get(start) == Some(&5) {
                    self.ip4(start + 4);
                }
                self.quoted(start + 8, end);
            }
            Some(0 | 8) => self.said(start + 8, end),
            Some(13 | 14) => self.copy(start, 20.min(end.saturating_sub(start))),
            _ => {}
        }
        let whole = (end - start.min(end)) as u64 == u64::from(wire);
        self.sums.push(Sum { at: start + 2, covered: Covered::Only(start, end), whole });
        true
    }

    fn icmp6(&mut self, start: usize, end: usize, wire: u32) -> bool {
        let copied = |length: usize| length.min(end.saturating_sub(start));
        self.copy(start, copied(8));
        match self.bytes.get(start) {
            Some(1..=4) => self.quoted(start + 8, end),
            Some(128 | 129) => self.said(start + 8, end),
            Some(133) => self.neighbour_options(start + 8, end),
            Some(134) => {
                self.copy(start, copied(16));
                self.neighbour_options(start + 16, end);
            }
            Some(130..=132 | 135 | 136) if start + 24 <= end => {
                self.copy(start, copied(24));
                self.ip6(start + 8);
                self.neighbour_options(start + 24, end);
            }
            Some(137) if start + 40 <= end => {
                self.copy(start, copied(40));
                self.ip6(start + 8);
                self.ip6(start + 24);
                self.neighbour_options(start + 40, end);
            }
            _ => {}
        }
        self.sum(start + 2, 58, (start, end), wire);
        true
    }

    /// Options of neighbour discovery (RFC 4861 §4.6): link-layer addresses and prefixes become others, the rest is
    /// blank.
    fn neighbour_options(&mut self, mut at: usize, end: usize) {
        while let Some([kind, units]) = self.octets::<2>(at).filter(|_| at + 2 <= end) {
            let length = usize::from(units) * 8;
            if length == 0 || at + length > end {
                return;
            }
            self.copy(at, 2);
            match (kind, length) {
                (1 | 2, 8) => self.link(at + 2),
                (3, 32) => {
                    self.copy(at, 32);
                    self.ip6(at + 16);
                }
                (5, 8) => self.copy(at, 8),
                _ => {}
            }
            self.end = self.end.max(at + length);
            at += length;
        }
    }

    /// The beginning of a packet in an error about it. Its own checksums can be right for nobody any more.
    fn quoted(&mut self, start: usize, end: usize) {
        let outer = self.ip;
        let Some(first) = self.bytes.get(start).filter(|_| start + 20 <= end).copied() else { return };
        let (content, protocol) = match first >> 4 {
            4 => {
                let length = usize::from(first & 0x0f).max(5) * 4;
                if start + length > end || !self.ipv4(start) {
                    self.ip = outer;
                    return;
                }
                (start + length, self.bytes.get(start + 9).copied())
            }
            6 if start + 40 <= end => {
                self.ipv6(start);
                (start + 40, self.bytes.get(start + 6).copied())
            }
            _ => return,
        };
        let room = end.saturating_sub(content);
        match protocol {
            Some(6) => {
                self.copy(content, room.min(20));
                if room >= 18 {
                    self.put(content + 16, &[0; 2]);
                }
                if room >= 20 {
                    let after = self.tcp_header(content, end);
                    self.put(content + 16, &[0; 2]);
                    self.said(after, end);
                }
            }
            Some(17) => {
                self.copy(content, room.min(8));
                if room >= 8 {
                    self.put(content + 6, &[0; 2]);
                }
                self.said(content + 8.min(room), end);
            }
            Some(1 | 58) => self.copy(content, room.min(8)),
            _ => {}
        }
        self.ip = outer;
    }

    /// A checksum that covers the addresses, too.
    fn sum(&mut self, at: usize, protocol: u8, (start, end): (usize, usize), wire: u32) {
        let Some(ip) = self.ip else { return };
        let whole = end.saturating_sub(start) as u64 == u64::from(wire);
        self.sums.push(Sum { at, covered: Covered::WithAddresses { ip, protocol, start, end }, whole });
    }
}
