//! The fields of FTP, by Wireshark's names.

use super::commands::Deed;
use crate::protocols::labels::{LabelValue, Labeller};
use crate::protocols::lines;
use crate::protocols::lines::Reply;

const TITLE: &str = "File Transfer Protocol (FTP)";

/// A command: `line` without its end, `lead` bytes behind the beginning of the message that is `length` long.
pub(super) fn command(
    mut labels: Labeller<'_>,
    deed: Option<Deed>,
    line: &[u8],
    (lead, length): (usize, usize),
) {
    labels.protocol("ftp", TITLE, 0..length);
    labels.computed("ftp.request", "Request", LabelValue::Boolean(true));
    labels.computed("ftp.response", "Response", LabelValue::Boolean(false));
    let (verb, rest) = lines::word(line);
    labels.text("ftp.request.command", "Request command", verb, lead..lead + verb.len());
    if rest.is_empty() {
        return;
    }
    let at = lead + line.len() - rest.len();
    let bytes = at..at + rest.len();
    match deed {
        // An unknown command may be a password that was typed in the wrong place.
        Some(Deed::Password | Deed::Account | Deed::Token) | None => {
            labels.secret("ftp.request.arg", "Request arg", bytes);
        }
        Some(_) => labels.text("ftp.request.arg", "Request arg", rest, bytes),
    }
}

/// A reply, line by line.
pub(super) fn reply(mut labels: Labeller<'_>, reply: &Reply<'_>) {
    labels.protocol("ftp", TITLE, 0..reply.length);
    labels.computed("ftp.request", "Request", LabelValue::Boolean(false));
    labels.computed("ftp.response", "Response", LabelValue::Boolean(true));
    let mut at = 0;
    while let Some((line, taken)) = reply.lines.get(at..).and_then(lines::line) {
        match lines::code(line) {
            Some((code, rest)) => {
                labels.number("ftp.response.code", "Response code", u64::from(code), at..at + 3);
                let text = rest.get(1..).unwrap_or_default();
                if !text.is_empty() {
                    labels.text("ftp.response.arg", "Response arg", text, at + 4..at + line.len());
                }
            }
            None => labels.text("ftp.response.arg", "Response arg", line, at..at + line.len()),
        }
        at += taken;
    }
}

/// A line that is no command and no reply.
pub(super) fn other(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("ftp", TITLE, 0..length);
    labels.line("", "A line that is not understood", 0..length);
}
