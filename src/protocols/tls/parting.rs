//! How each side takes its leave where its alerts are encrypted: told by the last records before the transport ends.

use super::records::{self, Content, Head};
use super::{Tls, alert};
use crate::events::{Confidence, Extent, Marks, Scope, Side, Stage, Word};
use crate::protocols::{End, Notes};

/// What the last record of a side was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// `close_notify`.
    Goodbye(Confidence),
    /// An alert in place of a Finished: the handshake is refused.
    Refusal,
    /// An alert of the server as the first it says after the client's Finished: the client may not come in. In
    /// TLS 1.3 a client's certificate is judged when the client believes the handshake to be over (RFC 8446 §6.2,
    /// `certificate_required`).
    Dismissal,
}

impl Tls {
    /// One side ended. Tells the leave of both as far as it was taken, in the order in which it was.
    pub(super) fn partings(&mut self, ending: Side, how: End, notes: &mut Notes<'_>) {
        let mut partings: Vec<(Side, Parting, Extent)> = Vec::new();
        for side in Side::BOTH {
            if let Some((head, place)) = self.halves[side].last.filter(|_| !self.halves[side].parted)
                && let Some(parting) = self.parting(side, head, how)
            {
                partings.push((side, parting, place));
            }
        }
        // The side that does not end says more, perhaps: only what answers a good-bye is surely the last.
        partings.sort_by_key(|(_, _, place)| place.last);
        for (side, parting, place) in partings {
            if side == ending || self.halves[side].ended || matches!(parting, Parting::Goodbye(_)) {
                self.halves[side].parted = true;
                say(side, parting, place, notes);
            }
        }
    }

    fn parting(&self, side: Side, head: Head, how: End) -> Option<Parting> {
        let finished = self.hidden.client_finished;
        if !self.is_13() {
            let over = self.halves.client.encrypted && self.halves.server.encrypted;
            let alert = head.content == Content::Alert && head.length > records::ALERT;
            let confidence = if how == End::Fin { Confidence::High } else { Confidence::Medium };
            return (alert && over).then_some(Parting::Goodbye(confidence));
        }
        if head.content != Content::Data || !self.may_be_alert(head.length) {
            return None;
        }
        let confidence = if how == End::Fin { Confidence::Medium } else { Confidence::Low };
        match side {
            // After an alert in clear that refuses the handshake, another one adds nothing.
            _ if !finished && self.refused() => None,
            _ if !finished => {
                (self.hidden.client_records > 0 || side == Side::Server).then_some(Parting::Refusal)
            }
            Side::Server if self.hidden.server_records == 1 && !self.client_left() => {
                Some(Parting::Dismissal)
            }
            _ => Some(Parting::Goodbye(confidence)),
        }
    }

    /// Whether a fatal alert was read in clear.
    fn refused(&self) -> bool {
        self.facts.alerts.iter().any(|(level, _)| *level == alert::FATAL)
    }

    /// Whether the client's last record so far may be its good-bye.
    fn client_left(&self) -> bool {
        self.halves.client.parted
            || self.halves.client.last.is_some_and(|(head, _)| self.may_be_alert(head.length))
    }
}

/// Says it, though it is no more than likely.
fn say(side: Side, parting: Parting, place: Extent, notes: &mut Notes<'_>) {
    let (word, stage, confidence, mark) = match parting {
        Parting::Goodbye(confidence) => (Word::Release, Stage::Told, confidence, Marks::default()),
        Parting::Refusal => (Word::Establish, Stage::Refused, Confidence::Medium, Marks::FATAL),
        Parting::Dismissal => (Word::Abort, Stage::Told, Confidence::Medium, Marks::FATAL),
    };
    let saying = notes
        .say(word, stage, 0..0)
        .by(side)
        .at(place)
        .scope(Scope::Security)
        .mark(mark.with(Marks::INFERRED).with(Marks::OPAQUE).with(Marks::NAMELESS))
        .confidence(confidence);
    if let Parting::Goodbye(_) = parting {
        saying.text(b"close_notify");
    }
}
