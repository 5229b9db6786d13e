//! The terminal interface without a terminal: keys in, screens out, against golden files.
//!
//! `INSTA_UPDATE=always cargo test --test suite screens` writes the files anew; read the difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ghostshark::capture::Input;
use ghostshark::scenario::{self, Format};
use ghostshark::tui::faces::{Faces, Form, Gate, Material, Standing};
use ghostshark::tui::gating::Files;
use ghostshark::tui::keys::{self, Where};
use ghostshark::tui::rehearsal::Rehearsal;
use ghostshark::tui::state::{Effect, Message, Screen, Tab};
use ghostshark::tui::theme::{Depth, Theme};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::support::{file_of, fixtures};

/// What others do for the interface, as far as screens need it: an export that says what it was asked for.
pub(crate) fn faces() -> Faces {
    Faces {
        gate: Some(Gate {
            files: Files { policy: "policy.toml".to_owned(), baseline: "known.jsonl".to_owned() },
            standings: Arc::new(|analysis, _, files| {
                // What the gate says of a policy that mutes the first, and of a baseline that holds the second.
                assert!(!files.policy.is_empty() && !files.baseline.is_empty());
                let standing = |place: usize| match place {
                    0 => Standing::Muted,
                    1 => Standing::Known,
                    _ => Standing::New,
                };
                Ok((0..analysis.findings.len()).map(standing).collect())
            }),
            mute: Arc::new(|mute| Ok(format!("{}: {} because {}", mute.path, mute.rule, mute.reason))),
            baseline: Arc::new(|_, findings, path| Ok(format!("{path}: {} known", findings.len()))),
        }),
        export: Arc::new(|order| Ok(format!("{}: {} as {}", order.path, order.sessions.len(), order.form))),
        forms: ["json", "md", "txt", "mermaid"].map(|name| Form { name, of: Material::Events }).to_vec(),
        follow: Arc::new(|_, _, hex, _| {
            Box::new(move |piece, out| {
                use ghostshark::inspect::Said;
                let Some(piece) = piece else { return };
                if let Said::Bytes(bytes) = &piece.said {
                    let arrow = if piece.side == ghostshark::events::Side::Client { "->" } else { "<-" };
                    let text = if hex {
                        format!("{bytes:02x?}")
                    } else {
                        String::from_utf8_lossy(bytes).into_owned()
                    };
                    for line in text.lines() {
                        out.extend(format!("{arrow} {}\n", ghostshark::escape::terminal(line)).bytes());
                    }
                }
            })
        }),
    }
}

fn mono() -> Theme {
    Theme::new("mono", Depth::Mono, false)
}

fn capture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
    ["pcapng", "pcap"]
        .iter()
        .map(|end| folder.join(format!("{name}.{end}")))
        .find(|path| path.exists())
        .unwrap()
}

fn open(names: &[&str], theme: Theme, size: (u16, u16)) -> Rehearsal {
    let inputs: Vec<Input> = names.iter().map(|name| Input::File(capture(name))).collect();
    Rehearsal::new(&inputs, &format!("{}.pcapng", names[0]), theme, faces(), size)
}

/// Runs on the text of a story; the folder keeps its capture as long as it is looked at.
fn story(text: &str, theme: Theme, size: (u16, u16)) -> (tempfile::TempDir, Rehearsal) {
    let recording = scenario::compile(text, Path::new("screen.story")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.pcapng");
    fs::write(&path, file_of(&recording, Format::Pcapng)).unwrap();
    let run = Rehearsal::new(&[Input::File(path)], "story.pcapng", theme, faces(), size);
    (folder, run)
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/screens");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Name of the golden file, captures, keys.
const SCREENS: &[(&str, &[&str], &str)] = &[
    ("overview", &["ftp_login_held"], ""),
    ("sessions", &["ftp_login_held"], "2"),
    ("sessions_grouped", &["ftp_login_held", "reset_by_firewall"], "2 = ="),
    ("sessions_nothing", &["ftp_login_held"], "2 F - F"),
    ("findings", &["ftp_login_held"], "3"),
    ("findings_explain", &["reset_by_firewall"], "3 Tab j j"),
    ("packets", &["reset_by_firewall"], "4 G"),
    ("packets_tree", &["tls_resumed"], "4 G Tab j j j"),
    ("stats", &["redis_idle_timeout"], "5"),
    ("hosts", &["ftp_login_held"], "6"),
    ("timeline", &["ftp_resumed"], "2 Enter ["),
    ("ladder", &["ftp_login_held"], "2 L"),
    ("evidence", &["ftp_login_held"], "2 e"),
    ("follow", &["smtp_delivered"], "2 f"),
    ("session_packets", &["reset_by_server"], "2 p"),
    ("fields", &["tls_ticket_refused"], "2 Enter ] ] ] ]"),
    ("diff", &["ftp_login_held"], "2 j Space k k d"),
    ("help", &["ftp_login_held"], "2 ?"),
    ("export", &["ftp_login_held"], "2 x"),
    ("columns", &["ftp_login_held"], "2 c j Space"),
    ("command", &["ftp_login_held"], "2 : \"so\" Tab \" p\" Tab"),
    ("ladder_folded", &["keepalives_answered"], "2 L"),
    ("ladder_unfolded", &["keepalives_answered"], "2 L u"),
    ("mute", &["ftp_login_held"], "3 M Enter Tab \"2099-12-31\""),
    ("baseline", &["ftp_login_held"], "3 b"),
    ("note", &["ftp_login_held"], "2 A \"look here\" Enter"),
];

#[test]
fn every_screen_is_drawn_as_before() {
    let mut changed = Vec::new();
    for (name, captures, keys) in SCREENS {
        let mut all = String::new();
        for size in [(120, 40), (80, 24), (60, 15), (40, 10), (39, 9)] {
            let mut run = open(captures, mono(), size);
            run.keys(keys);
            let text = run.text();
            let _ = writeln!(all, "{}x{} {keys}\n{text}", size.0, size.1);
        }
        let same = settings().bind(|| std::panic::catch_unwind(|| insta::assert_snapshot!(*name, all)));
        if same.is_err() {
            changed.push(*name);
        }
    }
    assert!(changed.is_empty(), "screens are drawn otherwise: {}", changed.join(", "));
}

/// Where colours change, line by line: `12: 0-9 fg`.
fn colours(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = buffer.cell((x, y)).unwrap();
            let style = format!("{:?}{:?}", cell.fg, cell.modifier);
            match runs.last_mut() {
                Some((_, last, before)) if *before == style => *last = x,
                _ => runs.push((x, x, style)),
            }
        }
        runs.retain(|(_, _, style)| style != "ResetNONE");
        let runs: Vec<String> = runs.iter().map(|(from, to, style)| format!("{from}-{to} {style}")).collect();
        let _ = writeln!(out, "{y}: {}", runs.join("  "));
    }
    out
}

#[test]
fn colours_are_as_before() {
    let theme = Theme::new("default", Depth::Sixteen, true);
    let mut run = open(&["ftp_login_held"], theme, (80, 24));
    run.keys("2");
    let text = run.text();
    let colours = colours(&run.screen());
    settings().bind(|| insta::assert_snapshot!("colours", format!("{text}\n{colours}")));
}

#[test]
fn without_colours_there_are_none_and_ascii_is_ascii() {
    for (name, captures, keys) in SCREENS {
        for theme in ["default", "high-contrast", "light", "mono"] {
            let mut run = open(captures, Theme::new(theme, Depth::Mono, true), (100, 30));
            run.keys(keys);
            let buffer = run.screen();
            for cell in buffer.content() {
                assert!(
                    cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset,
                    "{name}"
                );
            }
            let plain = |c: char| c.is_ascii() || c == 'µ';
            let odd: BTreeSet<char> = run.text().chars().filter(|c| !plain(*c)).collect();
            assert!(odd.is_empty(), "{name}: {odd:?}");
        }
    }
}

/// The proof of each of these is six keys away from the first screen at most.
#[test]
fn a_proving_frame_is_six_keys_away() {
    for (name, rule, keys) in [
        ("reset_by_firewall", "GSN802", "Enter Enter Enter"),
        ("ftp_login_held", "GSA506", "Enter Enter Enter"),
        ("tls_ticket_refused", "GSR301", "3 Enter Enter"),
    ] {
        assert!(keys.split(' ').count() <= 6);
        let mut run = open(&[name], mono(), (120, 40));
        run.keys(keys);
        let text = run.text();
        assert_eq!(run.state.visit().screen, Screen::Packets, "{name}: {text}");
        let row = run.state.shown_packet().unwrap();
        let data = run.state.data.clone().unwrap();
        let cited = data.cited.get(&row.at.number).cloned().unwrap_or_default();
        let rules: Vec<&str> =
            cited.iter().map(|place| data.analysis.findings[*place as usize].rule.code).collect();
        assert!(rules.contains(&rule), "{name}: packet {} proves {rules:?}", row.at.number);
    }
}

/// All that can be seen of a state: its screen, and what it wants done outside.
fn seen(run: &mut Rehearsal) -> String {
    let buffer = run.screen();
    let state = &run.state;
    format!(
        "{buffer:?}{:?}{:?}{:?}{:?}{:?}",
        run.outside, state.prompt, state.dialog, state.pending, state.kept
    )
}

/// Every key of the help does something: in at least one of several situations what is seen changes.
#[test]
fn every_key_does_something() {
    let places: [(&str, Where); 14] = [
        ("", Where::of(Screen::Overview, Tab::Ladder)),
        ("2", Where::of(Screen::Sessions, Tab::Ladder)),
        ("3", Where::of(Screen::Findings, Tab::Ladder)),
        ("4", Where::of(Screen::Packets, Tab::Ladder)),
        ("5", Where::of(Screen::Stats, Tab::Ladder)),
        ("6", Where::of(Screen::Hosts, Tab::Ladder)),
        ("2 Enter [", Where::of(Screen::Session(1), Tab::Timeline)),
        ("2 L", Where::of(Screen::Session(1), Tab::Ladder)),
        ("2 e", Where::of(Screen::Session(1), Tab::Evidence)),
        ("2 f", Where::of(Screen::Session(1), Tab::Follow)),
        ("2 p", Where::of(Screen::Session(1), Tab::Packets)),
        ("2 Enter ] ] ] ]", Where::of(Screen::Session(1), Tab::Fields)),
        ("2 j Space k k d", Where::of(Screen::Diff(1, 2), Tab::Ladder)),
        ("2 ?", Where::of(Screen::Help, Tab::Ladder)),
    ];
    // Situations in a place: as it is entered, further down, in another pane, in a long list, after a jump and a find.
    let situations =
        ["", "j j", "Tab", "Tab j j j", "G", "Ctrl-d", ">", "/ \"e\" Enter", "m a G", "s s s", "F", "j F"];
    let mut idle = Vec::new();
    for (way, place) in places {
        let open_at = |situation: &str| {
            let mut run = open(&["ftp_login_held", "reset_by_firewall"], mono(), (100, 24));
            run.keys(way);
            run.keys(situation);
            run
        };
        let mut runs: Vec<Rehearsal> = situations.iter().map(|situation| open_at(situation)).collect();
        assert!(Where::of(runs[0].state.visit().screen, runs[0].state.visit().tab) == place, "{way}");
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        for binding in keys::here(place) {
            wanted.extend(binding.keys.iter().map(|keys| (*keys, binding.name)));
        }
        for (keys, name) in wanted {
            let typed = keys.replace("m *", "m z").replace("' *", "' a");
            let does = situations.iter().enumerate().any(|(number, situation)| {
                let run = &mut runs[number];
                let before = seen(run);
                run.keys(&typed);
                let word =
                    run.state.word.as_ref().is_some_and(|(_, word)| word.contains("does nothing here"));
                let changed = !word && seen(run) != before;
                if changed {
                    runs[number] = open_at(situation);
                }
                changed
            });
            if !does {
                idle.push(format!("{keys} ({name}) in {way:?}"));
            }
        }
    }
    assert!(idle.is_empty(), "keys that do nothing: {idle:#?}");
}

#[test]
fn the_help_is_the_table() {
    for way in ["", "2", "3", "4", "5", "6", "2 L", "2 f"] {
        let mut run = open(&["ftp_login_held"], mono(), (120, 200));
        run.keys(way);
        let place = run.state.visit().place();
        run.keys("?");
        let text = run.text();
        for binding in keys::here(place) {
            let keys = keys::bound(binding, &run.state.remapped).join(" ");
            assert!(text.contains(&keys), "{way:?}: no {keys}");
            let first: String = binding.about.chars().take(40).collect();
            assert!(text.contains(&first), "{way:?}: no {first}");
        }
    }
}

#[test]
fn the_document_of_keys_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let made = keys::document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), made, "UPDATE_DOCS=1 writes docs/keys.md");
}

/// Texts that a terminal would act on, that are wide, that stick to their neighbours, that turn the line round.
const HOSTILE: &str = "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31m\\xe2\\x80\\xae\\xe6\\x97\\xa5\\xe6\\x9c\\xac\\xe8\\xaa\\x9ee\\xcc\\x81\\xcc\\x81\\xcc\\x81\\xe2\\x80\\x8b";

fn hostile_story() -> String {
    let long = "A".repeat(60_000);
    format!(
        "title   texts that want to act\nclient  10.0.0.1:40000\nserver  10.0.0.2:21\n\
         open\n\
         server \"220 {HOSTILE}\\r\\n\"\n\
         client \"USER {HOSTILE}\\r\\n\"\n\
         server \"331 {HOSTILE}\\r\\n\"\n\
         client \"PASS {HOSTILE}\\r\\n\"\n\
         server \"230 {HOSTILE}\\r\\n\"\n\
         client \"RETR {HOSTILE}{long}\\r\\n\"\n\
         server \"550 {HOSTILE}\\r\\n\"\n\
         client reset\n"
    )
}

#[test]
fn nothing_from_the_wire_acts() {
    let (_folder, mut run) = story(&hostile_story(), mono(), (120, 40));
    for keys in [
        "",
        "1",
        "2",
        "2 L",
        "2 e",
        "2 f",
        "2 p",
        "2 p Tab",
        "2 Enter [",
        "2 Enter ] ] ] ]",
        "3",
        "3 Tab",
        "4",
        "4 G",
        "5",
        "6",
        "6 Tab",
        "2 = =",
        "2 y",
    ] {
        for size in [(120, 40), (80, 24), (60, 15), (40, 10)] {
            run.resize(size.0, size.1);
            run.keys(keys);
            let buffer = run.screen();
            for cell in buffer.content() {
                let symbol = cell.symbol();
                let odd = |c: char| {
                    c.is_control()
                        || ('\u{202a}'..='\u{202e}').contains(&c)
                        || ('\u{200b}'..='\u{200f}').contains(&c)
                };
                assert!(!symbol.chars().any(odd), "{keys}: {symbol:?}");
            }
            // The border at the right is where it was: nothing shifted it.
            if size.1 >= 24 {
                let edge = (3..size.1 - 2).filter(|y| {
                    let symbol = buffer.cell((size.0 - 1, *y)).unwrap().symbol();
                    matches!(symbol, "│" | "┐" | "┘")
                });
                assert!(edge.count() as u16 >= size.1 - 6, "{keys} at {size:?}:\n{}", run.text());
            }
        }
        run.keys("Esc Esc Esc");
    }
}

#[test]
fn a_resize_never_loses_the_place() {
    let mut run = open(&["reset_by_firewall"], mono(), (120, 40));
    run.keys("4 j j j j j");
    let at = run.state.shown_packet().unwrap().at.number;
    for round in 0..200_u16 {
        run.resize(20 + round * 7 % 140, 5 + round * 3 % 50);
    }
    run.resize(120, 40);
    assert_eq!(run.state.shown_packet().unwrap().at.number, at);
}

#[test]
fn counts_digits_and_jumps() {
    let mut run = open(&["reset_by_firewall"], mono(), (120, 40));
    run.keys("4");
    run.message(Message::Tick(5_000));
    run.keys("1 2 G");
    assert_eq!(run.state.visit().screen, Screen::Packets);
    assert_eq!(run.state.shown_packet().unwrap().at.number, 12);
    run.keys("m a 2 ' a");
    assert_eq!(run.state.shown_packet().map(|row| row.at.number), Some(12));
    run.keys("' '");
    assert_eq!(run.state.visit().screen, Screen::Sessions);
    run.keys(": \"7\" Enter");
    assert_eq!(run.state.shown_packet().map(|row| row.at.number), Some(7));
}

#[test]
fn the_mouse_goes_where_it_points() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    let press = |x, y| {
        Message::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: x,
            row: y,
            modifiers: KeyModifiers::NONE,
        })
    };
    run.message(press(18, 1));
    run.screen();
    assert_eq!(run.state.visit().screen, Screen::Sessions);
    run.message(press(10, 6));
    run.screen();
    assert_eq!(run.state.shown_session(), Some(2));
    run.message(press(10, 6));
    run.screen();
    assert_eq!(run.state.visit().screen, Screen::Session(2));
    run.keys(": \"set\" Space \"nomouse\" Enter");
    assert!(run.outside.contains(&Effect::Mouse(false)));
}

#[test]
fn what_is_copied_and_exported_goes_outside() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    run.keys("2 Y");
    let copied = run
        .outside
        .iter()
        .any(|effect| matches!(effect, Effect::Copy(text) if text.starts_with("tcp.stream == ")));
    assert!(copied, "{:?}", run.outside);
    run.keys("* x Enter");
    let word = run.state.word.clone().map(|(_, word)| word).unwrap_or_default();
    assert!(word.ends_with("as json"), "{word}");
    run.keys("Q");
    assert!(run.outside.contains(&Effect::Quit));
}

#[test]
fn every_fixture_can_be_walked_through() {
    let walk = "1 Tab Tab Tab Enter Esc 2 j Enter ] ] ] ] ] ] n n Enter Esc Esc 3 j Enter Enter Enter Esc Esc Esc 4 G k Tab j h l Tab 5 ] ] ] ] ] ] Enter Esc 6 j Enter Esc";
    for path in fixtures("captures", &["pcap", "pcapng"]) {
        let mut run = Rehearsal::new(&[Input::File(path)], "x.pcap", mono(), faces(), (80, 24));
        run.keys(walk);
        let text = run.text();
        assert!(text.contains("[6 Host]"), "{text}");
    }
}

fn word(run: &Rehearsal) -> String {
    run.state.word.clone().map(|(_, word)| word).unwrap_or_default()
}

#[test]
fn findings_are_acknowledged_muted_and_written_down() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    run.keys("3");
    let clusters = run.state.visit().clusters.clone();
    let standing = |run: &Rehearsal, row: usize| run.state.standing_of(&clusters[row].findings);
    let new = (0..clusters.len()).find(|row| standing(&run, *row) == Standing::New).unwrap();
    run.keys(&"j ".repeat(new));
    run.keys("a");
    assert_eq!(standing(&run, new), Standing::Acknowledged);
    let kept = ghostshark::tui::kept::Kept::of_text(&run.state.to_keep().to_text());
    assert!(!kept.acknowledged.is_empty());
    assert_eq!(kept.acknowledged, run.state.kept.acknowledged);
    run.keys("a");
    assert_eq!(standing(&run, new), Standing::New);
    // A mute without a reason is none, nor one until no day.
    run.keys("M Enter");
    assert!(word(&run).contains("reason"), "{}", word(&run));
    run.keys("\"old box\" Tab \"soon\" Enter");
    assert!(word(&run).contains("no day"), "{}", word(&run));
    run.keys("Ctrl-u \"2099-12-31\" Tab \"nope ==\" Enter");
    assert!(run.state.dialog.is_some(), "{}", word(&run));
    run.keys("Ctrl-u Enter");
    assert_eq!(word(&run), format!("policy.toml: {} because old box", clusters[new].code));
    run.keys("b \"x\" Enter");
    assert_eq!(word(&run), format!("known.jsonlx: {} known", clusters[new].findings.len()));
}

#[test]
fn what_a_filter_lets_through_is_counted_while_it_is_typed() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    run.keys("2 / \"session.id == 1\"");
    assert_eq!(run.state.counted, None, "not before a moment has gone by");
    run.message(Message::Tick(1_000));
    let all = run.state.data.clone().unwrap().analysis.sessions.len();
    assert_eq!(run.state.counted.clone().map(|(_, number)| number), Some(Ok(1)), "of {all}");
    assert!(run.text().contains("1 pass"), "{}", run.text());
    // What is not finished is not counted; what needs the packets says so.
    run.keys("Ctrl-u \"session.id ==\"");
    run.message(Message::Tick(2_000));
    assert!(!run.text().contains("1 pass"), "{}", run.text());
    run.keys("Ctrl-u \"tcp.flags.syn == 1\"");
    run.message(Message::Tick(3_000));
    assert!(run.text().contains("Enter reads"), "{}", run.text());
    run.keys("Ctrl-u \"session.id == 1\" Enter : \"save-filter mine\" Enter");
    let kept = ghostshark::tui::kept::Kept::of_text(&run.state.to_keep().to_text());
    assert_eq!(kept.saved.get("mine").map(String::as_str), Some("session.id == 1"));
    run.keys("/ Ctrl-u Enter : \"saved mine\" Enter");
    assert_eq!(run.state.list_length(), 1);
    run.keys(": \"saved yours\" Enter");
    assert!(word(&run).contains("mine"), "{}", word(&run));
}

#[test]
fn texts_expressions_and_bytes_are_found_in_panes_and_packets() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    run.keys("4 Ctrl-f \"hex:55 53 45 52\" Enter");
    let user = run.state.shown_packet().unwrap().at.number;
    let bytes = run.state.frame.clone().unwrap().bytes.clone();
    assert!(bytes.windows(4).any(|window| window == b"USER"), "{user}");
    run.keys("n");
    assert_ne!(run.state.shown_packet().unwrap().at.number, user, "the next one");
    run.keys("N");
    assert_eq!(run.state.shown_packet().unwrap().at.number, user);
    run.keys("Tab Tab Ctrl-f \"/us.r/\" Enter");
    assert_eq!(word(&run), "");
    run.keys("Ctrl-f \"hex:zz\" Enter");
    assert!(word(&run).contains("hex:16 03 01"), "{}", word(&run));
    run.keys("Esc Tab g g Ctrl-f \"hex:de ad be ef de ad\" Enter");
    assert!(word(&run).contains("no packet here"), "{}", word(&run));
}

#[test]
fn vim_has_its_keys_when_it_is_asked_for() {
    let mut run = open(&["ftp_login_held"], mono(), (120, 40));
    run.keys(": \"set profile vi\" Enter");
    assert!(word(&run).contains("default, vim"), "{}", word(&run));
    run.keys(": \"set profile vim\" Enter 4 Ctrl-f");
    assert!(run.state.prompt.is_none());
    assert!(run.state.visit().cursor(ghostshark::tui::state::Pane::List).at > 0);
    run.keys("g /");
    assert!(run.state.prompt.is_some());
    run.keys("Esc : \"set profile default\" Enter Ctrl-f");
    assert!(run.state.prompt.is_some());
}

/// A capture of which the first half is there, and then all of it.
#[test]
fn a_capture_that_grows_is_read_on_and_the_place_stays() {
    let whole = fs::read(capture("ftp_resumed")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ftp_resumed.pcapng");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let inputs = [Input::File(path.clone())];
    let mut run = Rehearsal::new(&inputs, "ftp_resumed.pcapng", mono(), faces(), (120, 40));
    let before = run.state.index.len();
    run.keys("4 j j j");
    let at = run.state.shown_packet().unwrap().at.number;
    run.keys("2 j Enter");
    let Screen::Session(id) = run.state.visit().screen else { panic!("{}", run.text()) };
    let uid = |run: &Rehearsal, id: u32| run.state.data.as_ref().unwrap().session(id).unwrap().uid;
    let known = uid(&run, id);
    let rows = run.state.told(id).unwrap().ladder.rows.len();
    fs::write(&path, &whole).unwrap();
    run.grow(&inputs, "ftp_resumed.pcapng");
    assert!(run.state.index.len() > before);
    let Screen::Session(id) = run.state.visit().screen else { panic!("{}", run.text()) };
    assert_eq!(uid(&run, id), known);
    assert!(run.state.told(id).unwrap().ladder.rows.len() > rows, "it is told anew");
    run.keys("4");
    assert_eq!(run.state.shown_packet().unwrap().at.number, at);
    let mut once = open(&["ftp_resumed"], mono(), (120, 40));
    once.keys("2 j");
    let (mut grown, mut read) = (String::new(), String::new());
    for keys in ["1", "2", "3", "5", "6"] {
        run.keys(keys);
        once.keys(keys);
        grown += &run.text();
        read += &once.text();
    }
    assert_eq!(grown, read);
}

/// What the tree of a packet names, a filter can ask.
#[test]
fn every_field_of_the_tree_is_in_the_table_of_filters() {
    use ghostshark::filter::fields;
    use ghostshark::inspect::{Value, Wanted, dissect};

    /// Whether a filter can compare a value as the table says.
    fn fits(kind: fields::Type, value: &Value) -> bool {
        use fields::Type;
        match kind {
            Type::Nothing | Type::Protocol => true,
            Type::Boolean => matches!(value, Value::Boolean(_)),
            Type::Unsigned(_) => matches!(value, Value::Unsigned(_)),
            Type::Signed => matches!(value, Value::Signed(_)),
            Type::Float => matches!(value, Value::Float(_)),
            Type::Bytes => matches!(value, Value::Bytes(_)),
            Type::Ipv4 | Type::Ipv6 | Type::Address => matches!(value, Value::Address(_)),
            Type::Ethernet => matches!(value, Value::Ethernet(_)),
            Type::Time => matches!(value, Value::Time(_)),
            // An epoch is a number of seconds.
            Type::Duration => matches!(value, Value::Span(_) | Value::Time(_)),
            Type::Text | Type::Id(_) | Type::Rule => matches!(value, Value::Text(_)),
            Type::Word(_) | Type::Ranked(_) => false,
        }
    }

    fn kind(value: &Value) -> String {
        let all = format!("{value:?}");
        all.split('(').next().unwrap_or_default().to_owned()
    }

    let mut unknown: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    let mut paths = fixtures("captures", &["pcap", "pcapng"]);
    for (name, recording) in crate::support::stories() {
        let path = folder.path().join(format!("{name}.pcapng"));
        fs::write(&path, file_of(&recording, Format::Pcapng)).unwrap();
        paths.push(path);
    }
    for path in paths {
        let inputs = vec![Input::File(path)];
        let options = ghostshark::analysis::Options { threads: 1, ..Default::default() };
        let analysis = ghostshark::analysis::analyze(inputs.clone(), &options, &mut |_, _| {}).unwrap();
        let mut tell = |dissection: &ghostshark::inspect::Dissection, _: &[u8]| {
            for field in &dissection.fields {
                // What has no label is for filters alone; what has no name is for eyes alone.
                if !field.name.is_empty() && !field.label.is_empty() {
                    seen.insert(field.name);
                    match fields::named(field.name) {
                        Some(known) if fits(known.kind, &field.value) => {}
                        Some(known) => {
                            unknown.insert(format!(
                                "{} as {:?}: {:?}",
                                field.name,
                                known.kind,
                                kind(&field.value)
                            ));
                        }
                        None => {
                            unknown.insert(field.name.to_owned());
                        }
                    }
                }
            }
            std::ops::ControlFlow::Continue(())
        };
        dissect(inputs, &analysis, &Wanted::default(), &mut tell).unwrap();
    }
    assert!(seen.len() > 100, "{}", seen.len());
    assert!(unknown.is_empty(), "no filter knows {unknown:?}");
}
