//! FTP, the control connection: logins, transfers with their restarts, and where data connections will be listened for.
//!
//! The bytes of files travel on connections of their own, which the session stage joins by what is said here of
//! addresses and ports ([`Expectation`](crate::events::Expectation)).

mod addresses;
mod answers;
mod commands;
mod directory;
mod labels;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::Range;

use self::commands::{Deed, Request};
use self::directory::Directory;
use super::lines::{self, Behind, Questions, ReplyRead, ReplyReader, Stumbles};
use super::{Dissector, Notes, Protocol, Saying, Step, Verdict, Why};
use crate::events::{
    Action, Hash128, Identity, IdentityKind, Marks, PerSide, Position, Principal, Safety, Scope, ShortText,
    Side, Stage, Strength, Use, Word,
};
use crate::limits::EVENT_TEXT_BYTES;

/// The name in filters and reports.
const NAME: &str = "ftp";

/// What FTP is.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    title: "File Transfer Protocol",
    ports: &[21],
    probe,
    start: || Box::new(Ftp::default()),
    goodbye: Some("QUIT"),
    words: &[
        Word::Establish,
        Word::Authenticate,
        Word::Authorize,
        Word::Activity,
        Word::Turn,
        Word::Checkpoint,
        Word::KeepAlive,
        Word::Interrupt,
        Word::Resume,
        Word::Release,
        Word::Error,
    ],
    sources: &[
        "RFC 959 §4.1 (commands), §4.2 (replies), §5.4 (sequences), §3.5 (restart)",
        "RFC 1123 §4.1",
        "RFC 2228 §3",
        "RFC 2389 §3",
        "RFC 2428 §2, §3",
        "RFC 3659 §4 (SIZE), §5 (REST)",
        "RFC 4217 §4",
    ],
};

/// A server's first line that names the protocol, a client's first command, or talk that fits in the middle.
fn probe(side: Side, bytes: &[u8]) -> Verdict {
    match side {
        Side::Client => probe_client(bytes),
        Side::Server => probe_server(bytes),
    }
}

fn probe_client(bytes: &[u8]) -> Verdict {
    let bytes = commands::without_telnet(bytes);
    let mut verdict = Verdict::Unsure;
    for line in lines::whole(bytes) {
        let (verb, rest) = lines::word(commands::without_telnet(line));
        if commands::deed(verb).is_none() || !lines::is_text(rest) {
            if verdict < Verdict::Likely {
                return Verdict::No;
            }
            // Behind AUTH TLS comes something else.
            break;
        }
        verdict =
            verdict.max(if commands::is_telling(verb, rest) { Verdict::Likely } else { Verdict::Unsure });
    }
    let (verb, rest) = lines::word(bytes);
    let form = verb.first().is_none_or(u8::is_ascii_alphabetic) && verb.iter().all(u8::is_ascii_graphic);
    let possible = lines::line(bytes).is_some() || (form && (verb.len() <= 4 || !rest.is_empty()));
    if verdict == Verdict::Unsure && !possible { Verdict::No } else { verdict }
}

fn probe_server(bytes: &[u8]) -> Verdict {
    let Some((first, _)) = lines::line(bytes) else {
        let digits = bytes.iter().take(3).all(u8::is_ascii_digit);
        return if digits && lines::is_text(bytes.strip_suffix(b"\r").unwrap_or(bytes)) {
            Verdict::Unsure
        } else {
            Verdict::No
        };
    };
    let other = ["smtp", "lmtp", "nntp"];
    match lines::code(first) {
        Some((_, rest)) if !lines::is_text(rest) || other.iter().any(|name| lines::holds(rest, name)) => {
            Verdict::No
        }
        Some((220, rest)) if lines::holds(rest, "ftp") => Verdict::Certain,
        Some((110..=150 | 200..=257 | 331..=350 | 421..=553, rest))
            if matches!(rest.first(), None | Some(b' ' | b'-')) =>
        {
            Verdict::Likely
        }
        _ => Verdict::No,
    }
}

/// One control connection.
#[derive(Debug, Clone, Default)]
struct Ftp {
    replies: ReplyReader,
    /// Commands without their last answer.
    open: Questions<Request>,
    stumbles: Stumbles,
    /// The server has said something.
    answered: bool,
    /// The client has said something.
    spoken: bool,
    /// Bytes were lost: an answer without a question may belong to one that the capture lacks.
    blind: bool,
    /// Bytes were lost on this side, perhaps in the middle of a line.
    torn: PerSide<bool>,
    user: Box<[u8]>,
    directory: Directory,
    /// Whether transfers count the very bytes of files (TYPE I), where that is known.
    image: Option<bool>,
    /// Where the next transfer begins.
    restart: u64,
    /// The last size told, and of which path.
    size: Option<(Vec<u8>, u64)>,
}

impl Dissector for Ftp {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if self.torn[side] {
            let known = |line: &[u8]| match side {
                Side::Client => commands::deed(lines::word(commands::without_telnet(line)).0).is_some(),
                Side::Server => lines::begins_reply(line),
            };
            let behind = lines::behind_gap(bytes, known);
            self.torn[side] = behind == Some(Behind::NeedMore);
            match behind {
                Some(Behind::NeedMore) => return Step::NeedMore(bytes.len() + 1),
                Some(Behind::Pass(length)) => {
                    if let Some(pen) = notes.labels() {
                        labels::other(pen, length);
                    }
                    return Step::Took(length);
                }
                None => {}
            }
        }
        match side {
            Side::Client => self.read_command(bytes, notes),
            Side::Server => self.read_answer(bytes, notes),
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, _notes: &mut Notes<'_>) -> Step {
        self.torn[side] = true;
        self.blind = true;
        // How many questions or answers are lost nobody knows: the next answer belongs to the next question.
        self.open.forget();
        if side == Side::Server {
            self.replies.forget();
            self.answered = true;
        }
        Step::Took(0)
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

impl Ftp {
    fn read_command(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if lines::begins_tls(bytes) {
            // The answer that allowed it is not in the capture.
            return Self::secured(0);
        }
        let Some((whole, length)) = lines::line(bytes) else { return Step::NeedMore(bytes.len() + 1) };
        let line = commands::without_telnet(whole);
        if line.is_empty() {
            if let Some(pen) = notes.labels() {
                labels::other(pen, length);
            }
            return Step::Took(length);
        }
        let (verb, rest) = lines::word(line);
        let form = commands::has_form(verb) && lines::is_text(line);
        let deed = if form { commands::deed(verb) } else { None };
        match deed {
            Some(_) => self.stumbles.good(),
            None if self.stumbles.bad() => {}
            None => return Step::NotMine(Why::Grammar),
        }
        if let Some(pen) = notes.labels() {
            labels::command(pen, deed, line, (whole.len() - line.len(), length));
        }
        let verb = if form { ShortText::command(verb) } else { ShortText::default() };
        self.ask(deed.unwrap_or(Deed::Other), verb, rest, 0..length, notes);
        Step::Took(length)
    }

    fn read_answer(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        match self.replies.read(bytes) {
            ReplyRead::Whole(reply) => {
                self.stumbles.good();
                if let Some(pen) = notes.labels() {
                    labels::reply(pen, &reply);
                }
                self.answer(reply, notes)
            }
            ReplyRead::Unfinished => Step::NeedMore(bytes.len() + 1),
            ReplyRead::Other => {
                let Some((line, length)) = lines::line(bytes) else { return Step::NeedMore(bytes.len() + 1) };
                if !self.stumbles.bad() {
                    return Step::NotMine(Why::Grammar);
                }
                if let Some(pen) = notes.labels() {
                    labels::other(pen, length);
                }
                if !line.is_empty() && self.open.answered().is_some() {
                    // An answer all the same, though nobody can tell whether it is a yes.
                    notes.say(Word::Turn, Stage::Granted, 0..length).mark(Marks::NAMELESS);
                }
                Step::Took(length)
            }
        }
    }

    /// The connection is protected from here on.
    fn secured(taken: usize) -> Step {
        super::named("tls").map_or(Step::Done, |tls| Step::Under(taken, tls))
    }

    /// A command is sent.
    fn ask(&mut self, deed: Deed, verb: ShortText, rest: &[u8], bytes: Range<usize>, notes: &mut Notes<'_>) {
        let early = notes.from_start() && !self.answered && !std::mem::replace(&mut self.spoken, true);
        let busy = self.open.iter().any(|request| request.deed.is_transfer()) && !deed.may_interrupt();
        let out_of_turn = if early || busy { Marks::OUT_OF_TURN } else { Marks::default() };
        let mut request = Self::request(deed, verb, rest, notes.extent(bytes.clone()));
        if deed == Deed::User {
            self.user = request.argument.clone();
        }
        let path = self.path(&request);
        self.prepare(&mut request, &path);
        let server = notes.server().ip.to_string();
        let (word, scope) = match deed {
            Deed::User | Deed::Password | Deed::Account | Deed::Token => (Word::Authenticate, Scope::Session),
            Deed::Secure => (Word::Establish, Scope::Security),
            Deed::Restart if request.position > 0 || lines::number(rest).is_none() => {
                (Word::Resume, Scope::Activity)
            }
            Deed::Download | Deed::Upload | Deed::Listing => (Word::Activity, Scope::Activity),
            Deed::Abort => (Word::Interrupt, Scope::Activity),
            Deed::Noop => (Word::KeepAlive, Scope::Session),
            Deed::Quit => (Word::Release, Scope::Session),
            _ => (Word::Turn, Scope::Session),
        };
        let mut saying = notes.say(word, Stage::Asked, bytes.clone()).scope(scope).mark(out_of_turn);
        saying =
            if verb.is_empty() { saying.mark(Marks::NAMELESS) } else { saying.op(verb.as_str().as_bytes()) };
        match deed {
            Deed::User | Deed::Password | Deed::Account => {
                saying = saying.mechanism("password");
                if !self.user.is_empty() {
                    let user = [server.as_bytes(), &self.user];
                    saying = saying.principal(Principal::new(&self.user)).identity(Identity::new(
                        IdentityKind::User,
                        Use::Shows,
                        Strength::Protocol,
                        NAME,
                        &user,
                    ));
                }
            }
            Deed::Token => saying = saying.mechanism("gssapi"),
            Deed::Secure => saying = saying.text(rest),
            Deed::Noop => saying = saying.mark(Marks::APP_PING),
            Deed::Restart if word == Word::Resume => {
                saying = saying.mechanism("ftp-rest");
                if request.position > 0 {
                    saying = saying.position(Position::bytes(request.position));
                }
            }
            _ => saying = self.about(saying, &request, &path, &server),
        }
        if let Some(safety) = commands::safety(verb.as_str()) {
            saying.action(self.action(&request, &path, &server, safety));
        }
        if appends(&request) {
            notes
                .say(Word::Resume, Stage::Asked, bytes)
                .scope(Scope::Activity)
                .mechanism("ftp-appe")
                .position(Position::bytes(request.position))
                .object(&request.argument);
        }
        self.open.ask(request);
    }

    fn request(deed: Deed, verb: ShortText, rest: &[u8], extent: crate::events::Extent) -> Request {
        let shown = match deed {
            // Whatever may be a secret is not kept.
            Deed::Password | Deed::Account | Deed::Token | Deed::Other => &[],
            _ => rest.get(..EVENT_TEXT_BYTES).unwrap_or(rest),
        };
        let listener: Option<(IpAddr, u16)> = match (deed, verb.as_str()) {
            (Deed::Active, "PORT") => addresses::six_numbers(rest),
            (Deed::Active, _) => addresses::extended(rest),
            _ => None,
        };
        let position = if deed == Deed::Restart { lines::number(rest).unwrap_or(0) } else { 0 };
        Request { deed, verb, argument: shown.into(), extent, position, whole: None, begun: false, listener }
    }

    /// The path that a command is about.
    fn path(&self, request: &Request) -> Vec<u8> {
        let name = match request.deed {
            // `LIST -la` names no file.
            Deed::Listing if request.argument.first() == Some(&b'-') => &[],
            _ => request.argument.as_ref(),
        };
        self.directory.path_of(name)
    }

    /// What was said before about the work that begins: where it begins, and how large it is.
    fn prepare(&mut self, request: &mut Request, path: &[u8]) {
        match request.deed {
            Deed::Restart => self.restart = request.position,
            Deed::Download | Deed::Upload | Deed::Listing => {
                request.position = std::mem::take(&mut self.restart);
                let size = self.size.as_ref().filter(|(of, _)| of == path).map(|(_, size)| *size);
                match request.verb.as_str() {
                    "RETR" => request.whole = size.filter(|_| self.image != Some(false)),
                    "APPE" => request.position = size.unwrap_or(0),
                    _ => {}
                }
                if request.deed == Deed::Upload {
                    self.size = None;
                }
            }
            _ => {}
        }
    }

    /// Adds what a command is about, where it is about a file.
    fn about<'e>(&self, saying: Saying<'e>, request: &Request, path: &[u8], server: &str) -> Saying<'e> {
        let mut saying = saying;
        match request.deed {
            Deed::Download | Deed::Upload | Deed::Size => {
                if request.deed != Deed::Size {
                    saying = saying.position(Position::bytes(request.position).of(request.whole));
                }
                if !request.argument.is_empty() {
                    saying = saying.identity(self.object_identity(path, server)).object(&request.argument);
                }
            }
            Deed::Listing | Deed::File | Deed::Enter | Deed::Status if !request.argument.is_empty() => {
                saying = saying.object(&request.argument);
            }
            Deed::Representation => saying = saying.text(&request.argument),
            _ => {}
        }
        saying
    }

    fn object_identity(&self, path: &[u8], server: &str) -> Identity {
        let value = [server.as_bytes(), &self.user, path];
        Identity::new(IdentityKind::Object, Use::Shows, Strength::Protocol, NAME, &value)
    }

    fn action(&self, request: &Request, path: &[u8], server: &str, safety: Safety) -> Action {
        // What goes on at some place is other work than what began at another.
        let position = request.position.to_be_bytes();
        let verb = request.verb.as_str().as_bytes();
        let parts = [NAME.as_bytes(), server.as_bytes(), &self.user, verb, path, &position];
        Action { key: Hash128::of(&parts), safety, token: None }
    }
}

/// Whether this appends to a file whose size was asked for: the other way to go on with an upload.
fn appends(request: &Request) -> bool {
    request.verb.as_str() == "APPE" && request.position > 0
}
