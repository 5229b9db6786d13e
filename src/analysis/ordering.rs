//! What the shards said of one batch, put in the one order that no thread can change.

use crate::events::Event;
use crate::protocols::{GivenUp, Said};

/// Takes what all shards said and puts it in order: by packet, connection, and step.
pub(super) fn in_order(said: impl Iterator<Item = Said>) -> (Vec<Event>, Vec<GivenUp>) {
    let (mut events, mut given_up) = (Vec::new(), Vec::new());
    for said in said {
        events.extend(said.events);
        given_up.extend(said.given_up);
    }
    events.sort_by_key(|event| (event.moment.packet, event.connection, event.moment.step));
    given_up.sort_by_key(|given_up| (given_up.at.order, given_up.protocol));
    (events, given_up)
}
