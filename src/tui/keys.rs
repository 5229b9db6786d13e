//! The one table of keys: dispatch, the help bar, the help page and `docs/keys.md` are made from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::{Screen, Tab};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the table says what each does")]
pub enum Command {
    Down,
    Up,
    Left,
    Right,
    First,
    Last,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Open,
    Back,
    Quit,
    GoTo(u8),
    NextPane,
    PreviousPane,
    NextTab,
    PreviousTab,
    Filter,
    FilterToggle,
    FilterValue,
    FilterAnd,
    FilterNot,
    Find,
    NextHit,
    PreviousHit,
    Ladder,
    Follow,
    Packets,
    Evidence,
    Diff,
    Tag,
    TagAll,
    Mark,
    Jump,
    JumpBack,
    Note,
    Sort,
    SortAround,
    Group,
    Columns,
    CopyValue,
    CopyFilter,
    Export,
    Times,
    TimeReference,
    Zoom,
    Narrower,
    Wider,
    SamePrevious,
    SameNext,
    ToSession,
    OnlyPhases,
    SideOnly,
    View,
    Unfold,
    Acknowledge,
    Mute,
    Baseline,
    WholeWindow,
    PanLeft,
    PanRight,
    Pause,
    CommandLine,
    Help,
    Redraw,
    Suspend,
}

/// Where a key works: a set of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Where(u16);

impl Where {
    /// Everywhere.
    pub const ALL: Self = Self(u16::MAX);
    const OVERVIEW: Self = Self(1);
    const SESSIONS: Self = Self(1 << 1);
    const FINDINGS: Self = Self(1 << 2);
    const PACKETS: Self = Self(1 << 3);
    const STATS: Self = Self(1 << 4);
    const HOSTS: Self = Self(1 << 5);
    const TIMELINE: Self = Self(1 << 6);
    const LADDER: Self = Self(1 << 7);
    const EVIDENCE: Self = Self(1 << 8);
    const FOLLOW: Self = Self(1 << 9);
    const FRAMES: Self = Self(1 << 10);
    const FIELDS: Self = Self(1 << 11);
    const DIFF: Self = Self(1 << 12);
    const HELP: Self = Self(1 << 13);
    const DETAIL: Self = Self(0b11_1111 << 6);
    /// Where a session is chosen.
    const ABOUT: Self = Self(Self::SESSIONS.0 | Self::FINDINGS.0 | Self::PACKETS.0 | Self::DETAIL.0);
    const LISTS: Self = Self(Self::SESSIONS.0 | Self::FINDINGS.0 | Self::PACKETS.0);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether two sets have a place in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The place that a screen is.
    pub fn of(screen: Screen, tab: Tab) -> Self {
        match (screen, tab) {
            (Screen::Overview, _) => Self::OVERVIEW,
            (Screen::Sessions, _) => Self::SESSIONS,
            (Screen::Findings, _) => Self::FINDINGS,
            (Screen::Packets, _) => Self::PACKETS,
            (Screen::Stats, _) => Self::STATS,
            (Screen::Hosts, _) => Self::HOSTS,
            (Screen::Session(_), Tab::Timeline) => Self::TIMELINE,
            (Screen::Session(_), Tab::Ladder) => Self::LADDER,
            (Screen::Session(_), Tab::Evidence) => Self::EVIDENCE,
            (Screen::Session(_), Tab::Follow) => Self::FOLLOW,
            (Screen::Session(_), Tab::Packets) => Self::FRAMES,
            (Screen::Session(_), Tab::Fields) => Self::FIELDS,
            (Screen::Diff(..), _) => Self::DIFF,
            (Screen::Help, _) => Self::HELP,
        }
    }

    /// The places by name, for the documents.
    fn names(self) -> Vec<&'static str> {
        const NAMES: [(Where, &str); 14] = [
            (Where::OVERVIEW, "overview"),
            (Where::SESSIONS, "sessions"),
            (Where::FINDINGS, "findings"),
            (Where::PACKETS, "packets"),
            (Where::STATS, "stats"),
            (Where::HOSTS, "hosts"),
            (Where::TIMELINE, "timeline"),
            (Where::LADDER, "ladder"),
            (Where::EVIDENCE, "evidence"),
            (Where::FOLLOW, "follow"),
            (Where::FRAMES, "packets of a session"),
            (Where::FIELDS, "fields"),
            (Where::DIFF, "diff"),
            (Where::HELP, "help"),
        ];
        if self == Self::ALL {
            return vec!["everywhere"];
        }
        NAMES.iter().filter(|(place, _)| self.meets(*place)).map(|(_, name)| *name).collect()
    }
}

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Keys that do it, each a sequence of names with blanks between; `*` is any letter.
    pub keys: &'static [&'static str],
    /// What they do.
    pub command: Command,
    /// Its name in `:map` and in the configuration.
    pub name: &'static str,
    /// Where.
    pub places: Where,
    /// A word for the help bar; empty where it is too common to be told there.
    pub short: &'static str,
    /// A line for the help page.
    pub about: &'static str,
}

macro_rules! keys {
    ($($command:expr, $name:literal, [$($key:literal),+], $places:expr, $short:literal, $about:literal;)+) => {
        /// All bindings. Where two fit, the first that works in the place wins.
        pub static KEYS: &[Binding] = &[$({
            use Command::*;
            Binding {
                keys: &[$($key),+], command: $command, name: $name, places: $places, short: $short, about: $about,
            }
        }),+];
    };
}

keys! {
    Open, "open", ["Enter"], Where::ALL, "open", "open what the cursor is on: every number and every frame can be entered";
    Back, "back", ["Esc", "q"], Where::ALL, "back", "back to where you came from; while reading, the first screen's Esc stops it";
    Quit, "quit", ["Q", "Z Z", "Ctrl-c"], Where::ALL, "", "quit";
    Down, "down", ["j", "Down"], Where::ALL, "", "down, with a number before it so many rows";
    Up, "up", ["k", "Up"], Where::ALL, "", "up";
    SamePrevious, "same-previous", ["<"], Where::PACKETS.and(Where::FRAMES), "", "the packet before of the same session";
    SameNext, "same-next", [">"], Where::PACKETS.and(Where::FRAMES), "same session", "the next packet of the same session";
    PanLeft, "pan-left", ["h", "Left"], Where::TIMELINE, "pan", "look at earlier times";
    PanRight, "pan-right", ["l", "Right"], Where::TIMELINE, "", "look at later times";
    Left, "left", ["h", "Left"], Where::ABOUT, "", "fold a field; the frame before of a row that cites several";
    Right, "right", ["l", "Right"], Where::ABOUT, "", "unfold a field; the next frame of a row";
    First, "first", ["g g", "Home"], Where::ALL, "", "the first row";
    Last, "last", ["G", "End"], Where::ALL, "", "the last row; with a number before it that row, or that packet";
    HalfDown, "half-down", ["Ctrl-d"], Where::ALL, "", "half a page down";
    HalfUp, "half-up", ["Ctrl-u"], Where::ALL, "", "half a page up";
    PageDown, "page-down", ["PageDown"], Where::ALL, "", "a page down";
    PageUp, "page-up", ["PageUp"], Where::ALL, "", "a page up";
    GoTo(1), "overview", ["1"], Where::ALL, "", "overview";
    GoTo(2), "sessions", ["2"], Where::ALL, "", "sessions";
    GoTo(3), "findings", ["3"], Where::ALL, "", "findings";
    GoTo(4), "packets", ["4"], Where::ALL, "", "packets";
    GoTo(5), "stats", ["5"], Where::ALL, "", "stats";
    GoTo(6), "hosts", ["6"], Where::ALL, "", "hosts";
    NextPane, "next-pane", ["Tab"], Where::ALL, "pane", "the next pane";
    PreviousPane, "previous-pane", ["BackTab"], Where::ALL, "", "the pane before";
    Pause, "pause", ["P"], Where::OVERVIEW, "hold", "hold the reading, or let it go on";
    NextTab, "next-tab", ["]"], Where::DETAIL.and(Where::STATS), "tab", "the next tab";
    PreviousTab, "previous-tab", ["["], Where::DETAIL.and(Where::STATS), "", "the tab before";
    Filter, "filter", ["/"], Where::LISTS, "filter", "show only what a display filter lets through; Tab completes, Ctrl-U clears, Esc keeps the last good one";
    Find, "find-text", ["/"], Where::DETAIL.and(Where::STATS).and(Where::HOSTS).and(Where::DIFF).and(Where::HELP).and(Where::OVERVIEW), "find", "find a text in the pane";
    Find, "find", ["Ctrl-f"], Where::ALL, "find", "find a text, /a regular expression/ or hex:16 03 in the pane; in a list of packets in their bytes, too";
    NextHit, "next", ["n"], Where::ALL, "next finding", "the next hit of what was looked for; without, the next row with a finding";
    PreviousHit, "previous", ["N"], Where::ALL, "", "the one before";
    Ladder, "ladder", ["L"], Where::ABOUT, "ladder", "the ladder of the session";
    Follow, "follow", ["f"], Where::ABOUT, "follow", "the text of the session, secrets masked";
    Packets, "show-packets", ["p"], Where::ABOUT, "packets", "the packets of the session";
    Evidence, "evidence", ["e"], Where::ABOUT, "evidence", "the findings of the session with their frames";
    Diff, "diff", ["d"], Where::SESSIONS.and(Where::DETAIL), "diff", "beside the tagged session, or the nearest healthy one with the same server";
    ToSession, "to-session", ["i"], Where::PACKETS.and(Where::FINDINGS).and(Where::DIFF), "session", "to the session";
    Tag, "tag", ["Space"], Where::LISTS, "tag", "tag the row";
    TagAll, "tag-all", ["*"], Where::LISTS, "", "tag all rows shown, or none of them";
    Mark, "mark", ["m *"], Where::ALL, "", "mark this place with a letter";
    JumpBack, "jump-back", ["' '"], Where::ALL, "", "where you were before the last jump";
    Jump, "jump", ["' *"], Where::ALL, "", "to the place marked with a letter";
    Note, "note", ["A"], Where::ABOUT, "", "a note on the session or the packet";
    Sort, "sort", ["s"], Where::SESSIONS.and(Where::FINDINGS).and(Where::HOSTS).and(Where::STATS), "sort", "sort by the next column";
    SortAround, "sort-around", ["S"], Where::SESSIONS.and(Where::FINDINGS).and(Where::HOSTS).and(Where::STATS), "", "sort the other way round";
    Group, "group", ["="], Where::SESSIONS.and(Where::FINDINGS), "group", "sessions by server, user, rule, identity; findings by rule, server, session";
    Columns, "columns", ["c"], Where::LISTS, "", "choose the columns";
    FilterValue, "only", ["F"], Where::LISTS.and(Where::STATS).and(Where::HOSTS), "only these", "show only rows with the value under the cursor";
    FilterAnd, "only-and", ["+ F"], Where::LISTS.and(Where::STATS).and(Where::HOSTS), "", "the same, beside what is shown only already";
    FilterNot, "only-not", ["- F"], Where::LISTS.and(Where::STATS).and(Where::HOSTS), "", "hide the rows with the value under the cursor";
    FilterToggle, "filter-toggle", ["\\"], Where::LISTS, "", "the filter off, and on again";
    CopyValue, "copy", ["y"], Where::ALL, "copy", "copy the row or the value (OSC 52: also over ssh)";
    CopyFilter, "copy-filter", ["Y"], Where::ABOUT, "Wireshark", "copy the Wireshark filter that shows it";
    Export, "export", ["x"], Where::ABOUT, "export", "write what is tagged, or shown, to a file";
    Times, "times", ["t"], Where::ALL, "times", "times since the first frame, since the row before, in UTC, local";
    TimeReference, "time-reference", ["T"], Where::SESSIONS.and(Where::PACKETS).and(Where::DETAIL), "", "count times from the row under the cursor, or again from the first frame";
    Narrower, "zoom-out", ["<"], Where::TIMELINE, "", "a longer time";
    Wider, "zoom-in", [">"], Where::TIMELINE, "zoom", "a shorter time";
    WholeWindow, "whole-time", ["0"], Where::TIMELINE, "whole", "the whole capture";
    OnlyPhases, "only-phases", ["o"], Where::LADDER, "only turning points", "only rows that mean something in the session";
    Unfold, "unfold", ["u"], Where::LADDER, "unfold", "every turn, however often it comes; and each once again";
    Acknowledge, "acknowledge", ["a"], Where::FINDINGS, "seen", "acknowledge: you have seen it; kept with the capture, and no gate asks it";
    Baseline, "baseline", ["b"], Where::FINDINGS, "baseline", "write the findings into the baseline: they are known, and `check --baseline` passes them";
    Mute, "mute", ["M"], Where::FINDINGS, "mute", "write a mute of the rule into the policy, with a reason";
    SideOnly, "one-side", ["c"], Where::FOLLOW, "client/server", "only the client, only the server, both";
    View, "view", ["v"], Where::FOLLOW, "text/hex", "as text, as hex";
    Zoom, "zoom", ["z"], Where::ALL, "zoom", "this pane alone, and back";
    Narrower, "narrower", ["<"], Where::ALL, "", "less room for this pane";
    Wider, "wider", [">"], Where::ALL, "", "more room for this pane";
    CommandLine, "command", [":"], Where::ALL, "command", "a command; Tab completes";
    Help, "help", ["?", "F1"], Where::ALL, "help", "the keys of this place";
    Redraw, "redraw", ["Ctrl-l"], Where::ALL, "", "draw the screen anew";
    Suspend, "suspend", ["Ctrl-z"], Where::ALL, "", "to the shell; `fg` comes back";
}

/// Bindings that the user changed: sequences to names of commands.
pub type Remapped = BTreeMap<String, &'static str>;

/// Keys that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Profile {
    /// As the table says.
    #[default]
    Default,
    /// Where the table gives a key of vim another meaning, that of vim.
    Vim,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Default, Self::Vim];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Vim => "vim",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its keys that are bound otherwise than the table says.
    pub fn keys(self) -> Remapped {
        const VIM: [(&str, &str); 6] = [
            ("Ctrl-f", "page-down"),
            ("Ctrl-b", "page-up"),
            ("g /", "find"),
            ("g t", "next-tab"),
            ("g T", "previous-tab"),
            ("Ctrl-o", "jump-back"),
        ];
        let pairs: &[(&str, &'static str)] = match self {
            Self::Default => &[],
            Self::Vim => &VIM,
        };
        pairs.iter().map(|(keys, name)| ((*keys).to_owned(), *name)).collect()
    }
}

/// A binding that the user wants: a sequence of keys with blanks between, and a command's name.
///
/// # Errors
/// What is wrong with it, with the nearest that is right.
pub fn binding(keys: &str, name: &str) -> Result<(String, &'static str), String> {
    let Some(binding) = KEYS.iter().find(|binding| binding.name == name) else {
        let near = nearest(name, KEYS.iter().map(|binding| binding.name));
        let near = near.map(|near| format!(": did you mean {near:?}?")).unwrap_or_default();
        return Err(format!("{keys}: there is no command {name:?}{near}"));
    };
    let mut known = Vec::new();
    for key in keys.split_whitespace() {
        if event(key).is_none() {
            let names = KEYS.iter().flat_map(|binding| binding.keys).flat_map(|keys| keys.split(' '));
            let near = nearest(key, names.filter(|name| name.len() > 1));
            let near = near.map(|near| format!(": did you mean {near:?}?")).unwrap_or_default();
            return Err(format!("there is no key {key:?}{near}; keys are written j, Ctrl-d, F2, g g"));
        }
        known.push(key);
    }
    if known.is_empty() {
        return Err(format!("{name}: which key?"));
    }
    Ok((known.join(" "), binding.name))
}

/// Bindings that the user wants, as a configuration holds them: pairs of keys and names of commands.
///
/// # Errors
/// What is wrong with each of those that are not understood.
pub fn bindings<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Remapped, Vec<String>> {
    let (mut all, mut wrong) = (Remapped::new(), Vec::new());
    for (keys, name) in pairs {
        match binding(keys, name) {
            Ok((keys, name)) => {
                all.insert(keys, name);
            }
            Err(why) => wrong.push(why),
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(wrong) }
}

/// The name that is most like a word, where one is.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let like = |name: &str| strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase());
    let likes = names.map(|name| (like(name), name)).filter(|(like, _)| *like > 0.75);
    likes.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1))).map(|(_, name)| name)
}

/// What the keys typed so far mean in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// This command, with the letter that stood for `*`.
    Command(Command, Option<char>),
    /// The beginning of one.
    More,
    /// Nothing.
    Nothing,
}

/// What a sequence of keys means.
pub fn meant(typed: &[String], place: Where, remapped: &Remapped) -> Meant {
    let sequence = typed.join(" ");
    if let Some(name) = remapped.get(&sequence)
        && let Some(binding) =
            KEYS.iter().find(|binding| binding.name == *name && binding.places.meets(place))
    {
        return Meant::Command(binding.command, None);
    }
    let mut begun = remapped.keys().any(|keys| keys.starts_with(&format!("{sequence} ")));
    for binding in KEYS.iter().filter(|binding| binding.places.meets(place)) {
        for keys in binding.keys.iter().filter(|keys| !remapped.contains_key(**keys)) {
            match fits(typed, keys) {
                Meant::Command(_, letter) => return Meant::Command(binding.command, letter),
                Meant::More => begun = true,
                Meant::Nothing => {}
            }
        }
    }
    if begun { Meant::More } else { Meant::Nothing }
}

fn fits(typed: &[String], keys: &str) -> Meant {
    let mut letter = None;
    let mut names = keys.split(' ');
    for key in typed {
        match names.next() {
            // A star alone is the key of that name.
            Some("*") if keys != "*" => match key.chars().next() {
                Some(c) if key.chars().count() == 1 && c.is_alphanumeric() => letter = Some(c),
                _ => return Meant::Nothing,
            },
            Some(name) if name == key => {}
            _ => return Meant::Nothing,
        }
    }
    if names.next().is_some() { Meant::More } else { Meant::Command(Command::Open, letter) }
}

/// The name of a key as the table writes it.
pub fn name(key: KeyEvent) -> Option<String> {
    let plain = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) => {
            if key.modifiers.contains(KeyModifiers::CONTROL) {
                return Some(format!("Ctrl-{}", c.to_ascii_lowercase()));
            }
            c.to_string()
        }
        KeyCode::Enter => "Enter".to_owned(),
        KeyCode::Esc => "Esc".to_owned(),
        KeyCode::Tab => "Tab".to_owned(),
        KeyCode::BackTab => "BackTab".to_owned(),
        KeyCode::Backspace => "Backspace".to_owned(),
        KeyCode::Delete => "Delete".to_owned(),
        KeyCode::Up => "Up".to_owned(),
        KeyCode::Down => "Down".to_owned(),
        KeyCode::Left => "Left".to_owned(),
        KeyCode::Right => "Right".to_owned(),
        KeyCode::Home => "Home".to_owned(),
        KeyCode::End => "End".to_owned(),
        KeyCode::PageUp => "PageUp".to_owned(),
        KeyCode::PageDown => "PageDown".to_owned(),
        KeyCode::F(number) => format!("F{number}"),
        _ => return None,
    };
    Some(plain)
}

/// A key by its name in the table.
pub fn event(name: &str) -> Option<KeyEvent> {
    let (name, modifiers) = match name.strip_prefix("Ctrl-") {
        Some(rest) => (rest, KeyModifiers::CONTROL),
        None => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "Space" => KeyCode::Char(' '),
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        name => match (name.strip_prefix('F').and_then(|number| number.parse().ok()), name.chars().next()) {
            (Some(number), _) => KeyCode::F(number),
            (None, Some(c)) if name.chars().count() == 1 => KeyCode::Char(c),
            _ => return None,
        },
    };
    Some(KeyEvent::new(code, modifiers))
}

/// Keys as people read them: `gg`, `ma`, `Ctrl-d`.
pub fn spoken(keys: &str) -> String {
    if keys == "*" {
        return keys.to_owned();
    }
    keys.split(' ').map(|key| if key == "*" { "a" } else { key }).collect()
}

/// The keys that a binding really has now.
pub fn bound(binding: &Binding, remapped: &Remapped) -> Vec<String> {
    let own = binding.keys.iter().filter(|keys| !remapped.contains_key(**keys)).map(|keys| spoken(keys));
    let more = remapped.iter().filter(|(_, name)| **name == binding.name).map(|(keys, _)| spoken(keys));
    own.chain(more).collect()
}

/// The bindings that work in a place, each key told once.
pub fn here(place: Where) -> Vec<&'static Binding> {
    let mut taken: Vec<&str> = Vec::new();
    let mut list = Vec::new();
    for binding in KEYS.iter().filter(|binding| binding.places.meets(place)) {
        if binding.keys.iter().all(|keys| taken.contains(keys)) {
            continue;
        }
        taken.extend(binding.keys);
        list.push(binding);
    }
    list
}

/// The help bar of a place: as many words as there is room for, those that only work here first.
pub fn bar(place: Where, remapped: &Remapped, cells: usize) -> String {
    let mut list: Vec<&Binding> =
        here(place).into_iter().filter(|binding| !binding.short.is_empty()).collect();
    list.sort_by_key(|binding| (binding.command != Command::Open, binding.places == Where::ALL));
    let mut text = String::new();
    for binding in list {
        let Some(key) = bound(binding, remapped).into_iter().next() else { continue };
        let word = format!("{key} {}", binding.short);
        let gap = if text.is_empty() { 0 } else { 2 };
        if text.chars().count() + gap + word.chars().count() > cells {
            continue;
        }
        text.push_str(&" ".repeat(gap));
        text.push_str(&word);
    }
    text
}

/// The document of all keys.
pub fn document() -> String {
    let mut text = String::from(
        "# Keys\n\nMade from the table in `src/tui/keys.rs`; `?` shows those of the place you are in, as they are bound then.\n\
         Every key can be bound anew: `:map KEY COMMAND`, with the command's name from this table; `:set profile vim` gives \
         back to vim's keys what they mean there.\n\n\
         | keys | command | where | what it does |\n|---|---|---|---|\n",
    );
    for binding in KEYS {
        let keys: Vec<String> = binding.keys.iter().map(|keys| format!("`{}`", spoken(keys))).collect();
        let keys = keys.join(" ").replace('|', "\\|");
        let places = binding.places.names().join(", ");
        let _ = writeln!(text, "| {keys} | {} | {places} | {} |", binding.name, binding.about);
    }
    text.push_str(
        "\nMouse: a click goes to a row or a tab, a second click opens it, the wheel scrolls the pane under it; `:set nomouse` \
         gives the mouse back to the terminal, and with Shift held most terminals select text as usual.\n\n\
         `Ctrl-f` finds, as in Wireshark, and is no page down; `PageDown` is.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Vec<String> {
        keys.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn sequences_are_understood() {
        let none = Remapped::new();
        let place = Where::SESSIONS;
        for (keys, meaning) in [
            ("j", Meant::Command(Command::Down, None)),
            ("g", Meant::More),
            ("g g", Meant::Command(Command::First, None)),
            ("g x", Meant::Nothing),
            ("m a", Meant::Command(Command::Mark, Some('a'))),
            ("m Esc", Meant::Nothing),
            ("' '", Meant::Command(Command::JumpBack, None)),
            ("' b", Meant::Command(Command::Jump, Some('b'))),
            ("*", Meant::Command(Command::TagAll, None)),
            ("+ F", Meant::Command(Command::FilterAnd, None)),
            ("Z Z", Meant::Command(Command::Quit, None)),
        ] {
            assert_eq!(meant(&typed(keys), place, &none), meaning, "{keys}");
        }
    }

    #[test]
    fn a_key_can_be_bound_anew() {
        let map = Remapped::from([("j".to_owned(), "quit")]);
        assert_eq!(meant(&typed("j"), Where::SESSIONS, &map), Meant::Command(Command::Quit, None));
        assert_eq!(meant(&typed("Down"), Where::SESSIONS, &map), Meant::Command(Command::Down, None));
        let quit = KEYS.iter().find(|binding| binding.name == "quit").unwrap();
        assert_eq!(bound(quit, &map), ["Q", "ZZ", "Ctrl-c", "j"]);
    }

    #[test]
    fn bindings_of_a_configuration_are_understood_or_refused() {
        let map = bindings([("J", "page-down"), ("g  x", "export")]).unwrap();
        assert_eq!(map.get("g x"), Some(&"export"));
        let wrong =
            bindings([("J", "page-dwon"), ("Ctl-x", "quit"), ("", "quit"), ("K", "zzz")]).unwrap_err();
        assert_eq!(wrong.len(), 4);
        assert!(wrong[0].contains("did you mean \"page-down\""), "{}", wrong[0]);
        assert!(wrong[1].contains("did you mean \"Ctrl-"), "{}", wrong[1]);
        assert!(!wrong[3].contains("did you mean"), "{}", wrong[3]);
    }

    #[test]
    fn every_profile_binds_commands_that_there_are() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name()), Some(profile));
            for (keys, name) in profile.keys() {
                assert_eq!(binding(&keys, name), Ok((keys.clone(), name)));
            }
        }
        let vim = Profile::Vim.keys();
        assert_eq!(meant(&typed("Ctrl-f"), Where::SESSIONS, &vim), Meant::Command(Command::PageDown, None));
        assert_eq!(meant(&typed("g /"), Where::SESSIONS, &vim), Meant::Command(Command::Find, None));
        assert_eq!(meant(&typed("g g"), Where::SESSIONS, &vim), Meant::Command(Command::First, None));
    }

    #[test]
    fn names_and_events_of_keys_agree() {
        for binding in KEYS {
            for key in binding.keys.iter().flat_map(|keys| keys.split(' ')) {
                assert_eq!(event(key).and_then(name).as_deref(), Some(key));
            }
        }
    }

    #[test]
    fn names_of_commands_are_said_once() {
        let mut names: Vec<&str> = KEYS.iter().map(|binding| binding.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }
}
