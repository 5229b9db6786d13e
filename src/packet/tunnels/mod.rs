//! Tunnels: what to open behind a UDP port, and the headers of each.

pub(super) mod gre;
mod gtp;
mod l2tp;
mod mpls;
mod overlay;
mod sniffer;
mod teredo;

use crate::packet::envelope::Envelope;
use crate::packet::layer::{Layer, Peeled, Stop};
use crate::packet::view::View;

/// The tunnel that a UDP port stands for (IANA's registry), and where it begins.
pub(super) fn over_udp((source, destination): (u16, u16), content: View<'_>) -> Option<(Layer, View<'_>)> {
    if content.bytes.is_empty() {
        return None;
    }
    let (low, high) = (source.min(destination), source.max(destination));
    // Below 1024 a port is a service's, and the other one just happens to be that of a tunnel.
    let layer = by_port(low).or_else(|| if low < 1024 { None } else { by_port(high) });
    layer.map(|layer| (layer, content))
}

/// The ports that tshark 4.0.17 opens too.
fn by_port(port: u16) -> Option<Layer> {
    match port {
        1701 => Some(Layer::L2tp),
        2152 => Some(Layer::Gtp),
        3544 => Some(Layer::Teredo),
        4341 => Some(Layer::Lisp),
        4754 => Some(Layer::Gre),
        4789 => Some(Layer::Vxlan { generic: false }),
        4790 => Some(Layer::Vxlan { generic: true }),
        5072 => Some(Layer::Ayiya),
        5247 => Some(Layer::Capwap),
        6081 => Some(Layer::Geneve),
        6635 => Some(Layer::Mpls),
        37008 => Some(Layer::Tzsp),
        _ => None,
    }
}

/// Takes a tunnel's header.
pub(super) fn peel<'a>(envelope: &mut Envelope, layer: Layer, view: View<'a>) -> Peeled<'a> {
    match layer {
        Layer::Gre => gre::header(envelope, view),
        Layer::Mpls => mpls::labels(view),
        Layer::Vxlan { generic } => overlay::vxlan(envelope, generic, view),
        Layer::Geneve => overlay::geneve(envelope, view),
        Layer::Nsh => overlay::service_header(view),
        Layer::Lisp => overlay::lisp(view),
        Layer::Gtp => gtp::user_data(view),
        Layer::Teredo => teredo::datagram(view),
        Layer::L2tp => l2tp::message(view),
        Layer::Tzsp => sniffer::tzsp(view),
        Layer::Capwap => sniffer::capwap(view),
        Layer::Ayiya => sniffer::ayiya(view),
        _ => Err(Stop::Done),
    }
}
