//! What a session claims: who somebody is, that earlier state goes on, that an action be done again.

use super::{Line, Proof, lasted, place, quoted, who};
use crate::events::{Code, Marks};
use crate::session::{Leg, Login, LoginResult, ResumeResult, Resumption, Session};
use crate::story::Teller;
use crate::story::amounts::counted;
use crate::time::Span;

/// Claims of one kind told of one connection; the rest is counted.
const MOST: usize = 8;

/// Logins: how, who, how often, with which result.
pub(super) fn logins(leg: &Leg, teller: &Teller<'_>, lines: &mut Vec<Line>) {
    let list = &leg.logins.list;
    for login in list.iter().take(MOST) {
        lines.push(self::login(login, teller));
    }
    if let Some(first) = list.get(MOST) {
        lines.push(Line {
            time: first.begun.time,
            phase: "login",
            text: format!("{} more", counted((list.len() - MOST) as u64, "login")),
            proof: Proof::of(&[first.begun]),
        });
    }
    if let Some(at) = leg.logins.expired.first() {
        let often = times(leg.logins.expired.len() as u32);
        lines.push(Line {
            time: at.time,
            phase: "login lost",
            text: format!("credentials that had been good are refused {often}"),
            proof: Proof::of(&[*at]),
        });
    }
}

fn login(login: &Login, teller: &Teller<'_>) -> Line {
    let mut parts = vec![login.mechanism.unwrap_or("credentials").to_owned()];
    parts.extend(login.principal.as_ref().map(|principal| who(principal, teller.hide_names)));
    let took = login.last.time.since(login.begun.time);
    let took = if took > Span::ZERO { format!(" after {}", lasted(took)) } else { String::new() };
    let (phase, result) = match login.result {
        LoginResult::Granted if login.refusals > 0 => {
            ("login ok", format!("accepted{took}, refused {} before", times(login.refusals)))
        }
        LoginResult::Granted => ("login ok", format!("accepted{took}")),
        LoginResult::Refused => {
            let said =
                login.refusal.as_ref().map(|(code, text)| status(*code, text.as_deref())).unwrap_or_default();
            let limit = if login.marks.has(Marks::LIMIT) { " (too many sessions)" } else { "" };
            let times =
                if login.refusals > 1 { format!(" {}", times(login.refusals)) } else { String::new() };
            ("login refused", format!("refused{times}{took}{said}{limit}"))
        }
        LoginResult::Unanswered => ("login open", "never answered".to_owned()),
        LoginResult::Abandoned => ("login open", "the server asked, and no credentials came".to_owned()),
    };
    parts.push(result);
    Line {
        time: login.begun.time,
        phase,
        text: parts.join(", "),
        proof: Proof::of(&[login.begun, login.last]),
    }
}

fn times(number: u32) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn status(code: Code, text: Option<&str>) -> String {
    match (code, text) {
        (Code::None, None) => String::new(),
        (Code::None, Some(text)) => format!(": {}", quoted(text)),
        (code, None) => format!(": {code}"),
        (code, Some(text)) => format!(": {code} {}", quoted(text)),
    }
}

/// Resumptions: by what, of what, from where, and what came of it.
pub(super) fn resumptions(leg: &Leg, lines: &mut Vec<Line>) {
    let list = &leg.resumptions.list;
    for resume in list.iter().take(MOST) {
        lines.push(resumption(resume));
    }
    if let Some(first) = list.get(MOST) {
        let rest = list.iter().skip(MOST);
        let granted = rest.filter(|resume| resume.result == ResumeResult::Granted).count();
        lines.push(Line {
            time: first.begun.time,
            phase: "resumption",
            text: format!(
                "{} more by {} and others, {granted} granted",
                counted((list.len() - MOST) as u64, "resumption"),
                first.mechanism
            ),
            proof: Proof::of(&[first.begun]),
        });
    }
}

fn resumption(resume: &Resumption) -> Line {
    let what = resume.object.as_deref().map(|object| format!(" {}", quoted(object))).unwrap_or_default();
    let from = resume.asked.map(|position| format!(" from {}", place(position))).unwrap_or_default();
    let asked = format!("the client asks to go on with{what}{from} by {}", resume.mechanism);
    let asked =
        if what.is_empty() { asked.replace(" with by", " by").replace(" with from", " from") } else { asked };
    let (phase, answer) = match resume.result {
        ResumeResult::Granted => match (resume.granted, resume.asked) {
            (Some(granted), Some(asked)) if granted.value != asked.value => {
                ("resumed", format!("granted, but from {}", place(granted)))
            }
            (Some(granted), None) => ("resumed", format!("granted from {}", place(granted))),
            _ => ("resumed", "granted".to_owned()),
        },
        ResumeResult::Refused if resume.state_lost => {
            ("not resumed", "refused: the server no longer knows that state".to_owned())
        }
        ResumeResult::Refused => ("not resumed", "refused".to_owned()),
        ResumeResult::Silent => ("not resumed", "passed over in silence, begun anew".to_owned()),
        ResumeResult::Unanswered => ("resuming", "never answered".to_owned()),
    };
    let mut points = vec![resume.begun];
    points.extend(resume.answered);
    Line { time: resume.begun.time, phase, text: format!("{asked}: {answer}"), proof: Proof::of(&points) }
}

/// Actions asked for a second time.
pub(super) fn repeats(session: &Session, lines: &mut Vec<Line>) {
    for repeat in session.repeats.iter().take(MOST) {
        let what = repeat.object.as_deref().map_or("the same action".to_owned(), quoted);
        let first = match repeat.first_answer {
            Some((true, _)) => "the first was granted",
            Some((false, _)) => "the first was refused",
            None => "the first had no answer yet",
        };
        let second = match repeat.second_answer {
            Some((true, _)) => "the second was granted",
            Some((false, _)) => "the second was refused",
            None => "the second has no answer",
        };
        let known = if repeat.token { "; both carry the same token" } else { "" };
        lines.push(Line {
            time: repeat.second.time,
            phase: "repeated",
            text: format!(
                "{what} is asked for again ({}) after {}: {first}, {second}{known}",
                repeat.safety.name(),
                lasted(repeat.second.time.since(repeat.first.time)),
            ),
            proof: Proof::of(&[repeat.first, repeat.second]),
        });
    }
}
