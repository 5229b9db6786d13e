//! SMTP and LMTP: a mail is a unit of work from MAIL to the answer to its final dot, which is where responsibility for
//! it passes from one side to the other.

mod answers;
mod content;
mod labels;
mod login;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::content::Content;
use super::lines::{self, Behind, Questions, ReplyRead, ReplyReader, Stumbles};
use super::{Dissector, End, Notes, Protocol, Saying, Step, Verdict, Why};
use crate::events::{
    Action, Extent, Grade, Hash128, Identity, IdentityKind, Marks, PerSide, Position, Principal, Safety,
    Scope, ShortText, Side, Stage, Strength, Unit, Use, Word,
};
use crate::limits::EVENT_TEXT_BYTES;

/// The name in filters and reports.
const NAME: &str = "smtp";

/// Recipients of one mail whose addresses are kept; more are counted.
const RECIPIENTS: usize = 1_000;

/// Octets behind DATA that wait for the server's word. A client that does not wait for it sends content.
const AHEAD_BYTES: usize = 4 << 10;

/// What SMTP is.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    title: "Simple Mail Transfer Protocol",
    ports: &[25, 587],
    probe,
    start: || Box::new(Smtp::default()),
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
        Word::Release,
        Word::Error,
    ],
    sources: &[
        "RFC 5321 §3 (procedures), §4.1 (commands), §4.2 (replies), §4.3 (sequencing), §4.5.2 (transparency)",
        "RFC 1047",
        "RFC 1870",
        "RFC 2033 §4",
        "RFC 2920 §3",
        "RFC 3030 §2",
        "RFC 3207 §4",
        "RFC 3463 §3",
        "RFC 4954 §4",
    ],
};

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// EHLO, HELO and LHLO.
    Hello,
    /// STARTTLS.
    Secure,
    /// AUTH, and each response to a challenge.
    Login,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The content up to the final dot, or the last part of it (BDAT … LAST).
    Message,
    /// A part of the content that is not the last (BDAT).
    Chunk,
    /// RSET.
    Reset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY, EXPN, HELP, ETRN and anything else.
    Other,
}

/// The commands of RFC 5321 §4.1.1, RFC 1985, RFC 2033, RFC 2645, RFC 3030, RFC 3207, RFC 4954, and Sendmail's and
/// Exchange's own.
const COMMANDS: &[(&str, Deed)] = &[
    ("ATRN", Deed::Other),
    ("AUTH", Deed::Login),
    ("BDAT", Deed::Chunk),
    ("DATA", Deed::Data),
    ("EHLO", Deed::Hello),
    ("ETRN", Deed::Other),
    ("EXPN", Deed::Other),
    ("HELO", Deed::Hello),
    ("HELP", Deed::Other),
    ("LHLO", Deed::Hello),
    ("MAIL", Deed::Mail),
    ("NOOP", Deed::Noop),
    ("QUIT", Deed::Quit),
    ("RCPT", Deed::Recipient),
    ("RSET", Deed::Reset),
    ("SAML", Deed::Other),
    ("SEND", Deed::Other),
    ("SOML", Deed::Other),
    ("STARTTLS", Deed::Secure),
    ("TURN", Deed::Other),
    ("VERB", Deed::Other),
    ("VRFY", Deed::Other),
    ("X-EXPS", Deed::Other),
    ("XCLIENT", Deed::Other),
    ("XEXCH50", Deed::Other),
    ("XFORWARD", Deed::Other),
];

fn deed(verb: &[u8]) -> Option<Deed> {
    let name = ShortText::command(verb);
    let at = COMMANDS.binary_search_by(|(known, _)| (*known).cmp(name.as_str())).ok()?;
    COMMANDS.get(at).map(|(_, deed)| *deed)
}

/// Whether a line begins with a command that is known.
fn is_command(line: &[u8]) -> bool {
    deed(lines::word(line).0).is_some()
}

/// Whether a word has the form of a command.
fn has_form(verb: &[u8]) -> bool {
    (4..=10).contains(&verb.len()) && verb.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
}

/// A server's first line that names the protocol, a client's first command, or talk that fits in the middle.
fn probe(side: Side, bytes: &[u8]) -> Verdict {
    match side {
        Side::Client => probe_client(bytes),
        Side::Server => probe_server(bytes),
    }
}

fn probe_client(bytes: &[u8]) -> Verdict {
    let mut verdict = Verdict::Unsure;
    for line in lines::whole(bytes) {
        let (verb, rest) = lines::word(line);
        verdict = verdict.max(match deed(verb) {
            Some(Deed::Hello) => Verdict::Certain,
            // That is FTP's way to ask for it.
            Some(Deed::Login) if lines::holds(rest, "TLS") || lines::holds(rest, "SSL") => {
                return Verdict::No;
            }
            // Other protocols of lines have these too.
            Some(Deed::Login | Deed::Noop | Deed::Reset | Deed::Quit | Deed::Other | Deed::Secure) => {
                Verdict::Unsure
            }
            Some(_) => Verdict::Likely,
            // Behind a good beginning it may be the content of a mail.
            None if verdict < Verdict::Likely => return Verdict::No,
            None => break,
        });
    }
    let (verb, _) = lines::word(bytes);
    let possible =
        lines::line(bytes).is_some() || (verb.len() <= 10 && verb.iter().all(u8::is_ascii_graphic));
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
    match lines::code(first) {
        Some((_, rest)) if !lines::is_text(rest) || lines::holds(rest, "ftp") => Verdict::No,
        Some((220, rest)) if lines::holds(rest, "smtp") || lines::holds(rest, "lmtp") => Verdict::Certain,
        Some((211..=252 | 334..=354 | 421..=555, rest))
            if matches!(rest.first(), None | Some(b' ' | b'-')) =>
        {
            Verdict::Likely
        }
        _ => Verdict::No,
    }
}

/// A command that waits for its answers.
#[derive(Debug, Clone)]
struct Request {
    deed: Deed,
    /// The address or name that it is about; nothing secret.
    argument: Box<[u8]>,
    /// Where it was read.
    extent: Extent,
    /// MAIL: it began the mail at hand.
    begins: bool,
    /// BDAT: how many octets of the mail the server has when it says yes.
    position: u64,
    /// The mail that was handed over with it.
    mail: Option<Box<Mail>>,
    /// LMTP: answers still to come before the last one (RFC 2033 §4.2).
    more: u32,
}

impl Request {
    fn new(deed: Deed, argument: Box<[u8]>, extent: Extent) -> Self {
        Self { deed, argument, extent, begins: false, position: 0, mail: None, more: 0 }
    }
}

/// The mail at hand.
#[derive(Debug, Clone, Default)]
struct Mail {
    sender: Box<[u8]>,
    recipients: Vec<Box<[u8]>>,
    /// How many recipients the server accepted.
    accepted: u64,
    content: Content,
    begun: Option<Extent>,
}

/// What the client's next bytes are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expects {
    /// Commands.
    #[default]
    Command,
    /// DATA was sent; the server has not said yes or no.
    GoAhead,
    /// The content of a mail up to its final dot.
    Content,
    /// So many more octets of a part of it; whether it is the last part.
    Chunk(u64, bool),
    /// A response to a challenge of the login.
    Response,
}

/// One connection.
#[derive(Debug, Clone, Default)]
struct Smtp {
    replies: ReplyReader,
    open: Questions<Request>,
    stumbles: Stumbles,
    expects: Expects,
    /// The server has said something.
    answered: bool,
    /// The client has said something.
    spoken: bool,
    /// Bytes were lost.
    blind: bool,
    torn: PerSide<bool>,
    /// Whether commands may be sent ahead of answers; unknown before the answer to EHLO.
    pipelining: Option<bool>,
    /// LHLO: one answer for each recipient.
    local: bool,
    mechanism: &'static str,
    responses: u32,
    user: Box<[u8]>,
    mail: Option<Mail>,
    /// Where the client closed in the middle of a mail.
    cut_at: Option<Extent>,
    /// The server says no more.
    server_ended: bool,
}

impl Dissector for Smtp {
    fn read(&mut self, side: Side, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let line_wise = side == Side::Server || matches!(self.expects, Expects::Command | Expects::Response);
        if line_wise && self.torn[side] {
            let known = |line: &[u8]| match side {
                Side::Client => is_command(line),
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
        if side == Side::Server {
            return self.read_answer(bytes, notes);
        }
        match self.expects {
            Expects::Command => self.read_command(bytes, notes),
            Expects::Response => self.read_response(bytes, notes),
            // No mail begins with a command: this client does not stop at DATA, and expects a no.
            Expects::GoAhead if lines::line(bytes).is_some_and(|(line, _)| is_command(line)) => {
                self.read_command(bytes, notes)
            }
            Expects::GoAhead if bytes.len() < AHEAD_BYTES => Step::Hold,
            Expects::GoAhead | Expects::Content => self.read_content(bytes, notes),
            Expects::Chunk(left, last) => self.read_chunk(left, last, bytes, notes),
        }
    }

    fn gap(&mut self, side: Side, missing: u64, _notes: &mut Notes<'_>) -> Step {
        self.torn[side] = true;
        self.blind = true;
        if side == Side::Server {
            self.replies.forget();
            self.open.forget();
            self.answered = true;
            if self.expects == Expects::GoAhead {
                self.expects = Expects::Content;
            }
            return Step::Took(0);
        }
        if let Some(mail) = &mut self.mail {
            mail.content.missed(missing);
        }
        match self.expects {
            Expects::Chunk(left, last) if left > missing => {
                self.expects = Expects::Chunk(left - missing, last);
            }
            Expects::Chunk(..) | Expects::Command | Expects::Response => {
                self.expects = Expects::Command;
                self.open.forget();
            }
            Expects::GoAhead | Expects::Content => {}
        }
        Step::Took(0)
    }

    fn end(&mut self, side: Side, how: End, _unread: &[u8], _pending: u64, notes: &mut Notes<'_>) {
        let cut = matches!(self.expects, Expects::Content | Expects::Chunk(..));
        if side == Side::Client && cut && how != End::Over && self.mail.is_some() {
            self.cut_at = Some(notes.extent(0..0));
        }
        // A client that only closed may still hear that the server took the mail: where lines end is for the server to say.
        self.server_ended |= side == Side::Server;
        if self.server_ended || how == End::Reset {
            self.break_off(notes);
        }
    }

    fn fork(&self) -> Box<dyn Dissector> {
        Box::new(self.clone())
    }
}

impl Smtp {
    /// Without its final dot the server has to throw the mail away (RFC 5321 §4.1.1.4).
    fn break_off(&mut self, notes: &mut Notes<'_>) {
        let (Some(cut_at), Some(mail)) = (self.cut_at.take(), &self.mail) else { return };
        let saying =
            notes.say(Word::Interrupt, Stage::Told, 0..0).by(Side::Client).scope(Scope::Activity).at(cut_at);
        let saying = saying.mark(Marks::PARTIAL).position(Position::bytes(mail.content.length()));
        let saying = named(saying, &mail.sender);
        if let Some(begun) = mail.begun {
            saying.since(begun);
        }
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

    fn read_command(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        if lines::begins_tls(bytes) {
            // The answer that allowed it is not in the capture.
            return Self::secured(0);
        }
        let Some((line, length)) = lines::line(bytes) else { return Step::NeedMore(bytes.len() + 1) };
        if line.trim_ascii().is_empty() {
            if let Some(pen) = notes.labels() {
                labels::other(pen, length);
            }
            return Step::Took(length);
        }
        let (verb, rest) = lines::word(line);
        let form = has_form(verb) && lines::is_text(line);
        let deed = if form { deed(verb) } else { None };
        match deed {
            Some(_) => self.stumbles.good(),
            None if self.stumbles.bad() => {}
            None => return Step::NotMine(Why::Grammar),
        }
        if let Some(pen) = notes.labels() {
            labels::command(pen, deed, line, length);
        }
        let verb = if form { ShortText::command(verb) } else { ShortText::default() };
        self.ask(deed.unwrap_or(Deed::Other), verb, rest, 0..length, notes);
        Step::Took(length)
    }

    /// The connection is protected from here on; what was agreed before is void (RFC 3207 §4.2).
    fn secured(taken: usize) -> Step {
        super::named("tls").map_or(Step::Done, |tls| Step::Under(taken, tls))
    }

    /// A command is sent.
    fn ask(&mut self, deed: Deed, verb: ShortText, rest: &[u8], bytes: Range<usize>, notes: &mut Notes<'_>) {
        let extent = notes.extent(bytes.clone());
        let early = notes.from_start() && !self.answered && !std::mem::replace(&mut self.spoken, true);
        let ahead = !self.open.is_empty() && self.pipelining == Some(false);
        let out_of_turn = if early || ahead { Marks::OUT_OF_TURN } else { Marks::default() };
        let (word, scope) = match deed {
            Deed::Secure => (Word::Establish, Scope::Security),
            Deed::Login => (Word::Authenticate, Scope::Session),
            Deed::Mail => (Word::Activity, Scope::Activity),
            Deed::Noop => (Word::KeepAlive, Scope::Session),
            Deed::Quit => (Word::Release, Scope::Session),
            Deed::Hello | Deed::Other => (Word::Turn, Scope::Session),
            Deed::Recipient | Deed::Data | Deed::Message | Deed::Chunk | Deed::Reset => {
                (Word::Turn, Scope::Activity)
            }
        };
        let shown = |text: &[u8]| -> Box<[u8]> { text.get(..EVENT_TEXT_BYTES).unwrap_or(text).into() };
        let argument = match deed {
            Deed::Mail => shown(content::address(rest, "from:").unwrap_or(&[])),
            Deed::Recipient => shown(content::address(rest, "to:").unwrap_or(&[])),
            Deed::Hello => shown(rest),
            _ => Box::default(),
        };
        if deed == Deed::Login {
            let (name, response) = lines::word(rest);
            self.mechanism = login::mechanism(name);
            self.responses = 0;
            self.user = Box::default();
            self.note_response(response);
        }
        let server = notes.server().ip.to_string();
        let mut saying = notes.say(word, Stage::Asked, bytes.clone()).scope(scope).mark(out_of_turn);
        saying =
            if verb.is_empty() { saying.mark(Marks::NAMELESS) } else { saying.op(verb.as_str().as_bytes()) };
        saying = named(saying, &argument);
        match deed {
            Deed::Login => _ = self.credentials(saying, &server),
            Deed::Noop => _ = saying.mark(Marks::APP_PING),
            _ => {}
        }
        let mut request = Request::new(deed, argument, extent);
        match deed {
            Deed::Hello => self.local = verb.as_str() == "LHLO",
            Deed::Mail if self.mail.is_none() => {
                request.begins = true;
                self.mail_at_hand().sender.clone_from(&request.argument);
            }
            // A capture of the client alone has no word of the server to wait for.
            Deed::Data => self.expects = if self.answered { Expects::GoAhead } else { Expects::Content },
            Deed::Chunk => {
                let (size, last) = lines::word(rest);
                // A size that is none makes the server refuse, and no octets follow.
                if let Some(size) = lines::number(size) {
                    let last = last.trim_ascii().eq_ignore_ascii_case(b"LAST");
                    let mail = self.mail_at_hand();
                    mail.begun.get_or_insert(extent);
                    request.position = mail.content.length().saturating_add(size);
                    if last {
                        request.deed = Deed::Message;
                    }
                    self.expects = Expects::Chunk(size, last);
                }
            }
            _ => {}
        }
        self.open.ask(request);
        if let Expects::Chunk(0, last) = self.expects {
            self.end_chunk(last, bytes.end, notes);
        }
    }

    fn mail_at_hand(&mut self) -> &mut Mail {
        self.mail.get_or_insert_default()
    }

    fn note_response(&mut self, response: &[u8]) {
        if response.is_empty() {
            return;
        }
        if let Some(user) = login::user(self.mechanism, self.responses, response) {
            self.user = user;
        }
        self.responses += 1;
    }

    /// Who logs in, and how.
    fn credentials<'e>(&self, saying: Saying<'e>, server: &str) -> Saying<'e> {
        let saying = saying.mechanism(self.mechanism);
        if self.user.is_empty() {
            return saying;
        }
        let value = [server.as_bytes(), &self.user];
        let identity = Identity::new(IdentityKind::User, Use::Shows, Strength::Protocol, NAME, &value);
        saying.principal(Principal::new(&self.user)).identity(identity)
    }

    /// A line that answers a challenge of the login.
    fn read_response(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let Some((line, length)) = lines::line(bytes) else { return Step::NeedMore(bytes.len() + 1) };
        self.expects = Expects::Command;
        if let Some(pen) = notes.labels() {
            labels::response(pen, line, length);
        }
        self.note_response(line);
        let server = notes.server().ip.to_string();
        let extent = notes.extent(0..length);
        let saying = notes.say(Word::Authenticate, Stage::Asked, 0..length).mark(Marks::NAMELESS);
        self.credentials(saying, &server);
        self.open.ask(Request::new(Deed::Login, Box::default(), extent));
        Step::Took(length)
    }

    fn read_content(&mut self, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        self.expects = Expects::Content;
        let start = notes.extent(0..1);
        let mail = self.mail_at_hand();
        let (taken, ended) = mail.content.read(bytes);
        mail.begun.get_or_insert(start);
        if let Some(pen) = notes.labels() {
            labels::content(pen, taken, ended);
        }
        if ended {
            self.expects = Expects::Command;
            self.torn.client = false;
            self.open.ask(Request::new(Deed::Message, Box::default(), start));
            self.propose(true, taken, notes);
        }
        Step::Took(taken)
    }

    fn read_chunk(&mut self, left: u64, last: bool, bytes: &[u8], notes: &mut Notes<'_>) -> Step {
        let taken = left.min(bytes.len() as u64) as usize;
        self.mail_at_hand().content.read_counted(bytes.get(..taken).unwrap_or(bytes));
        if let Some(pen) = notes.labels() {
            labels::content(pen, taken, false);
        }
        let left = left - taken as u64;
        if left > 0 {
            self.expects = Expects::Chunk(left, last);
        } else {
            self.end_chunk(last, taken, notes);
        }
        Step::Took(taken)
    }

    fn end_chunk(&mut self, last: bool, taken: usize, notes: &mut Notes<'_>) {
        self.expects = Expects::Command;
        self.torn.client = false;
        if last {
            self.propose(false, taken, notes);
        }
    }

    /// The whole mail was sent: the server is to take it, and answers the newest question. `leads` where the content is
    /// a message of its own, and not that of a BDAT.
    fn propose(&mut self, leads: bool, taken: usize, notes: &mut Notes<'_>) {
        let server = notes.server().ip.to_string();
        let mail = self.mail.take().unwrap_or_default();
        let whole = taken.saturating_sub(1)..taken;
        let begun = mail.begun.unwrap_or_else(|| notes.extent(whole.clone()));
        let mut saying = notes.say(Word::Checkpoint, Stage::Asked, whole).scope(Scope::Activity).since(begun);
        saying = saying.grade(Grade::Major).action(mail.action(&server)).position(mail.recipients_accepted());
        saying = named(saying, &mail.sender);
        if leads {
            saying = saying.mark(Marks::NAMELESS);
        }
        if let Some(identity) = mail.identity() {
            saying.identity(identity);
        }
        if let Some(request) = self.open.newest() {
            request.extent = begun;
            request.more =
                if self.local { mail.accepted.saturating_sub(1).min(RECIPIENTS as u64) as u32 } else { 0 };
            request.mail = Some(Box::new(mail));
        }
    }
}

impl Mail {
    /// Sender and recipients, in an order that does not depend on the client's.
    fn envelope(&self) -> Vec<&[u8]> {
        let mut recipients: Vec<&[u8]> = self.recipients.iter().map(AsRef::as_ref).collect();
        recipients.sort_unstable();
        let mut envelope: Vec<&[u8]> = vec![&self.sender];
        envelope.extend(recipients);
        envelope
    }

    /// By what it is known again (RFC 1047), on whatever way it comes: which server is asked is no part of it.
    fn identity(&self) -> Option<Identity> {
        let mut value = self.envelope();
        value.push(self.content.message_id()?);
        Some(Identity::new(IdentityKind::Message, Use::Shows, Strength::Protocol, NAME, &value))
    }

    /// What is asked of the server: twice, and the mail is delivered twice.
    fn action(&self, server: &str) -> Action {
        let length = self.content.length().to_string();
        let mut parts = self.envelope();
        match self.content.message_id() {
            Some(id) => parts.push(id),
            None => parts.extend([length.as_bytes(), self.content.body()]),
        }
        parts.extend([server.as_bytes(), NAME.as_bytes()]);
        let token = self.identity().map(|identity| identity.hash);
        Action { key: Hash128::of(&parts), safety: Safety::Unsafe, token }
    }

    /// How many recipients the server has accepted.
    fn recipients_accepted(&self) -> Position {
        Position { unit: Unit::Recipients, value: self.accepted, of: None }
    }
}

/// Says whom it is about, unless that is the empty sender of a bounce.
fn named<'e>(saying: Saying<'e>, address: &[u8]) -> Saying<'e> {
    if address.is_empty() { saying } else { saying.object(address) }
}
