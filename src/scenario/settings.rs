//! The part of the grammar that sets the scene: the properties of connections and their ends.

use std::net::SocketAddr;

use super::complaint::Complaint;
use super::script::{Setting, Side, Tunnel, TunnelKind};
use super::words::Words;

/// Properties that a `connection` line may change.
const SETTINGS: &[&str] = &[
    "client",
    "server",
    "mss",
    "mtu",
    "rtt",
    "timestamps",
    "sack",
    "wscale",
    "isn",
    "vlan",
    "tunnel",
    "window",
    "retries",
    "delayed-ack",
];

/// What follows the address of an end.
pub(super) fn end(words: &mut Words<'_>, side: Side, address: SocketAddr) -> Result<Setting, Complaint> {
    let (mut mac, mut ttl) = (None, None);
    loop {
        if words.take("mac") {
            mac = Some(words.mac()?);
        } else if words.take("ttl") {
            ttl = Some(words.number("a time to live", 1, 255)? as u8);
        } else {
            return Ok(Setting::End { side, address, mac, ttl });
        }
    }
}

/// All settings up to the end of the line.
pub(super) fn settings(words: &mut Words<'_>, all: &mut Vec<Setting>) -> Result<(), Complaint> {
    while !words.is_empty() {
        let name = words.one_of("a property of the connection", SETTINGS)?;
        one_setting(name, words, all)?;
    }
    Ok(())
}

/// The setting called `name`.
pub(super) fn one_setting(
    name: &str,
    words: &mut Words<'_>,
    all: &mut Vec<Setting>,
) -> Result<(), Complaint> {
    let setting = match name {
        "client" | "server" => {
            let side = if name == "client" { Side::Client } else { Side::Server };
            let what = "an address and port such as 10.0.0.1:40000 or [2001:db8::1]:443";
            let address = words.maybe_endpoint().ok_or_else(|| words.expected(what))?;
            end(words, side, address)?
        }
        "mss" => Setting::Mss(words.number("a segment size", 1, 65_000)? as u16),
        // No less than IPv4 promises (RFC 791), which leaves room for data with IPv6, too.
        "mtu" => Setting::Mtu(words.number("a packet size", 68, 65_000)? as u16),
        "rtt" => {
            let far = words.duration("the round trip between tap and server")?;
            let near = words.take("near").then(|| words.duration("the round trip between tap and client"));
            Setting::Rtt { far, near: near.transpose()? }
        }
        "timestamps" => Setting::Timestamps(switch(words)?),
        "sack" => Setting::Sack(switch(words)?),
        "wscale" if words.take("off") => Setting::WindowScale(None),
        "wscale" => Setting::WindowScale(Some(words.number("a window shift", 0, 14)? as u8)),
        "isn" => return isn(words, all),
        "window" => {
            let side = words.side()?;
            Setting::Window(side, words.number("a window", 0, 1 << 30)?)
        }
        "vlan" if words.take("off") => Setting::Vlans(Vec::new()),
        "vlan" => {
            let mut tags = vec![words.number("a VLAN", 0, 4095)? as u16];
            while let Some(tag) = words.maybe_number() {
                tags.push(u16::try_from(tag).ok().filter(|tag| *tag < 4096).ok_or_else(|| {
                    let range = "a number from 0 to 4095".to_owned();
                    Complaint::OutOfRange { what: "a VLAN", range, found: tag.to_string() }
                })?);
            }
            Setting::Vlans(tags)
        }
        "tunnel" => Setting::Tunnel(tunnel(words)?),
        "retries" => Setting::Retries(words.number("the number of retries", 0, 30)?),
        _ => Setting::DelayedAck(words.duration("how long an acknowledgement waits")?),
    };
    all.push(setting);
    Ok(())
}

/// `isn client 1000 server 5000`, either or both.
fn isn(words: &mut Words<'_>, all: &mut Vec<Setting>) -> Result<(), Complaint> {
    let side = words.side()?;
    all.push(Setting::Isn(side, words.number("a sequence number", 0, u32::MAX)?));
    if words.take(side.other().name()) {
        all.push(Setting::Isn(side.other(), words.number("a sequence number", 0, u32::MAX)?));
    }
    Ok(())
}

fn switch(words: &mut Words<'_>) -> Result<bool, Complaint> {
    Ok(words.one_of("`on` or `off`", &["on", "off"])? == "on")
}

/// `vxlan 42 from A to B`, `gre from A to B key 7`, `off`.
fn tunnel(words: &mut Words<'_>) -> Result<Option<Tunnel>, Complaint> {
    let kind = match words.one_of("a tunnel", &["vxlan", "gre", "off"])? {
        "vxlan" => TunnelKind::Vxlan(words.number("a VXLAN network identifier", 0, (1 << 24) - 1)?),
        "gre" => TunnelKind::Gre(None),
        _ => return Ok(None),
    };
    words.one_of("`from`", &["from"])?;
    let from = words.address()?;
    words.one_of("`to`", &["to"])?;
    let to = words.address()?;
    if from.is_ipv4() != to.is_ipv4() {
        return Err(Complaint::MixedFamilies);
    }
    let kind = match kind {
        TunnelKind::Gre(_) if words.take("key") => {
            TunnelKind::Gre(Some(words.number("a GRE key", 0, u32::MAX)?))
        }
        kind => kind,
    };
    Ok(Some(Tunnel { kind, from, to }))
}
