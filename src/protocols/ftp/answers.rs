//! What the server's replies mean for the commands they answer (RFC 959 §5.4).

use super::commands::{Deed, Request};
use super::{Ftp, addresses, appends};
use crate::events::{Expectation, Grade, Marks, Position, Principal, Scope, Stage, Timer, Unit, Word};
use crate::protocols::lines::{self, Reply};
use crate::protocols::{Notes, Saying, Step};

/// What a connection is for that is going to carry the bytes of files.
const DATA_ROLE: &str = "ftp-data";

impl Ftp {
    /// A whole reply was read.
    pub(super) fn answer(&mut self, reply: Reply<'_>, notes: &mut Notes<'_>) -> Step {
        let first = notes.from_start() && !self.answered;
        self.answered |= reply.code != 120;
        if first || (reply.code == 220 && self.open.is_empty()) {
            self.greet(reply, notes);
        } else if (100..200).contains(&reply.code) {
            self.go_on(reply, notes);
        } else if let Some(request) = self.open.answered() {
            return self.close(&request, reply, notes);
        } else {
            self.unasked(reply, notes);
        }
        Step::Took(reply.length)
    }

    /// The first word of the server.
    fn greet(&self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let stage = match reply.code {
            100..200 => Stage::Told,
            200..400 => Stage::Granted,
            _ => Stage::Refused,
        };
        let fatal = if stage == Stage::Refused { Marks::FATAL } else { Marks::default() };
        let saying = notes.say(Word::Establish, stage, 0..reply.length).mark(fatal);
        let saying = self.worded(saying, reply);
        if let Some(span) = reply.idle_limit() {
            saying.declares(Timer::Idle, span);
        }
    }

    /// A preliminary reply: more will come.
    fn go_on(&mut self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let bytes = 0..reply.length;
        let Some(request) = self.open.oldest().filter(|request| request.deed.is_transfer()) else {
            let word = if matches!(reply.code, 125 | 150) { Word::Activity } else { Word::Turn };
            notes.say(word, Stage::Told, bytes).code(reply.code.into());
            return;
        };
        let since = request.extent;
        if reply.code == 110 {
            let saying = notes.say(Word::Checkpoint, Stage::Granted, bytes).scope(Scope::Activity);
            let saying =
                saying.code(110).grade(Grade::Minor).object(&request.argument).text(reply.text).since(since);
            if let Some(value) = marker(reply.text) {
                saying.position(Position { unit: Unit::Cookie, value, of: None });
            }
            return;
        }
        request.begun = true;
        if let Some(name) = given_name(reply.text).filter(|_| request.verb.as_str() == "STOU") {
            request.argument = name.into();
        }
        // With a restart, servers do not agree on what they count: the whole file, or the rest of it.
        if request.deed == Deed::Download && request.position == 0 && self.image != Some(false) {
            request.whole = announced_size(reply.text).or(request.whole);
        }
        let request = request.clone();
        let saying = notes.say(Word::Activity, Stage::Told, bytes.clone()).scope(Scope::Activity);
        // How long the transfer takes is up to the network.
        let saying = saying.code(reply.code.into()).mark(Marks::PATIENT).since(since);
        let saying = saying.object(&request.argument);
        if request.deed != Deed::Listing {
            saying.position(Position::bytes(request.position).of(request.whole));
        }
        if appends(&request) {
            resumed(&request, Stage::Granted, bytes.end, notes);
        }
    }

    /// The last reply to a command.
    fn close(&mut self, request: &Request, reply: Reply<'_>, notes: &mut Notes<'_>) -> Step {
        let bytes = 0..reply.length;
        let (word, stage) = meaning(request, reply);
        let listener = listener(request, reply, notes.server().ip);
        let scope = match request.deed {
            Deed::Secure => Scope::Security,
            Deed::Restart if word == Word::Resume => Scope::Activity,
            Deed::Abort | Deed::Download | Deed::Upload | Deed::Listing => Scope::Activity,
            _ => Scope::Session,
        };
        let saying = notes.say(word, stage, bytes.clone()).scope(scope);
        let mut saying = self.worded(saying, reply);
        if request.deed.is_transfer() {
            saying = saying.since(request.extent);
        }
        match request.deed {
            Deed::User | Deed::Password | Deed::Account => {
                saying = saying.mechanism("password");
                if !self.user.is_empty() {
                    saying = saying.principal(Principal::new(&self.user));
                }
            }
            Deed::Restart if word == Word::Resume => {
                saying = saying.mechanism("ftp-rest");
                if request.position > 0 {
                    saying = saying.position(Position::bytes(request.position));
                }
            }
            Deed::Noop => saying = saying.mark(Marks::APP_PING),
            Deed::Size | Deed::File | Deed::Download | Deed::Upload | Deed::Listing
                if !request.argument.is_empty() =>
            {
                saying = saying.object(&request.argument);
            }
            _ => {}
        }
        if stage == Stage::Refused && request.begun {
            saying = saying.mark(Marks::PARTIAL);
        }
        if let Some(size) = size_told(request, reply) {
            saying = saying.position(Position::bytes(size).of(Some(size)));
        }
        if let Some(listener) = listener {
            saying.expects(Expectation { listener, role: DATA_ROLE });
        }
        self.also(request, word, reply, notes);
        self.learn(request, reply);
        let protects = ["TLS", "SSL"].iter().any(|layer| lines::holds(&request.argument, layer));
        if request.deed == Deed::Secure && reply.is_yes() && protects {
            return Self::secured(reply.length);
        }
        Step::Took(reply.length)
    }

    /// What else the last reply to a command means.
    fn also(&mut self, request: &Request, word: Word, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let bytes = 0..reply.length;
        match request.deed {
            Deed::Download | Deed::Upload if reply.is_yes() => {
                let saying =
                    notes.say(Word::Checkpoint, Stage::Granted, bytes.clone()).scope(Scope::Activity);
                let saying = saying.grade(Grade::Major).object(&request.argument).since(request.extent);
                if let Some(whole) = request.whole {
                    saying.position(Position::bytes(whole).of(request.whole));
                }
            }
            deed if deed.is_transfer() && word == Word::Authorize => {
                let saying = notes.say(Word::Activity, Stage::Refused, bytes.clone()).scope(Scope::Activity);
                saying.object(&request.argument);
            }
            _ => {}
        }
        if appends(request) && !request.begun {
            let stage = if reply.is_yes() { Stage::Granted } else { Stage::Refused };
            resumed(request, stage, bytes.end, notes);
        }
        let offers = request.verb.as_str() == "FEAT" && reply.is_yes();
        if offers && reply.texts().any(|text| text.trim_ascii().eq_ignore_ascii_case(b"REST STREAM")) {
            notes
                .say(Word::Resume, Stage::Offered, bytes.clone())
                .scope(Scope::Activity)
                .mechanism("ftp-rest");
        }
        let logs_in = matches!(request.deed, Deed::User | Deed::Password | Deed::Account | Deed::Token);
        if matches!(reply.code, 530 | 532) && !logs_in {
            notes.say(Word::Authenticate, Stage::Asked, bytes.clone());
        }
        if reply.code == 421 {
            self.open.forget();
            notes.say(Word::Interrupt, Stage::Told, bytes).mark(reply.reasons());
        }
    }

    /// What the reply changes for later commands.
    fn learn(&mut self, request: &Request, reply: Reply<'_>) {
        match request.deed {
            Deed::Restart if reply.is_no() => self.restart = 0,
            Deed::Size if reply.is_yes() => {
                let path = self.directory.path_of(&request.argument);
                self.size = size_told(request, reply).map(|size| (path, size));
            }
            Deed::Enter if reply.is_yes() => self.directory.enter(&request.argument),
            Deed::Leave if reply.is_yes() => self.directory.enter(b".."),
            Deed::Where if reply.is_yes() => self.directory.told(reply.text),
            Deed::Representation if reply.is_yes() => {
                self.image = Some(matches!(request.argument.first(), Some(b'I' | b'i' | b'L' | b'l')));
            }
            Deed::Forget if reply.is_yes() => {
                (self.user, self.directory, self.image, self.restart) = Default::default();
                self.size = None;
            }
            _ => {}
        }
    }

    /// A reply to nothing that was asked, or to something that the capture lacks.
    fn unasked(&self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let bytes = 0..reply.length;
        let (word, stage) = match reply.code {
            421 => (Word::Interrupt, Stage::Told),
            _ if !self.blind && notes.from_start() && reply.is_no() => (Word::Error, Stage::Told),
            221 if !self.blind && notes.from_start() => (Word::Release, Stage::Told),
            _ if !self.blind && notes.from_start() => (Word::Turn, Stage::Told),
            221 => (Word::Release, Stage::Granted),
            226 => (Word::Activity, Stage::Granted),
            230 => (Word::Authenticate, Stage::Granted),
            331 | 332 => (Word::Authenticate, Stage::Asked),
            530 => (Word::Authenticate, Stage::Refused),
            200..300 => (Word::Turn, Stage::Granted),
            300..400 => (Word::Turn, Stage::Asked),
            425 | 426 | 451 | 452 | 552 => (Word::Activity, Stage::Refused),
            _ => (Word::Turn, Stage::Refused),
        };
        let saying = notes.say(word, stage, bytes.clone());
        let saying = if word == Word::Activity { saying.scope(Scope::Activity) } else { saying };
        let saying = self.worded(saying, reply);
        if let Some(span) = reply.idle_limit().filter(|_| reply.code == 421) {
            saying.declares(Timer::Idle, span);
        }
        if (word, stage) == (Word::Activity, Stage::Granted) {
            notes.say(Word::Checkpoint, Stage::Granted, bytes).scope(Scope::Activity).grade(Grade::Major);
        }
    }

    /// Adds the code, the reasons and, where it matters, the words. A text that names the user stays away from files.
    fn worded<'e>(&self, saying: Saying<'e>, reply: Reply<'_>) -> Saying<'e> {
        let saying = saying.code(reply.code.into()).mark(reply.reasons());
        let speaks = reply.is_no() || matches!(reply.code, 120 | 220);
        let names = str::from_utf8(&self.user).is_ok_and(|user| lines::holds(reply.lines, user));
        if speaks && !names { saying.text(reply.text) } else { saying }
    }
}

/// What the last reply to a command says, in words of the vocabulary.
fn meaning(request: &Request, reply: Reply<'_>) -> (Word, Stage) {
    let word = match request.deed {
        Deed::User | Deed::Password | Deed::Account | Deed::Token => Word::Authenticate,
        Deed::Secure => Word::Establish,
        Deed::Restart if request.position > 0 || lines::number(&request.argument).is_none() => Word::Resume,
        Deed::Download | Deed::Upload | Deed::Listing => Word::Activity,
        Deed::Abort => Word::Interrupt,
        Deed::Noop => Word::KeepAlive,
        Deed::Quit => Word::Release,
        _ => Word::Turn,
    };
    match reply.code {
        // 350 to REST is its last word; the transfer may follow or not.
        300..400 if word == Word::Resume => (word, Stage::Granted),
        300..400 if word == Word::Establish => (Word::Authenticate, Stage::Asked),
        300..400 if word == Word::Authenticate => (word, Stage::Asked),
        300..400 if request.deed == Deed::Restart => (word, Stage::Granted),
        300..400 => (Word::Turn, Stage::Asked),
        0..300 | 600.. => (word, Stage::Granted),
        550 | 553 if matches!(word, Word::Activity | Word::Turn) && denied(reply) => {
            (Word::Authorize, Stage::Refused)
        }
        400..600 => (word, Stage::Refused),
    }
}

/// Whether a right is what was lacking: 550 says the same of a file that is not there.
fn denied(reply: Reply<'_>) -> bool {
    reply.holds(&[
        "permission",
        "denied",
        "not allowed",
        "forbidden",
        "privilege",
        "not permitted",
        "access is",
    ])
}

/// An append that goes on with what is there.
fn resumed(request: &Request, stage: Stage, length: usize, notes: &mut Notes<'_>) {
    let saying = notes.say(Word::Resume, stage, 0..length).scope(Scope::Activity).mechanism("ftp-appe");
    saying.position(Position::bytes(request.position)).object(&request.argument);
}

/// Where a data connection is going to be listened for, once the reply agreed to it. The address in 227 may be one
/// that only the server's own network knows; it is kept as said.
fn listener(
    request: &Request,
    reply: Reply<'_>,
    server: std::net::IpAddr,
) -> Option<(std::net::IpAddr, u16)> {
    match (request.deed, reply.code) {
        (Deed::Active, 200..300) => request.listener,
        (Deed::Passive, 229) => addresses::extended_port(reply.text).map(|port| (server, port)),
        (Deed::Passive, 200..300) => addresses::six_numbers(reply.text),
        _ => None,
    }
}

/// The size in the answer to SIZE (RFC 3659 §4).
fn size_told(request: &Request, reply: Reply<'_>) -> Option<u64> {
    (request.deed == Deed::Size && reply.code == 213)
        .then(|| lines::number(reply.text.trim_ascii()))
        .flatten()
}

/// The size in `150 Opening BINARY mode data connection for a.bin (30000 bytes).`
fn announced_size(text: &[u8]) -> Option<u64> {
    let start = text.iter().rposition(|octet| *octet == b'(')?;
    let (number, rest) = lines::word(text.get(start + 1..)?);
    if !rest.starts_with(b"byte") {
        return None;
    }
    lines::number(number)
}

/// The name that the server chose for STOU (RFC 1123 §4.1.2.9): `125 FILE: pppp`.
fn given_name(text: &[u8]) -> Option<&[u8]> {
    let (word, name) = lines::word(text);
    let name = name.get(..crate::limits::EVENT_TEXT_BYTES).unwrap_or(name);
    (word.eq_ignore_ascii_case(b"FILE:") && !name.is_empty()).then_some(name)
}

/// The sender's marker in `110 MARK yyyy = mmmm`, where it is a number.
fn marker(text: &[u8]) -> Option<u64> {
    let (word, rest) = lines::word(text);
    let (marker, _) = lines::word(rest);
    let marker = marker.split(|octet| *octet == b'=').next()?;
    word.eq_ignore_ascii_case(b"MARK").then(|| lines::number(marker)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts() {
        assert_eq!(
            announced_size(b"Opening BINARY mode data connection for a (1).bin (30000 bytes)."),
            Some(30_000)
        );
        assert_eq!(announced_size(b"Opening BINARY mode data connection for a (1)."), None);
        assert_eq!(announced_size(b"Data connection ("), None);
        assert_eq!(marker(b"MARK 4096 = 8192"), Some(4096));
        assert_eq!(marker(b"MARK 4096=8192"), Some(4096));
        assert_eq!(marker(b"MARK abc = 8192"), None);
        assert_eq!(given_name(b"FILE: a.1"), Some(&b"a.1"[..]));
        assert_eq!(given_name(b"Ok to send data."), None);
    }
}
