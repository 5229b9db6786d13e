//! What the server's replies mean for the commands they answer (RFC 5321 §4.3.2).

use super::{Deed, Expects, RECIPIENTS, Request, Smtp, named};
use crate::events::{Grade, Marks, Position, Principal, Scope, Side, Stage, Timer, Word};
use crate::protocols::lines::{self, Reply};
use crate::protocols::{Notes, Saying, Step};

impl Smtp {
    /// A whole reply was read.
    pub(super) fn answer(&mut self, reply: Reply<'_>, notes: &mut Notes<'_>) -> Step {
        let first = notes.from_start() && !self.answered;
        self.answered = true;
        if first || (reply.code == 220 && self.open.is_empty()) {
            self.greet(reply, notes);
            return Step::Took(reply.length);
        }
        // The final dot was in the part of the content that the capture lacks, or the server ends lines as we do not.
        let known_to_the_server = (self.torn.client && reply.code != 421) || reply.is_yes();
        if self.open.is_empty() && self.expects == Expects::Content && known_to_the_server {
            self.torn.client = false;
            self.cut_at = None;
            self.expects = Expects::Command;
            let extent = self.mail_at_hand().begun.unwrap_or_else(|| notes.extent(0..reply.length));
            let mut request = Request::new(Deed::Message, Box::default(), extent);
            request.mail = self.mail.take().map(Box::new);
            self.open.ask(request);
        }
        if let Some(request) = self.open.oldest().filter(|request| request.more > 0 && reply.code != 421) {
            request.more -= 1;
            self.one_recipient(reply, notes);
            return Step::Took(reply.length);
        }
        if let Some(request) = self.open.answered() {
            return self.close(&request, reply, notes);
        }
        self.unasked(reply, notes);
        Step::Took(reply.length)
    }

    /// The first word of the server.
    fn greet(&self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let stage = if reply.is_no() { Stage::Refused } else { Stage::Granted };
        let fatal = if reply.is_no() { Marks::FATAL } else { Marks::default() };
        let saying = notes.say(Word::Establish, stage, 0..reply.length).mark(fatal);
        self.worded(saying, reply);
    }

    /// LMTP: the mail was taken (or not) for one recipient, and others are to come.
    fn one_recipient(&self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let saying = notes.say(Word::Turn, Stage::Told, 0..reply.length).scope(Scope::Activity);
        self.worded(saying, reply);
        if reply.is_yes() {
            let saying = notes.say(Word::Checkpoint, Stage::Granted, 0..reply.length).scope(Scope::Activity);
            saying.grade(Grade::Minor);
        }
    }

    /// The last reply to a command.
    fn close(&mut self, request: &Request, reply: Reply<'_>, notes: &mut Notes<'_>) -> Step {
        let bytes = 0..reply.length;
        self.hear(request, reply);
        let (word, stage) = meaning(request.deed, reply);
        let scope = match request.deed {
            Deed::Secure => Scope::Security,
            Deed::Mail | Deed::Recipient | Deed::Data | Deed::Message | Deed::Chunk | Deed::Reset => {
                Scope::Activity
            }
            Deed::Hello | Deed::Login | Deed::Noop | Deed::Quit | Deed::Other => Scope::Session,
        };
        let saying = notes.say(word, stage, bytes.clone()).scope(scope);
        let mut saying = self.worded(saying, reply);
        match request.deed {
            Deed::Login => {
                saying = saying.mechanism(self.mechanism);
                if !self.user.is_empty() {
                    saying = saying.principal(Principal::new(&self.user));
                }
            }
            Deed::Recipient => saying = named(saying, &request.argument),
            Deed::Noop => saying = saying.mark(Marks::APP_PING),
            Deed::Message => {
                // The words hold the name under which the server keeps the mail.
                saying = saying.text(reply.text).since(request.extent);
            }
            _ => {}
        }
        if word == Word::Checkpoint {
            let grade = if request.deed == Deed::Message { Grade::Major } else { Grade::Minor };
            let mail = request.mail.as_deref().or(self.mail.as_ref());
            saying = saying.grade(grade);
            match mail {
                _ if request.deed == Deed::Chunk => _ = saying.position(Position::bytes(request.position)),
                Some(mail) => _ = saying.position(mail.recipients_accepted()),
                None => {}
            }
        }
        self.also(request, word, reply, notes);
        if request.deed == Deed::Secure && reply.code == 220 {
            return Self::secured(reply.length);
        }
        Step::Took(reply.length)
    }

    /// What the reply changes for what comes.
    fn hear(&mut self, request: &Request, reply: Reply<'_>) {
        match request.deed {
            Deed::Hello if reply.is_yes() => {
                let offered =
                    |name: &[u8]| reply.texts().any(|text| lines::word(text).0.eq_ignore_ascii_case(name));
                self.pipelining = Some(offered(b"PIPELINING"));
            }
            Deed::Login if reply.code == 334 => self.expects = Expects::Response,
            Deed::Recipient if reply.is_yes() => {
                let mail = self.mail_at_hand();
                mail.accepted += 1;
                if mail.recipients.len() < RECIPIENTS {
                    mail.recipients.push(request.argument.clone());
                }
            }
            Deed::Data if self.expects == Expects::GoAhead => {
                self.expects = if reply.code == 354 { Expects::Content } else { Expects::Command };
            }
            _ => {}
        }
    }

    /// What else the last reply to a command means.
    fn also(&mut self, request: &Request, word: Word, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let bytes = 0..reply.length;
        let partial = if self.mail.as_ref().is_some_and(|mail| mail.begun.is_some()) {
            Marks::PARTIAL
        } else {
            Marks::default()
        };
        match request.deed {
            Deed::Message => {
                if request.mail.is_none() {
                    // It was refused before all of it had come.
                    self.mail = None;
                }
                if word != Word::Activity {
                    let stage = if reply.is_yes() { Stage::Granted } else { Stage::Refused };
                    let saying = notes.say(Word::Activity, stage, bytes.clone()).scope(Scope::Activity);
                    let sender = request.mail.as_ref().map_or(&[][..], |mail| &mail.sender);
                    named(saying.since(request.extent), sender);
                }
            }
            Deed::Mail if reply.is_no() => {
                if request.begins {
                    self.mail = None;
                }
                if word == Word::Authorize {
                    notes.say(Word::Activity, Stage::Refused, bytes.clone()).scope(Scope::Activity);
                }
            }
            Deed::Mail if !request.begins && reply.is_yes() => {
                // The server let go of the mail before for this one.
                self.mail = None;
                self.mail_at_hand().sender.clone_from(&request.argument);
            }
            // A mail that was begun behind it, ahead of this answer, stays.
            Deed::Reset | Deed::Hello if reply.is_yes() && !self.open.iter().any(|later| later.begins) => {
                self.discard(partial, bytes.clone(), notes);
            }
            _ => {}
        }
        if reply.code == 530 && request.deed != Deed::Login {
            notes.say(Word::Authenticate, Stage::Asked, bytes.clone());
        }
        if reply.code == 421 {
            self.open.forget();
            notes.say(Word::Interrupt, Stage::Told, bytes).mark(reply.reasons());
        }
    }

    /// The client gave its mail up (RFC 5321 §4.1.1.5; EHLO does the same, §4.1.4).
    fn discard(&mut self, partial: Marks, bytes: std::ops::Range<usize>, notes: &mut Notes<'_>) {
        if let Some(mail) = self.mail.take() {
            let saying = notes.say(Word::Activity, Stage::Refused, bytes).scope(Scope::Activity);
            named(saying.by(Side::Client).mark(partial), &mail.sender);
        }
    }

    /// A reply to nothing that was asked, or to something that the capture lacks.
    fn unasked(&mut self, reply: Reply<'_>, notes: &mut Notes<'_>) {
        let bytes = 0..reply.length;
        let seen = !self.blind && notes.from_start();
        let (word, stage) = match reply.code {
            421 => (Word::Interrupt, Stage::Told),
            400..600 if seen => (Word::Error, Stage::Told),
            221 if seen => (Word::Release, Stage::Told),
            _ if seen => (Word::Turn, Stage::Told),
            221 => (Word::Release, Stage::Granted),
            235 => (Word::Authenticate, Stage::Granted),
            334 => (Word::Authenticate, Stage::Asked),
            535 => (Word::Authenticate, Stage::Refused),
            300..400 => (Word::Turn, Stage::Asked),
            400..600 => (Word::Turn, Stage::Refused),
            _ => (Word::Turn, Stage::Granted),
        };
        if !seen && reply.code == 354 && self.expects != Expects::Content {
            self.expects = Expects::Content;
        }
        if !seen && reply.code == 334 {
            self.expects = Expects::Response;
        }
        let mut saying = notes.say(word, stage, bytes);
        if let Some(span) = reply.idle_limit().filter(|_| reply.code == 421) {
            saying = saying.declares(Timer::Idle, span);
        }
        self.worded(saying, reply);
    }

    /// Adds the code, the reasons and, where it matters, the words. A text that names the user stays away from files.
    fn worded<'e>(&self, saying: Saying<'e>, reply: Reply<'_>) -> Saying<'e> {
        let saying = saying.code(reply.code.into()).mark(reply.reasons());
        let speaks = reply.is_no() || reply.code == 220;
        let names = str::from_utf8(&self.user).is_ok_and(|user| lines::holds(reply.lines, user));
        if speaks && !names { saying.text(reply.text) } else { saying }
    }
}

/// What the last reply to a command says, in words of the vocabulary.
fn meaning(deed: Deed, reply: Reply<'_>) -> (Word, Stage) {
    let stage = if reply.is_no() { Stage::Refused } else { Stage::Granted };
    match deed {
        Deed::Secure => (Word::Establish, stage),
        Deed::Login if (300..400).contains(&reply.code) => (Word::Authenticate, Stage::Asked),
        Deed::Login => (Word::Authenticate, stage),
        _ if (300..400).contains(&reply.code) => (Word::Turn, Stage::Asked),
        Deed::Noop => (Word::KeepAlive, stage),
        Deed::Quit => (Word::Release, stage),
        Deed::Mail | Deed::Recipient | Deed::Other if reply.is_no() && denied(reply) => {
            (Word::Authorize, stage)
        }
        Deed::Mail | Deed::Message if reply.is_no() => (Word::Activity, stage),
        Deed::Message | Deed::Recipient | Deed::Chunk if reply.is_yes() => (Word::Checkpoint, stage),
        _ => (Word::Turn, stage),
    }
}

/// Whether the server says for good that the client has no right to this: 5.7.x (RFC 3463 §3.8), or that it does not
/// relay. A 4.7.x is mostly greylisting, and denies nothing.
fn denied(reply: Reply<'_>) -> bool {
    (500..600).contains(&reply.code)
        && reply.code != 530
        && (reply.texts().any(|text| text.starts_with(b"5.7.")) || reply.holds(&["relay", "access denied"]))
}
