//! What a session is known by in two recordings of the same test: neither time nor address nor client port.

use crate::events::{Hash128, IdentityKind};
use crate::names::Names;
use crate::rules::{About, template};
use crate::session::Session;

/// What makes a session of one recording the same as one of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its protocol, its service, and the first thing that was asked for.
    pub about: About,
    /// Who it is of: a hash of the user's name, or of the name that the client gives itself.
    pub who: Option<Hash128>,
}

impl Key {
    /// The key of a session.
    pub fn of(session: &Session, names: &Names) -> Self {
        let shown = session.identities.iter().find(|identity| identity.kind == IdentityKind::ClientId);
        let user = session.principal.as_ref().map(|principal| principal.hash);
        // The hash of such a name holds the server's address, which changes from run to run, as do numbers in the name.
        let class = shown.and_then(|identity| identity.hint.as_deref()).map(template);
        let class = class.map(|class| Hash128::of(&[class.as_bytes()]));
        Self { about: About::of_session(session, names), who: user.or(class) }
    }

    /// The same wherever the service listens; none where clients name it, for another name is another service.
    pub(super) fn without_port(&self) -> Option<Self> {
        self.about.service.strip_prefix("port ")?;
        let about = About { service: String::new(), ..self.about.clone() };
        Some(Self { about, who: self.who })
    }
}
