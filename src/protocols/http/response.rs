//! What an answer says.

use super::body::{Purpose, Unit};
use super::cookies::SetCookie;
use super::event_stream::EventStream;
use super::exchange::{Exchange, Pen, Perhaps as _, Switch, kept};
use super::framing::Framing;
use super::head::Head;
use super::ranges::Given;
use super::uploads::{self, WORTH_BYTES};
use super::{Http, dates, login, target};
use crate::events::{
    Confidence, Declared, Grade, Hash128, Identity, Marks, Position, Principal, Safety, Side, Stage, Timer,
    Use, Word,
};
use crate::protocols::Saying;
use crate::time::Span;

/// A login form whose outcome the rest of the answer decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Login {
    user: Option<Principal>,
    /// Session cookies that are a logged-in user's if it succeeds.
    cookies: Vec<Hash128>,
}

/// The cookies of one answer.
#[derive(Debug, Default)]
struct Cookies {
    identities: Vec<Identity>,
    dropped: Vec<Identity>,
    issued: Vec<Hash128>,
    lifetime: Option<Span>,
}

impl Http {
    /// Says an answer, and tells what to do with its content. `exchange` is the request that it answers.
    pub(super) fn say_response(
        &mut self,
        pen: &mut Pen<'_, '_>,
        head: &Head<'_>,
        (code, reason): (u16, &[u8]),
        exchange: Option<&Exchange>,
        framing: Framing,
    ) -> (Option<Unit>, Purpose) {
        let present = dates::present(head, pen.notes.time());
        let cookies = self.cookies(head, exchange, present);
        let unit = exchange.and_then(|exchange| Unit::of(head, code, exchange, framing));
        let (word, stage, extra) = self.meaning(head, code, exchange);
        let version = unit.as_ref().zip(exchange).zip(head.field("etag")).map(|((_, exchange), etag)| {
            target::version(&exchange.host, &exchange.target, etag, Use::Issues)
        });
        let object = exchange.filter(|_| code == 201).and(head.field("location")).map(target::shown);
        let upload =
            exchange.filter(|_| code < 300).zip(head.field("location")).and_then(|(exchange, location)| {
                let mut parameters = target::parameters_of(location);
                let is_upload = parameters.any(|(name, _)| name.eq_ignore_ascii_case(b"upload_id"));
                is_upload.then(|| uploads::issued(exchange, location))
            });
        let failed = exchange.filter(|_| word == Word::Authenticate);
        let proof = failed.and_then(|exchange| exchange.proof_for(code)).map(|(proof, _)| proof);
        let form = failed.and_then(|exchange| exchange.form.as_ref()).filter(|_| proof.is_none());
        let who = proof.and_then(|proof| proof.principal.clone()).or(form.and_then(|form| form.user.clone()));
        let mechanism = match (failed, proof, form) {
            (None, ..) => None,
            (_, Some(proof), _) => Some(proof.mechanism),
            (_, None, Some(_)) => Some("form"),
            (Some(_), None, None) => Some("cookie"),
        };
        let lost = failed.filter(|_| extra.has(Marks::STATE_LOST)).map(|exchange| exchange.cookies.clone());
        let mut lead = pen
            .say(word, stage)
            .code(u32::from(code))
            .mark(marks(head, code).with(extra))
            .perhaps(mechanism, Saying::mechanism)
            .perhaps(who, Saying::principal)
            .perhaps(proof.and_then(|proof| proof.identity.clone()), Saying::identity)
            .perhaps(object, |lead, object| lead.object(&object))
            .perhaps(Some(reason).filter(|reason| code >= 400 && !reason.is_empty()), Saying::text)
            .perhaps(version, Saying::identity)
            .perhaps(upload, Saying::identity);
        lead = cookies.identities.iter().cloned().fold(lead, Saying::identity);
        lead = lost.into_iter().flatten().map(|(_, cookie)| cookie).fold(lead, Saying::identity);
        for Declared { timer, span } in declared(head, present, cookies.lifetime) {
            lead = lead.declares(timer, span);
        }
        let Some(exchange) = exchange else {
            self.say_close(pen, head, Side::Server);
            return (None, Purpose::Skip);
        };
        Self::say_challenge(pen, head, code, word);
        self.say_proofs(pen, code, exchange);
        let sent_away = code < 400 && self.say_worn(pen, head, code, exchange);
        let purpose = self.say_login(pen, head, code, exchange, &cookies, framing);
        say_logout(pen, code, exchange, &cookies);
        say_range(pen, head, code, exchange);
        self.say_upload_answered(pen, head, code, exchange);
        let is_work = !matches!(exchange.safety, Safety::Safe | Safety::Unknown) && exchange.upload.is_none();
        if is_work && (200..300).contains(&code) && exchange.form.is_none() && !exchange.is_logout {
            // The server has done what was asked: it need not be asked again.
            pen.say(Word::Checkpoint, Stage::Granted).grade(Grade::Minor).object(&exchange.object);
        }
        if code < 400 && !sent_away {
            self.accept(exchange, code);
        }
        self.say_close(pen, head, Side::Server);
        let is_stream = code == 200 && head.is_of_type("text/event-stream") && !head.is_coded();
        let purpose = match purpose {
            Purpose::Skip if is_stream => {
                Purpose::Events(EventStream::new(&exchange.object, exchange.last_event.as_deref()))
            }
            purpose => purpose,
        };
        if exchange.last_event.is_some() && (code == 204 || code >= 400) {
            // 204 tells a listener to stop (WHATWG HTML 9.2.3).
            pen.say(Word::Resume, Stage::Refused).mechanism("other").object(&exchange.object);
        }
        (unit, purpose)
    }

    /// The leading word and stage of an answer, and what it tells besides its code.
    fn meaning(&self, head: &Head<'_>, code: u16, exchange: Option<&Exchange>) -> (Word, Stage, Marks) {
        let plain = Marks::default();
        let stage = if code < 400 { Stage::Granted } else { Stage::Refused };
        if code < 200 && code != 101 {
            return (Word::Turn, Stage::Told, plain);
        }
        let Some(exchange) = exchange else {
            return match code {
                // What was asked lies before the capture, or in a hole of it.
                _ if self.blind => (Word::Turn, stage, plain),
                408 => (Word::Release, Stage::Told, plain),
                _ => (Word::Error, Stage::Told, Marks::OUT_OF_TURN),
            };
        };
        let worn = exchange.cookies.iter().any(|(_, cookie)| self.accepted.contains(&cookie.hash));
        let lost = if worn { Marks::STATE_LOST } else { plain };
        match (code, exchange.proof_for(code)) {
            (401 | 407, Some((proof, _))) => {
                let field = if code == 407 { "proxy-authenticate" } else { "www-authenticate" };
                if proof.is_round || login::challenge(head, field).is_some_and(|(_, continues)| continues) {
                    return (Word::Turn, Stage::Refused, plain);
                }
                let seen = if code == 407 { &self.proxy_proof } else { &self.proof };
                let served =
                    seen.as_ref().is_some_and(|seen| seen.proof == proof.fingerprint && seen.accepted);
                let lost = if served { Marks::STATE_LOST } else { plain };
                return (Word::Authenticate, Stage::Refused, lost);
            }
            (400 | 401 | 403 | 422 | 429, _) if exchange.form.is_some() => {
                return (Word::Authenticate, Stage::Refused, plain);
            }
            (401, None) if worn => return (Word::Authenticate, Stage::Refused, lost),
            (401 | 407, None) => return (Word::Turn, Stage::Refused, plain),
            (419 | 440, _) => return (Word::Authenticate, Stage::Refused, Marks::STATE_LOST),
            (403, _) if exchange.switch.is_none() => return (Word::Authorize, Stage::Refused, plain),
            _ => {}
        }
        let topic = match (&exchange.switch, code) {
            (Some(Switch::WebSocket(_)), 101 | 400..) | (Some(Switch::Tunnel), _) => Word::Establish,
            _ => Word::Turn,
        };
        (topic, stage, plain)
    }

    fn cookies(&mut self, head: &Head<'_>, exchange: Option<&Exchange>, present: i64) -> Cookies {
        let mut told = Cookies::default();
        for cookie in head.all("set-cookie").filter_map(|field| SetCookie::read(field, present)) {
            let shown = exchange
                .and_then(|exchange| exchange.cookies.iter().find(|(name, _)| name.as_ref() == cookie.name))
                .map(|(_, identity)| identity);
            if cookie.deletes {
                told.dropped.extend(shown.map(|shown| Identity { used: Use::Drops, ..shown.clone() }));
                continue;
            }
            self.jar.learn(&cookie);
            let Some(identity) = self.jar.identity(cookie.name, cookie.value, Use::Issues) else { continue };
            if identity.kind == crate::events::IdentityKind::Cookie {
                told.lifetime = told.lifetime.or(cookie.lifetime);
                told.issued.push(identity.hash);
            }
            // The same value again only makes it live longer.
            if shown.is_none_or(|shown| shown.hash != identity.hash) {
                told.identities.push(identity);
            }
        }
        told
    }

    /// The server asks who is there.
    fn say_challenge(pen: &mut Pen<'_, '_>, head: &Head<'_>, code: u16, lead: Word) {
        let field = match code {
            401 => "www-authenticate",
            407 => "proxy-authenticate",
            _ => return,
        };
        if lead != Word::Authenticate
            && let Some((mechanism, _)) = login::challenge(head, field)
        {
            pen.say(Word::Authenticate, Stage::Asked).mechanism(mechanism);
        }
    }

    /// Credentials that are served for the first time were good.
    fn say_proofs(&mut self, pen: &mut Pen<'_, '_>, code: u16, exchange: &Exchange) {
        for (seen, asked) in
            [(&mut self.proof, &exchange.proof), (&mut self.proxy_proof, &exchange.proxy_proof)]
        {
            let (Some(seen), Some((proof, _))) = (seen.as_mut(), asked) else { continue };
            let is_same = seen.proof == proof.fingerprint;
            // Whoever may not do this, or looks for what is not there, is known.
            let confidence = match code {
                200..400 => Confidence::Certain,
                403..406 => Confidence::Medium,
                _ => continue,
            };
            if is_same && !seen.accepted && !proof.is_round {
                seen.accepted = true;
                pen.say(Word::Authenticate, Stage::Granted)
                    .mechanism(proof.mechanism)
                    .confidence(confidence)
                    .perhaps(proof.principal.clone(), Saying::principal);
            }
        }
    }

    /// A user who was served with this cookie is sent to the login page: the login has expired. Tells whether so.
    fn say_worn(&mut self, pen: &mut Pen<'_, '_>, head: &Head<'_>, code: u16, exchange: &Exchange) -> bool {
        let to_login =
            matches!(code, 302 | 303 | 307) && head.field("location").is_some_and(target::is_login);
        if !to_login || exchange.form.is_some() || exchange.is_logout || target::is_login(&exchange.target) {
            return false;
        }
        // Whether this is a first visit, only others of the same client can tell.
        pen.say(Word::Authenticate, Stage::Offered).mechanism("form").object(&exchange.object);
        let worn = exchange.cookies.iter().find(|(_, cookie)| self.worked.contains(&cookie.hash));
        if let Some((_, cookie)) = worn {
            pen.say(Word::Authenticate, Stage::Refused)
                .mechanism("cookie")
                .mark(Marks::STATE_LOST)
                .confidence(Confidence::High)
                .object(&exchange.object)
                .identity(cookie.clone());
            self.worked.retain(|hash| *hash != cookie.hash);
            self.accepted.retain(|hash| *hash != cookie.hash);
        } else if !exchange.cookies.is_empty() {
            pen.say(Word::Authenticate, Stage::Asked).mechanism("form").confidence(Confidence::Medium);
        }
        true
    }

    /// What became of a login form, or that the page will tell.
    fn say_login(
        &mut self,
        pen: &mut Pen<'_, '_>,
        head: &Head<'_>,
        code: u16,
        exchange: &Exchange,
        cookies: &Cookies,
        framing: Framing,
    ) -> Purpose {
        let Some(form) = &exchange.form else { return Purpose::Skip };
        let shown = exchange.cookies.iter().map(|(_, cookie)| cookie.hash);
        let login =
            Login { user: form.user.clone(), cookies: cookies.issued.iter().copied().chain(shown).collect() };
        let is_sure = !cookies.issued.is_empty();
        match code {
            200..300 if head.is_of_type("text/html") && !head.is_coded() && framing != Framing::None => {
                return Purpose::Page(Box::new(login), Vec::new());
            }
            // A page that cannot be read says nothing without a cookie.
            200..300 if head.is_of_type("text/html") && !is_sure => {}
            300..400 => {
                let back = head.field("location").is_some_and(|location| {
                    let (_, path) = target::split(location, None);
                    target::is_login(path) || target::path(path) == target::path(&exchange.target)
                });
                self.login_decided(
                    pen,
                    login,
                    !back,
                    if is_sure && !back { Confidence::High } else { Confidence::Medium },
                );
            }
            200..300 => {
                let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
                self.login_decided(pen, login, true, confidence);
            }
            _ => {}
        }
        Purpose::Skip
    }

    /// A login form succeeded or failed.
    pub(super) fn login_decided(
        &mut self,
        pen: &mut Pen<'_, '_>,
        login: Login,
        good: bool,
        confidence: Confidence,
    ) {
        let stage = if good { Stage::Granted } else { Stage::Refused };
        pen.say(Word::Authenticate, stage)
            .mechanism("form")
            .confidence(confidence)
            .perhaps(login.user, Saying::principal);
        if good {
            for cookie in login.cookies {
                super::remember_hash(&mut self.worked, cookie);
                super::remember_hash(&mut self.accepted, cookie);
            }
        }
    }

    /// The cookies of a request that was served are good; those with which work was done belong to somebody.
    fn accept(&mut self, exchange: &Exchange, code: u16) {
        let works = code < 300 && exchange.safety != Safety::Safe && exchange.form.is_none();
        for (_, cookie) in &exchange.cookies {
            super::remember_hash(&mut self.accepted, cookie.hash);
            if works {
                super::remember_hash(&mut self.worked, cookie.hash);
            }
        }
    }
}

fn marks(head: &Head<'_>, code: u16) -> Marks {
    let marks = match code {
        408 => Marks::TIMER,
        // RFC 9110 sections 15.6.3 and 15.6.5; 520 to 524 are what a well-known provider says of its origin.
        504 | 522 | 524 => Marks::TIMER.with(Marks::UPSTREAM),
        502 | 520 | 521 | 523 => Marks::UPSTREAM,
        429 => Marks::LIMIT.with(Marks::RETRYABLE),
        421 | 425 | 503 => Marks::RETRYABLE,
        // It had been there, or the server says that it will never be again.
        410 => Marks::STATE_LOST,
        // RFC 4918 section 11.3: the resource is locked.
        423 => Marks::HELD,
        _ => Marks::default(),
    };
    // What the server kept under an idempotency key is said again.
    let again = head.field("idempotent-replayed").is_some_and(|said| said.eq_ignore_ascii_case(b"true"));
    let marks = if again { marks.with(Marks::REPEATED) } else { marks };
    if head.is_of_type("text/event-stream") { marks.with(Marks::PATIENT) } else { marks }
}

/// The timers that an answer announces.
fn declared(head: &Head<'_>, present: i64, lifetime: Option<Span>) -> impl Iterator<Item = Declared> {
    let idle = head.field("keep-alive").and_then(|field| {
        let timeout = field.split(|octet| *octet == b',').find_map(|one| {
            one.trim_ascii().strip_prefix(b"timeout")?.trim_ascii_start().strip_prefix(b"=")
        })?;
        dates::wait(timeout.trim_ascii(), present)
    });
    let retry = head.field("retry-after").and_then(|field| dates::wait(field, present));
    [(Timer::Idle, idle), (Timer::RetryAfter, retry), (Timer::Lifetime, lifetime)]
        .into_iter()
        .filter_map(|(timer, span)| span.map(|span| Declared { timer, span }))
}

fn say_logout(pen: &mut Pen<'_, '_>, code: u16, exchange: &Exchange, cookies: &Cookies) {
    let stage = match (exchange.is_logout, code) {
        (true, 200..400) => Stage::Granted,
        (true, _) => Stage::Refused,
        (false, _) if !cookies.dropped.is_empty() => Stage::Told,
        (false, _) => return,
    };
    let release = pen.say(Word::Release, stage);
    cookies.dropped.iter().cloned().fold(release, Saying::identity);
}

/// Whether a part that was asked for is given.
fn say_range(pen: &mut Pen<'_, '_>, head: &Head<'_>, code: u16, exchange: &Exchange) {
    let Some(asked) = exchange.range else { return };
    let given = head.field("content-range").and_then(Given::read);
    let (stage, position, marks) = match (code, given) {
        (206, Some(Given { bytes: Some((start, _)), whole })) => {
            let stage = if start == asked.start { Stage::Granted } else { Stage::Refused };
            (stage, Position::bytes(start).of(whole), Marks::default())
        }
        // Parts of several ranges are told one by one in the content.
        (206, _) => (Stage::Granted, Position::bytes(asked.start), Marks::default()),
        (200, _) => {
            // With another validator than was asked for, the object has changed: that is an answer (RFC 9110 §13.1.5).
            let changed = exchange
                .if_range
                .as_deref()
                .zip(head.field("etag").or(head.field("last-modified")))
                .is_some_and(|(wanted, present)| kept(present).as_ref() != wanted);
            let marks = if changed { Marks::STATE_LOST } else { Marks::SILENT };
            (Stage::Refused, Position::bytes(0).of(head.number("content-length")), marks)
        }
        (416, given) => (
            Stage::Refused,
            Position::bytes(asked.start).of(given.and_then(|given| given.whole)),
            Marks::default(),
        ),
        (404 | 410 | 412, _) => (Stage::Refused, Position::bytes(asked.start), Marks::STATE_LOST),
        (500.., _) => (Stage::Refused, Position::bytes(asked.start), Marks::RETRYABLE),
        _ => return,
    };
    pen.say(Word::Resume, stage)
        .mechanism("http-range")
        .object(&exchange.object)
        .position(position)
        .mark(marks);
}

impl Unit {
    /// The content of an answer as a unit of work, where it is worth one: a part of an object, or a large one.
    fn of(head: &Head<'_>, code: u16, exchange: &Exchange, framing: Framing) -> Option<Self> {
        let object = exchange.object.clone();
        let given = head.field("content-range").and_then(Given::read);
        match (code, given, framing) {
            (_, _, Framing::None) => None,
            (206, Some(Given { bytes: Some((start, _)), whole }), _) => {
                // The last of several parts need not end the work; the rest that was still missing does.
                let is_rest = start == 0 || exchange.range.is_some_and(|range| range.to_end);
                Some(Self { object, start, whole, is_rest })
            }
            (200, _, Framing::Counted(length)) if length >= WORTH_BYTES || exchange.range.is_some() => {
                Some(Self { object, start: 0, whole: Some(length), is_rest: true })
            }
            _ => None,
        }
    }
}

impl Login {
    /// Whether there is a session that it can belong to.
    pub(super) fn has_cookies(&self) -> bool {
        !self.cookies.is_empty()
    }
}
