//! The fields of SMTP, by Wireshark's names.

use super::Deed;
use crate::protocols::labels::{LabelValue, Labeller};
use crate::protocols::lines;
use crate::protocols::lines::Reply;

const TITLE: &str = "Simple Mail Transfer Protocol";

/// A command: `line` without its end, in a message of this length.
pub(super) fn command(mut labels: Labeller<'_>, deed: Option<Deed>, line: &[u8], length: usize) {
    labels.protocol("smtp", TITLE, 0..length);
    labels.computed("smtp.req", "Request", LabelValue::Boolean(true));
    let (verb, rest) = lines::word(line);
    labels.text("smtp.req.command", "Command", verb, 0..verb.len());
    if rest.is_empty() {
        return;
    }
    let at = line.len() - rest.len();
    match deed {
        Some(Deed::Login) => {
            // What stands behind the mechanism is the first answer of the login.
            let (mechanism, answer) = lines::word(rest);
            labels.text("smtp.req.parameter", "Request parameter", mechanism, at..at + mechanism.len());
            if !answer.is_empty() {
                let at = line.len() - answer.len();
                labels.secret("smtp.auth.username_password", "Credentials", at..line.len());
            }
        }
        None => labels.secret("smtp.req.parameter", "Request parameter", at..line.len()),
        Some(_) => labels.text("smtp.req.parameter", "Request parameter", rest, at..line.len()),
    }
}

/// A line that answers a challenge of the login.
pub(super) fn response(mut labels: Labeller<'_>, line: &[u8], length: usize) {
    labels.protocol("smtp", TITLE, 0..length);
    labels.secret("smtp.auth.username_password", "Credentials", 0..line.len());
}

/// A reply, line by line.
pub(super) fn reply(mut labels: Labeller<'_>, reply: &Reply<'_>) {
    labels.protocol("smtp", TITLE, 0..reply.length);
    labels.computed("smtp.rsp", "Response", LabelValue::Boolean(true));
    let mut at = 0;
    while let Some((line, taken)) = reply.lines.get(at..).and_then(lines::line) {
        if let Some((code, rest)) = lines::code(line) {
            if at == 0 {
                labels.number("smtp.response.code", "Response code", u64::from(code), at..at + 3);
            }
            let text = rest.get(1..).unwrap_or_default();
            labels.text(
                "smtp.rsp.parameter",
                "Response parameter",
                text,
                (at + 4).min(at + line.len())..at + line.len(),
            );
        } else {
            labels.text("smtp.rsp.parameter", "Response parameter", line, at..at + line.len());
        }
        at += taken;
    }
}

/// A part of a mail; `ended` where its final dot is the last line of it.
pub(super) fn content(mut labels: Labeller<'_>, length: usize, ended: bool) {
    labels.protocol("smtp", TITLE, 0..length);
    labels.line("", format!("Message body, {length} bytes"), 0..length);
    if ended {
        labels.line("smtp.eom", "End of message", length.saturating_sub(3)..length);
    }
}

/// A line that is no command and no reply.
pub(super) fn other(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("smtp", TITLE, 0..length);
    labels.line("", "A line that is not understood", 0..length);
}
