//! What a session is about, in a word: what stands beside its addresses in every list.

use super::narrative;
use crate::events::IdentityKind;
use crate::session::Session;

/// Who it is, else what it is known by, else what it was about. From the wire: escaped by whoever prints.
pub fn about(session: &Session, hide_names: bool) -> Option<String> {
    let name = session.principal.as_ref().map(|principal| narrative::who(principal, hide_names));
    let name = name.map(|name| name.trim_start_matches("user ").to_owned());
    let hint = |wanted: fn(IdentityKind) -> bool| {
        session
            .identities
            .iter()
            .filter(|identity| wanted(identity.kind))
            .find_map(|identity| identity.hint.as_deref().map(str::to_owned))
    };
    let server_name = || {
        session.legs.iter().find_map(|part| {
            part.leg.security.as_ref().and_then(|facts| facts.sni.as_deref()).map(str::to_owned)
        })
    };
    let work = || session.works().find_map(|work| work.object.as_deref().map(str::to_owned));
    let asked = || {
        let mut turns = session.legs.iter().filter_map(|part| part.leg.dialog.last.client.as_ref());
        turns.find_map(|turn| turn.object.as_deref().map(str::to_owned))
    };
    name.or_else(|| hint(|kind| kind == IdentityKind::ClientId))
        .or_else(server_name)
        .or_else(work)
        .or_else(asked)
        .or_else(|| hint(|_| true))
}
