//! The text of a session over all its connections, as it was said: joints and holes marked, secrets masked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::amounts::{bytes, counted, moment};
use super::paint::{Paint, Tone};
use super::{Look, origin};
use crate::analysis::Analysis;
use crate::escape;
use crate::events::{Connection, ConnectionKey, Endpoint, PerSide, Side};
use crate::inspect::secrets::{End, MASK, Masker};
use crate::inspect::{Piece, Said};
use crate::limits::MESSAGE_BYTES;
use crate::names::Names;
use crate::place::PacketRef;
use crate::session::{Login, Role, Session, SessionLeg};
use crate::time::{Span, Timestamp};

/// How the bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Lines of text, secrets masked; what is no text in short as hex.
    #[default]
    Text,
    /// All bytes as hex and as signs, secrets too.
    Hex,
    /// The bytes as they are, and nothing else.
    Raw,
}

/// Bytes of one run without text that the text view shows.
const BINARY: usize = 64;
/// A pause from which on it is marked.
const PAUSE: Span = Span::from_secs(5);

/// Writes what is heard of a session.
#[derive(Debug)]
pub struct Follower<'a> {
    names: &'a Names,
    view: View,
    only: Option<Side>,
    show_tokens: bool,
    look: Look,
    origin: Timestamp,
    several_captures: bool,
    legs: BTreeMap<ConnectionKey, (&'a SessionLeg, &'a Connection)>,
    talks: BTreeMap<ConnectionKey, Talk>,
    /// Who spoke last, and when.
    last: Option<(ConnectionKey, Side, Timestamp)>,
    /// The connection to which the last line belongs.
    shown: Option<ConnectionKey>,
}

/// What is not written yet of a connection.
#[derive(Debug)]
struct Talk {
    masker: Masker,
    pending: PerSide<Vec<u8>>,
    /// Bytes without text since the last text of this side.
    binary: PerSide<u64>,
    offset: PerSide<u64>,
    /// What waits belongs to a form by which somebody logs in.
    form: PerSide<bool>,
}

impl<'a> Follower<'a> {
    /// Follows a session; `only` one side of it, or both.
    pub fn new(
        analysis: &'a Analysis,
        session: &'a Session,
        view: View,
        only: Option<Side>,
        show_tokens: bool,
        look: Look,
    ) -> Self {
        let legs = session.legs.iter().filter_map(|part| {
            let connection = analysis.connections.get(part.connection as usize)?;
            Some((part.leg.key, (part, connection)))
        });
        Self {
            names: &analysis.options.names,
            view,
            only,
            show_tokens,
            look,
            origin: origin(analysis),
            several_captures: analysis.files.len() > 1,
            legs: legs.collect(),
            talks: BTreeMap::new(),
            last: None,
            shown: None,
        }
    }

    /// An end of a connection, by its name where the user gave it one.
    fn named(&self, end: Endpoint) -> String {
        escape::terminal(&self.names.in_text(&end.to_string()))
    }

    /// Writes the next piece.
    ///
    /// # Errors
    /// What the writer says.
    pub fn piece(&mut self, piece: &Piece, out: &mut dyn Write) -> io::Result<()> {
        let heard = self.only.is_none_or(|only| only == piece.side);
        if self.view == View::Raw {
            return match &piece.said {
                Said::Bytes(bytes) if heard => out.write_all(bytes),
                _ => Ok(()),
            };
        }
        self.joint(piece, out)?;
        match &piece.said {
            Said::Opens => {}
            Said::Bytes(_) | Said::Missing(_) if !heard => {}
            Said::Bytes(bytes) => self.bytes(piece, bytes, out)?,
            Said::Missing(length) => {
                self.flush(piece.connection, piece.side, End::Cut, out)?;
                let what = format!(
                    "!! {} of the {} not in the capture",
                    counted(*length, "byte"),
                    piece.side.name()
                );
                self.mark(Tone::Odd, &what, piece.at, out)?;
            }
            Said::Closes | Said::Resets => {
                self.flush(piece.connection, piece.side, End::Cut, out)?;
                if piece.said == Said::Resets {
                    self.flush(piece.connection, piece.side.other(), End::Cut, out)?;
                }
                let verb = if piece.said == Said::Closes { "closes" } else { "resets" };
                let id = self.legs.get(&piece.connection).map_or(0, |(part, _)| part.connection);
                let time = moment(piece.time, self.origin, self.look.clock);
                let what = format!("== {time}  the {} {verb} connection #{id}", piece.side.name());
                self.mark(Tone::Aside, &what, piece.at, out)?;
            }
        }
        Ok(())
    }

    /// Writes what waited for more.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let keys: Vec<ConnectionKey> = self.talks.keys().copied().collect();
        for key in keys {
            for side in Side::BOTH {
                self.flush(key, side, End::Cut, out)?;
            }
        }
        Ok(())
    }

    /// Marks where a connection begins, where another one speaks, and where nobody spoke.
    fn joint(&mut self, piece: &Piece, out: &mut dyn Write) -> io::Result<()> {
        let before = self.last;
        let Some((part, connection)) = self.legs.get(&piece.connection).copied() else { return Ok(()) };
        if let Some((key, side, time)) = before {
            // What a side says without ending its line (a prompt, a body) has to stand before the answer.
            let spoken = matches!(piece.said, Said::Bytes(_));
            if spoken && key == piece.connection && side != piece.side && !self.waits(key, side) {
                self.flush(key, side, End::Turn, out)?;
            }
            let pause = piece.time.since(time);
            if pause >= PAUSE {
                writeln!(out, ".. {pause} without a word")?;
            }
        }
        if !self.talks.contains_key(&piece.connection) {
            let talk = Talk {
                masker: Masker::new(self.show_tokens),
                pending: PerSide::default(),
                binary: PerSide::default(),
                offset: PerSide::default(),
                form: PerSide::default(),
            };
            self.talks.insert(piece.connection, talk);
            let what = if part.leg.role == Role::Data { "data connection" } else { "connection" };
            let by = part
                .stitch
                .map(|stitch| format!(", joined by {} ({})", stitch.by.name(), stitch.by.strength().letter()))
                .unwrap_or_default();
            let unseen =
                if connection.visibility.began_before { ", its beginning not in the capture" } else { "" };
            let time = moment(piece.time, self.origin, self.look.clock);
            let text = format!(
                "== {time}  {what} #{}: {} -> {}{by}{unseen}",
                part.connection,
                self.named(connection.client),
                self.named(connection.server)
            );
            self.mark(Tone::Heading, &text, piece.at, out)?;
            self.shown = Some(piece.connection);
        }
        self.last = Some((piece.connection, piece.side, piece.time));
        Ok(())
    }

    fn mark(&self, tone: Tone, text: &str, at: PacketRef, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint { on: self.look.colour };
        let frame =
            if self.several_captures { format!("{}:{}", at.file.0, at.frame) } else { at.frame.to_string() };
        writeln!(out, "{} [frame {frame}]", paint.tone(tone, text))
    }

    /// Writes lines of a connection, and before them, where another one spoke last, that this one does now.
    fn lines(&mut self, key: ConnectionKey, lines: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.shown.is_some_and(|shown| shown != key)
            && let Some((part, _)) = self.legs.get(&key)
        {
            writeln!(out, "-- on connection #{}", part.connection)?;
        }
        self.shown = Some(key);
        out.write_all(lines)
    }

    fn bytes(&mut self, piece: &Piece, new: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let mut lines = Vec::new();
        let full = self.hear(piece, new, &mut lines)?;
        self.lines(piece.connection, &lines, out)?;
        if full { self.flush(piece.connection, piece.side, End::Cut, out) } else { Ok(()) }
    }

    /// Takes the next bytes and makes lines of them; tells whether what waits for its end is too much to be kept.
    fn hear(&mut self, piece: &Piece, new: &[u8], out: &mut Vec<u8>) -> io::Result<bool> {
        let side = piece.side;
        let login = self.login(piece);
        let form = login.is_some_and(|login| login.mechanism == Some("form"));
        let readable = self.legs.get(&piece.connection).is_some_and(|(part, _)| part.leg.readable > 0);
        let hidden = match (login.is_some(), readable || self.show_tokens) {
            (true, _) => Hidden::Login,
            (false, false) => Hidden::Unknown,
            (false, true) => Hidden::No,
        };
        let Some(talk) = self.talks.get_mut(&piece.connection) else { return Ok(false) };
        if self.view == View::Hex {
            let offset = talk.offset[side];
            talk.offset[side] += new.len() as u64;
            return hex(side, offset, new, out).map(|()| false);
        }
        talk.pending[side].extend_from_slice(new);
        loop {
            let pending = &talk.pending[side];
            let Some(end) = memchr::memchr(b'\n', pending) else { break };
            let line = pending.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match text(line) {
                Text::Yes(line) => {
                    let line = talk.masker.line(side, line, End::Line);
                    binary_end(&mut talk.binary[side], side, out)?;
                    writeln!(out, "{} {}", arrow(side), escape::terminal(&line))?;
                    talk.pending[side].drain(..=end);
                }
                Text::No | Text::Unfinished => {
                    let all = std::mem::take(&mut talk.pending[side]);
                    binary(&mut talk.binary[side], side, &all, hidden, out)?;
                }
            }
        }
        talk.form[side] = form && !talk.pending[side].is_empty();
        let rest = &talk.pending[side];
        if matches!(text(rest), Text::No) {
            let all = std::mem::take(&mut talk.pending[side]);
            binary(&mut talk.binary[side], side, &all, hidden, out)?;
            return Ok(false);
        }
        Ok(rest.len() > MESSAGE_BYTES)
    }

    /// The login that lies in this frame: what is not text there may be a password.
    fn login(&self, piece: &Piece) -> Option<&'a Login> {
        let (part, _) = self.legs.get(&piece.connection)?;
        let login = part
            .leg
            .logins
            .list
            .iter()
            .find(|login| (login.begun.first.number..=login.last.last.number).contains(&piece.at.number));
        login.filter(|_| piece.side == Side::Client)
    }

    /// Whether what a side has not ended yet may be the beginning of a secret's name.
    fn waits(&self, key: ConnectionKey, side: Side) -> bool {
        let pending = self.talks.get(&key).map(|talk| text(&talk.pending[side]));
        matches!(pending, Some(Text::Yes(piece)) if Masker::may_go_on(piece))
    }

    /// Writes what waited for the end of its line.
    fn flush(&mut self, key: ConnectionKey, side: Side, end: End, out: &mut dyn Write) -> io::Result<()> {
        let Some(talk) = self.talks.get_mut(&key) else { return Ok(()) };
        let mut lines = Vec::new();
        let rest = std::mem::take(&mut talk.pending[side]);
        let form = std::mem::take(&mut talk.form[side]);
        match text(&rest) {
            _ if rest.is_empty() => {}
            Text::Yes(_) if form => {
                binary_end(&mut talk.binary[side], side, &mut lines)?;
                let length = bytes(rest.len() as u64);
                writeln!(lines, "{} {MASK} ({length} of a login form)", arrow(side))?;
            }
            Text::Yes(line) => {
                let line = talk.masker.line(side, line, end);
                binary_end(&mut talk.binary[side], side, &mut lines)?;
                writeln!(lines, "{} {}", arrow(side), escape::terminal(&line))?;
            }
            Text::Unfinished | Text::No => {
                binary(&mut talk.binary[side], side, &rest, Hidden::No, &mut lines)?;
            }
        }
        binary_end(&mut talk.binary[side], side, &mut lines)?;
        self.lines(key, &lines, out)
    }
}

fn arrow(side: Side) -> &'static str {
    match side {
        Side::Client => "->",
        Side::Server => "<-",
    }
}

/// Whether bytes are text for people.
enum Text<'b> {
    Yes(&'b str),
    /// They end within a character.
    Unfinished,
    No,
}

fn text(bytes: &[u8]) -> Text<'_> {
    let odd = |b: &u8| (*b < 0x20 && !matches!(b, b'\t' | b'\r' | 0x1b)) || *b == 0x7f;
    if bytes.iter().any(odd) {
        return Text::No;
    }
    match str::from_utf8(bytes) {
        Ok(text) => Text::Yes(text),
        Err(error) if error.error_len().is_none() => Text::Unfinished,
        Err(_) => Text::No,
    }
}

/// Why bytes are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    /// They are.
    No,
    /// They belong to a login.
    Login,
    /// Nobody knows what is in them.
    Unknown,
}

/// Bytes that are no text: the first of a run as hex, the rest counted.
fn binary(run: &mut u64, side: Side, all: &[u8], hidden: Hidden, out: &mut dyn Write) -> io::Result<()> {
    let length = bytes(all.len() as u64);
    // Records of TLS say nothing to the eye.
    let sealed = matches!(all, [0x14..=0x18, 3, 0..=4, ..]);
    match hidden {
        Hidden::Login => return writeln!(out, "{} {MASK} ({length} of a login)", arrow(side)),
        _ if sealed && *run == 0 => {
            return writeln!(out, "{} {length}, encrypted or of a handshake", arrow(side));
        }
        Hidden::Unknown if *run == 0 => {
            *run = BINARY as u64;
            return writeln!(
                out,
                "{} {length} of a protocol that is not known (--show-secrets shows them)",
                arrow(side)
            );
        }
        Hidden::Unknown | Hidden::No => {}
    }
    let shown = BINARY.saturating_sub(usize::try_from(*run).unwrap_or(BINARY)).min(all.len());
    hex(side, *run, all.get(..shown).unwrap_or_default(), out)?;
    *run += all.len() as u64;
    Ok(())
}

/// Ends a run of bytes that are no text.
fn binary_end(run: &mut u64, side: Side, out: &mut dyn Write) -> io::Result<()> {
    if *run > BINARY as u64 {
        let more = counted(*run - BINARY as u64, "more byte");
        writeln!(out, "{} … {more} that are no text (--view hex)", arrow(side))?;
    }
    *run = 0;
    Ok(())
}

/// Lines of sixteen bytes.
fn hex(side: Side, offset: u64, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    for (index, row) in bytes.chunks(16).enumerate() {
        let digits: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
        let signs: String =
            row.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { *b as char } else { '.' }).collect();
        writeln!(
            out,
            "{} {:08x}  {:<47}  {signs}",
            arrow(side),
            offset + 16 * index as u64,
            digits.join(" ")
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_hex_are_aligned() {
        let mut out = Vec::new();
        hex(Side::Server, 16, b"0123456789abcdef\x1b[2J", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<- 00000010  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n\
             <- 00000020  1b 5b 32 4a                                      .[2J\n"
        );
    }

    #[test]
    fn what_is_text_is_told_from_what_is_not() {
        assert!(matches!(text(b"GET / HTTP/1.1"), Text::Yes(_)));
        assert!(matches!(text("grün".as_bytes()), Text::Yes(_)));
        assert!(matches!(text(b"gr\xc3"), Text::Unfinished));
        assert!(matches!(text(b"\x10\x1a\x00\x04MQTT"), Text::No));
        assert!(matches!(text(b"a\xffb"), Text::No));
    }
}
