//! Which hosts stand behind one server address: told by the hop limits of what they send.

use super::Population;
use crate::events::transport::RstClass;
use crate::events::{Connection, Endpoint};

/// Connections of a service that are compared.
const COMPARED: usize = 1_000;

/// Another connection of the same service that was served from where this one's reset came, if this one's own segments
/// came from elsewhere and the reset says that its sender knows no such connection (RFC 9293 section 3.5.2).
pub fn other_backend<'a>(population: &'a Population<'_>, connection: &Connection) -> Option<&'a Connection> {
    let server = &connection.sides.server;
    let (own, reset) = (server.ttl?, server.reset_ttl?);
    let stateless =
        connection.ended.rst.is_some_and(|rst| matches!(rst.class, RstClass::NoState | RstClass::Forged));
    if own == reset || !stateless {
        return None;
    }
    served(population, connection.server)
        .find(|other| other.id != connection.id && other.sides.server.ttl == Some(reset))
}

/// Connections of a service in which its server said something.
fn served<'a>(population: &'a Population<'_>, server: Endpoint) -> impl Iterator<Item = &'a Connection> {
    population
        .connections_of(server)
        .take(COMPARED)
        .filter(|connection| connection.sides.server.payload_bytes > 0)
}
