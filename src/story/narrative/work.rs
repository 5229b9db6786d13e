//! What was done between the pauses: questions, answers, transfers, checkpoints.

use std::fmt::Write as _;

use super::quiet::Pause;
use super::{Line, Proof, amount, quoted};
use crate::events::{Code, Event, Grade, Marks, Position, Scope, ShortText, Stage, Word};
use crate::place::PacketRef;
use crate::story::amounts::{count, counted};
use crate::time::Timestamp;

/// Commands named in one sentence.
const COMMANDS: usize = 4;

/// The last question of a stretch: its answer, or the beginning of one.
#[derive(Debug, Clone, Copy)]
struct Asking<'e> {
    question: &'e Event,
    begun: Option<&'e Event>,
    answer: Option<&'e Event>,
}

/// What was done in one stretch.
#[derive(Debug)]
struct Stretch<'e> {
    start: Timestamp,
    first: PacketRef,
    last: PacketRef,
    commands: Vec<(ShortText, u32)>,
    asked: u32,
    answered: u32,
    refused: u32,
    told: u32,
    /// Turns seen from outside only.
    dark: u32,
    last_question: Option<Asking<'e>>,
    last_refusal: Option<&'e Event>,
    done: Vec<(&'e Event, u32)>,
    cut: Option<&'e Event>,
    minor: u32,
    major: u32,
    interrupts: Vec<&'e Event>,
}

impl<'e> Stretch<'e> {
    fn new(event: &Event) -> Self {
        Self {
            start: event.moment.time,
            first: event.extent.first,
            last: event.extent.last,
            commands: Vec::new(),
            asked: 0,
            answered: 0,
            refused: 0,
            told: 0,
            dark: 0,
            last_question: None,
            last_refusal: None,
            done: Vec::new(),
            cut: None,
            minor: 0,
            major: 0,
            interrupts: Vec::new(),
        }
    }

    fn note(&mut self, event: &'e Event) {
        self.last = self.last.max(event.extent.last);
        self.first = self.first.min(event.extent.first);
        if event.marks.has(Marks::OPAQUE) {
            self.dark = self.dark.saturating_add(event.count);
            return;
        }
        match (event.word, event.stage) {
            (Word::Checkpoint, Stage::Granted) => match event.grade {
                Some(Grade::Major) => self.major = self.major.saturating_add(event.count),
                _ => self.minor = self.minor.saturating_add(event.count),
            },
            (Word::Activity, Stage::Granted) => {
                let same = |(known, _): &(&Event, u32)| known.details().object == event.details().object;
                // The last one done stands last.
                let before = self.done.iter().position(same);
                let times = before.map_or(0, |place| self.done.remove(place).1);
                self.done.push((event, times + 1));
            }
            (Word::Activity, Stage::Told) if event.marks.has(Marks::PARTIAL) => self.cut = Some(event),
            (Word::Interrupt, _) => self.interrupts.push(event),
            _ => {}
        }
        if !event.leads() {
            return;
        }
        match event.stage {
            Stage::Asked => {
                self.asked = self.asked.saturating_add(event.count);
                self.last_question = Some(Asking { question: event, begun: None, answer: None });
                self.command(event);
            }
            Stage::Granted | Stage::Refused => {
                self.answered = self.answered.saturating_add(event.count);
                if event.stage == Stage::Refused {
                    self.refused = self.refused.saturating_add(event.count);
                    self.last_refusal = Some(event);
                }
                if let Some(asking) = &mut self.last_question
                    && asking.question.side != event.side
                {
                    asking.answer = Some(event);
                }
            }
            Stage::Told | Stage::Offered => {
                if let Some(asking) = &mut self.last_question
                    && asking.question.side != event.side
                    && event.code != Code::None
                {
                    asking.begun = Some(event);
                }
                if !event.op.is_empty() {
                    self.told = self.told.saturating_add(event.count);
                    self.command(event);
                }
            }
        }
    }

    /// Whether this is an answer to something that was asked in this stretch.
    fn waits_for(&self, event: &Event) -> bool {
        let answers = matches!(event.stage, Stage::Granted | Stage::Refused) && event.leads();
        answers && self.asked > self.answered
    }

    fn command(&mut self, event: &Event) {
        if event.op.is_empty() {
            return;
        }
        match self.commands.iter_mut().find(|(op, _)| *op == event.op) {
            Some((_, times)) => *times = times.saturating_add(event.count),
            None => self.commands.push((event.op, event.count)),
        }
    }

    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if self.asked > 1 {
            parts.push(self.questions());
        } else if self.asked == 0 && self.told > 0 {
            parts.push(format!("{}{}", counted(u64::from(self.told), "message"), self.named()));
        }
        if self.dark > 0 {
            parts.push(format!(
                "{}, seen from outside only (encrypted or not known)",
                counted(u64::from(self.dark), "turn")
            ));
        }
        parts.extend(self.last_question.map(|asking| last(asking, self.asked)));
        parts.extend(self.transfers());
        if self.minor + self.major > 0 {
            let mut points = Vec::new();
            points.extend((self.major > 0).then(|| format!("{} major", count(u64::from(self.major)))));
            points.extend((self.minor > 0).then(|| format!("{} minor", count(u64::from(self.minor)))));
            let plural = if self.minor + self.major == 1 { "" } else { "s" };
            parts.push(format!("{} checkpoint{plural} confirmed", points.join(" and ")));
        }
        if let Some(cut) = self.cut {
            let far = cut.details().position.map(|p| format!(" at {}", super::place(p))).unwrap_or_default();
            let what = cut.details().object.as_deref().map_or("its work".to_owned(), quoted);
            parts.push(format!("{what} cut{far}"));
        }
        parts.join("; ")
    }

    /// `12 questions (GET 10, POST 2), 11 answered, 2 of them refused (last 404)`.
    fn questions(&self) -> String {
        let mut text = format!("{}{}", counted(u64::from(self.asked), "question"), self.named());
        match self.answered {
            0 => text.push_str(", none answered"),
            all if all == self.asked => text.push_str(", all answered"),
            some => {
                let _ = write!(text, ", {} answered", count(u64::from(some)));
            }
        }
        if let Some(refusal) = self.last_refusal {
            let refused = count(u64::from(self.refused));
            let last = if self.refused > 1 { "last " } else { "" };
            let _ = match refusal.code {
                Code::None => write!(text, ", {refused} refused"),
                code => write!(text, ", {refused} of them refused ({last}{code})"),
            };
        }
        text
    }

    /// The commands in brackets.
    fn named(&self) -> String {
        match &self.commands[..] {
            [] => String::new(),
            [(op, _)] => format!(" ({op})"),
            several => {
                let mut named: Vec<String> =
                    several.iter().take(COMMANDS).map(|(op, times)| format!("{op} {times}")).collect();
                if several.len() > COMMANDS {
                    named.push("…".to_owned());
                }
                format!(" ({})", named.join(", "))
            }
        }
    }

    /// What was finished.
    fn transfers(&self) -> Option<String> {
        let (last, _) = self.done.last()?;
        let times: u32 = self.done.iter().map(|(_, times)| *times).sum();
        let details = last.details();
        let what = details.object.as_deref().map_or("its work".to_owned(), quoted);
        let much = details.position.map(|p: Position| format!(" ({})", amount(p))).unwrap_or_default();
        Some(match times {
            many @ 2.. if details.object.is_none() => format!("{many} done"),
            1 => format!("done: {what}{much}"),
            many => format!("{many} done, last {what}{much}"),
        })
    }
}

/// The last question, and what came of it.
fn last(asking: Asking<'_>, of: u32) -> String {
    let question = asked(asking.question);
    let question = if of > 1 { format!("last {question}") } else { question };
    match (asking.answer, asking.begun) {
        (Some(answer), _) if answer.stage == Stage::Refused && answer.code != Code::None => {
            format!("{question}, refused with {}", answer.code)
        }
        (Some(answer), _) if answer.code != Code::None => format!("{question}, answered {}", answer.code),
        (Some(answer), _) if !answer.op.is_empty() => format!("{question}, answered {}", answer.op),
        (Some(_), _) => format!("{question}, answered"),
        (None, Some(begun)) => format!("{question}, to which {} was no final answer", begun.code),
        (None, None) => format!("{question}, not answered"),
    }
}

/// A question with what it is about.
pub(in crate::story) fn asked(question: &Event) -> String {
    let mut text = match (question.op.is_empty(), question.code) {
        (false, _) => question.op.to_string(),
        (true, Code::None) => "content".to_owned(),
        (true, code) => format!("status {code}"),
    };
    if let Some(object) = &question.details().object {
        text.push(' ');
        text.push_str(&quoted(object));
    }
    text
}

/// One line for each stretch of work.
pub(super) fn active(events: &[&Event], pauses: &[Pause], lines: &mut Vec<Line>) {
    let mut open: Option<Stretch<'_>> = None;
    let mut stretches = Vec::new();
    let mut pauses = pauses.iter().peekable();
    for event in events.iter().copied().filter(|event| is_work(event)) {
        let mut rested = false;
        while pauses.next_if(|pause| event.moment.time >= pause.end).is_some() {
            rested = true;
        }
        // An answer belongs to its question, however long it took.
        if rested && !open.as_ref().is_some_and(|stretch| stretch.waits_for(event)) {
            stretches.extend(open.take());
        }
        open.get_or_insert_with(|| Stretch::new(event)).note(event);
    }
    stretches.extend(open);
    for stretch in &stretches {
        let text = stretch.sentence();
        if !text.is_empty() {
            lines.push(Line {
                time: stretch.start,
                phase: "active",
                text,
                proof: Proof::Through(stretch.first, stretch.last),
            });
        }
        lines.extend(stretch.interrupts.iter().map(|event| Line {
            time: event.moment.time,
            phase: "interrupt",
            text: interrupt(event),
            proof: Proof::Frames(vec![event.extent.last]),
        }));
    }
}

/// What interrupted, or what broke off.
fn interrupt(event: &Event) -> String {
    let side = event.side.name();
    let details = event.details();
    if !event.op.is_empty() {
        return format!("the {side} interrupts by {}{}", event.op, super::opening::said(event));
    }
    if event.code != Code::None {
        return format!("the {side} interrupts{}", super::opening::said(event));
    }
    let what = details.object.as_deref().map_or("what was under way".to_owned(), quoted);
    let far = details.position.map(|position| format!(" at {}", super::place(position))).unwrap_or_default();
    let text = details.text.as_deref().filter(|text| !text.bytes().all(|b| b.is_ascii_digit()));
    let text = text.map(|text| format!(": {}", quoted(text))).unwrap_or_default();
    format!("{what}, from the {side}, breaks off{far}{text}")
}

/// Whether it belongs to the work and neither to the beginning, the end, nor the liveness of a session.
fn is_work(event: &Event) -> bool {
    let word = matches!(
        event.word,
        Word::Turn | Word::Activity | Word::Checkpoint | Word::Authorize | Word::Error | Word::Interrupt
    );
    word && !matches!(event.scope, Scope::Transport | Scope::Security)
        || (event.word == Word::Resume && event.leads())
        || (event.scope == Scope::Subscription && matches!(event.word, Word::Establish | Word::Release))
}
