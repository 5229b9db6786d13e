//! What a request says.

use super::Http;
use super::exchange::{Exchange, Pen, Perhaps as _, Switch, kept};
use super::framing::Framing;
use super::head::Head;
use super::login::{self, Form, Proof};
use super::ranges::Asked;
use super::uploads::{self, Upload};
use super::{event_stream, target};
use crate::events::{
    Action, Hash128, Identity, IdentityKind, Marks, Position, Safety, Scope, Side, Stage, Strength, Timer,
    Use, Word,
};
use crate::protocols::Saying;
use crate::time::Span;

/// Seconds by which clocks may differ when a token's end is judged (RFC 7519 §4.1.4: "a few minutes" at most).
const LEEWAY: i64 = 60;

/// Session cookies remembered of one request.
const COOKIES: usize = 4;

/// The content of a request, as far as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'b> {
    /// The whole.
    Read(&'b [u8]),
    /// It is too large to wait for; its length, where that is known.
    Unread(Option<u64>),
}

impl Http {
    /// Says a request and remembers it. `marks` tell what is wrong with it.
    pub(super) fn say_request(
        &mut self,
        pen: &mut Pen<'_, '_>,
        head: &Head<'_>,
        framing: Framing,
        content: Content<'_>,
        marks: Marks,
    ) {
        let (exchange, identities) = self.exchange(pen, head, framing, content);
        let is_switch = matches!(exchange.switch, Some(Switch::Tunnel | Switch::WebSocket(_)));
        let word = if is_switch { Word::Establish } else { Word::Turn };
        let waits = head.lists("accept", "text/event-stream")
            || head.field("prefer").is_some_and(|wishes| memchr::memmem::find(wishes, b"wait=").is_some());
        let marks = if waits { marks.with(Marks::PATIENT) } else { marks };
        let lead = pen
            .say(word, Stage::Asked)
            .op(head.method())
            .object(&exchange.object)
            .mark(marks)
            .action(action(head, &exchange, content));
        identities.into_iter().fold(lead, Saying::identity);

        for (proof, is_new) in [&exchange.proof, &exchange.proxy_proof].into_iter().flatten() {
            if *is_new {
                let now = pen.notes.time().0.div_euclid(1_000_000_000);
                let lifetime = proof.expires.and_then(|expires| lifetime(expires, now));
                pen.say(Word::Authenticate, Stage::Asked)
                    .mechanism(proof.mechanism)
                    .perhaps(proof.principal.clone(), Saying::principal)
                    .perhaps(proof.identity.clone(), Saying::identity)
                    .perhaps(lifetime, |asked, lifetime| asked.declares(Timer::Lifetime, lifetime));
            }
        }
        if let Some(form) = &exchange.form {
            let asked = pen.say(Word::Authenticate, Stage::Asked).mechanism("form");
            asked.perhaps(form.user.clone(), Saying::principal);
        }
        if exchange.is_logout {
            let asked = pen.say(Word::Release, Stage::Asked);
            exchange.dropped().fold(asked, Saying::identity);
        }
        if let Some(Asked { start, .. }) = exchange.range {
            let version = exchange
                .if_range
                .as_deref()
                .map(|validator| target::version(&exchange.host, &exchange.target, validator, Use::Shows));
            pen.say(Word::Resume, Stage::Asked)
                .mechanism("http-range")
                .object(&exchange.object)
                .position(Position::bytes(start))
                .perhaps(version, Saying::identity);
        }
        if let Some(id) = &exchange.last_event {
            let stream = [&exchange.host[..], &exchange.target];
            pen.say(Word::Resume, Stage::Asked)
                .mechanism("other")
                .object(&exchange.object)
                .position(event_stream::position(id))
                .identity(Identity::new(
                    IdentityKind::EventStream,
                    Use::Shows,
                    Strength::Protocol,
                    "http",
                    &stream,
                ));
        }
        self.say_upload(pen, &exchange);
        self.say_close(pen, head, Side::Client);
        self.remember(exchange);
    }

    /// `Connection: close` announces the end of this connection, one part of a session that may go on in others; once
    /// a side.
    pub(super) fn say_close(&mut self, pen: &mut Pen<'_, '_>, head: &Head<'_>, side: Side) {
        if head.lists("connection", "close") && !std::mem::replace(&mut self.closing[side], true) {
            pen.say(Word::Release, Stage::Told).scope(Scope::Channel);
        }
    }

    /// What is to be remembered of a request, and the identities that it shows.
    fn exchange(
        &mut self,
        pen: &Pen<'_, '_>,
        head: &Head<'_>,
        framing: Framing,
        content: Content<'_>,
    ) -> (Exchange, Vec<Identity>) {
        let (host, path) = target::split(head.target(), head.field("host"));
        let mut exchange = Exchange {
            method: head.method().into(),
            host: kept(host),
            target: kept(path),
            object: target::shown(head.target()).into(),
            safety: safety(head, content),
            switch: switch(head),
            is_headless: head.is_headless(),
            is_logout: target::is_logout(path),
            range: head.field("range").and_then(Asked::read).filter(|range| range.start > 0),
            if_range: head.field("if-range").map(kept),
            upload: Upload::of(head, framing),
            last_event: head.field("last-event-id").filter(|id| !id.is_empty()).map(kept),
            ..Exchange::default()
        };
        let server = pen.server();
        let mut identities = Vec::new();
        for (field, seen, proof) in [
            ("authorization", &mut self.proof, &mut exchange.proof),
            ("proxy-authorization", &mut self.proxy_proof, &mut exchange.proxy_proof),
        ] {
            let Some(read) = head.field(field).and_then(|field| login::credentials(field, &server)) else {
                continue;
            };
            let is_new = seen.as_ref().is_none_or(|known: &Seen| known.proof != read.fingerprint);
            if is_new {
                *seen = Some(Seen { proof: read.fingerprint, accepted: false });
            } else {
                identities.extend(read.identity.clone());
            }
            *proof = Some((read, is_new));
        }
        for cookies in head.all("cookie") {
            for (name, identity) in self.jar.shown(cookies) {
                if identity.kind == IdentityKind::Cookie && exchange.cookies.len() < COOKIES {
                    exchange.cookies.push((name.into(), identity.clone()));
                }
                identities.push(identity);
            }
        }
        identities.extend(target::sessions(head.target()));
        let shown = uploads::identity(&exchange.host, &exchange.target, Use::Shows);
        if matches!(
            exchange.upload,
            Some(Upload::Probe | Upload::Append(..) | Upload::Discard | Upload::Part(_))
        ) || self.uploads.knows(&shown)
        {
            identities.push(shown);
        }
        identities.extend(idempotency_key(head).map(|key| {
            Identity::new(IdentityKind::Idempotency, Use::Shows, Strength::Protocol, "http", &[key])
        }));
        if let Content::Read(content) = content
            && head.method() == b"POST"
        {
            exchange.form = Form::read(head, content);
        }
        (exchange, identities)
    }
}

/// Credentials seen on a connection.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Which.
    pub(super) proof: Hash128,
    /// Whether a request with them was served.
    pub(super) accepted: bool,
}

impl Exchange {
    /// The session cookies that a logout gives up.
    pub(super) fn dropped(&self) -> impl Iterator<Item = Identity> {
        self.cookies.iter().map(|(_, identity)| Identity { used: Use::Drops, ..identity.clone() })
    }

    /// The proof that an answer with this status speaks of.
    pub(super) fn proof_for(&self, code: u16) -> Option<&(Proof, bool)> {
        if code == 407 { self.proxy_proof.as_ref() } else { self.proof.as_ref() }
    }
}

fn idempotency_key<'h>(head: &'h Head<'_>) -> Option<&'h [u8]> {
    head.field("idempotency-key").or_else(|| head.field("x-idempotency-key"))
}

/// How long a token is good for; nothing left (zero) where its end has surely passed, whoever's clock is a little off.
fn lifetime(expires: i64, now: i64) -> Option<Span> {
    let left = expires.checked_sub(now)?;
    if left < -LEEWAY { Some(Span::ZERO) } else { super::dates::span(left) }
}

/// The fingerprint of what is asked. Content that was not read counts by its length.
fn action(head: &Head<'_>, exchange: &Exchange, content: Content<'_>) -> Action {
    let length;
    let content = match content {
        Content::Read(content) => content,
        Content::Unread(known) => {
            length = known.map_or([0xff; 8], u64::to_be_bytes);
            &length
        }
    };
    let (host, target) = target::split(head.target(), head.field("host"));
    // A part of an object, or of an upload, is other work than another part of it.
    let part = [head.field("range"), head.field("content-range"), head.field("upload-offset")];
    let whole = target::fingerprint(head.method(), host, target, content);
    let key = match part.map(Option::unwrap_or_default) {
        [b"", b"", b""] => whole,
        [range, given, offset] => Hash128::of(&[&whole.0.to_be_bytes(), range, given, offset]),
    };
    Action {
        key,
        safety: exchange.safety,
        token: idempotency_key(head).map(|key| Hash128::of(&[b"http", key])),
    }
}

/// By the method (RFC 9110 §9.2, RFC 4918, `UPnP`); a GraphQL query is safe though it is posted.
fn safety(head: &Head<'_>, content: Content<'_>) -> Safety {
    match head.method() {
        b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PROPFIND" | b"REPORT" | b"SEARCH" | b"CONNECT" => {
            Safety::Safe
        }
        b"PUT" | b"DELETE" | b"PROPPATCH" | b"UNLOCK" | b"COPY" | b"MOVE" | b"UNSUBSCRIBE" => {
            Safety::Idempotent
        }
        b"POST" if target::path(head.target()).ends_with(b"/graphql") => match content {
            Content::Read(query) if memchr::memmem::find(query, b"mutation").is_none() => Safety::Safe,
            Content::Read(_) => Safety::Unsafe,
            Content::Unread(_) => Safety::Unknown,
        },
        b"POST" | b"PATCH" | b"LOCK" | b"MKCOL" | b"SUBSCRIBE" => Safety::Unsafe,
        _ => Safety::Unknown,
    }
}

fn switch(head: &Head<'_>) -> Option<Switch> {
    if head.method() == b"CONNECT" {
        return Some(Switch::Tunnel);
    }
    if !head.lists("connection", "upgrade") {
        return None;
    }
    if head.lists("upgrade", "websocket") {
        return Some(Switch::WebSocket(kept(head.field("sec-websocket-key").unwrap_or_default())));
    }
    head.field("upgrade").map(|_| Switch::Other)
}
