//! The interface hears sessions again from their own packets: it tells what an analysis tells that kept every event.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ghostshark::analysis::{Options, analyze};
use ghostshark::capture::Input;
use ghostshark::inspect::field::Value;
use ghostshark::inspect::{self, Piece};
use ghostshark::scenario::{self, Format};
use ghostshark::story::Teller;
use ghostshark::tui::desk::{Desk, Manner};
use ghostshark::tui::load::{self, Reins, Work};
use ghostshark::tui::rehearsal::Rehearsal;
use ghostshark::tui::state::{Answer, Effect};
use ghostshark::tui::theme::{Depth, Theme};

use crate::screens::faces;
use crate::support::{all_stories_at_once, file_of, fixtures, stories};

/// A desk for a capture, and the account that the interface has of it.
fn desk_of(path: &Path) -> (Desk, std::sync::Arc<ghostshark::tui::data::Data>) {
    let inputs = vec![Input::File(path.to_owned())];
    let options = Options { threads: 1, ..Options::default() };
    let desk = Desk::new(inputs.clone(), faces(), false);
    let heard: Mutex<Vec<Answer>> = Mutex::default();
    let work = Work { inputs, names: Vec::new(), options, growing: None };
    load::run(&work, &Reins::default(), &|answer| heard.lock().unwrap().push(answer));
    let mut data = None;
    for answer in heard.into_inner().unwrap() {
        desk.note(&answer);
        if let Answer::Loaded(loaded) = answer {
            data = Some(loaded);
        }
    }
    (desk, data.unwrap())
}

/// Every session's story, ladder and text are what they are with all events kept and all packets read.
fn check(path: &Path) -> usize {
    let name = path.display();
    let options = Options { keep_events: true, threads: 1, ..Options::default() };
    let whole = analyze(vec![Input::File(path.to_owned())], &options, &mut |_, _| {}).unwrap();
    let teller = Teller::new(&whole, false);
    let (desk, data) = desk_of(path);
    assert!(data.analysis.events.is_empty(), "{name}");
    assert_eq!(data.analysis.sessions.len(), whole.sessions.len(), "{name}");
    for session in &whole.sessions {
        let answer = desk.answer(&data, &Effect::Tell(session.id), Manner::default(), &|| true);
        let Some(Answer::Told(_, told)) = answer else { panic!("{name} {}: {answer:?}", session.name()) };
        assert_eq!(told.trouble, None, "{name} {}", session.name());
        assert_eq!(told.story, teller.story(session), "{name} {}", session.name());
        assert_eq!(told.ladder, teller.ladder(session), "{name} {}", session.name());
        let answer = desk.answer(&data, &Effect::Follow(session.id), Manner::default(), &|| true);
        let Some(Answer::Followed(_, talk)) = answer else { panic!("{name} {}: {answer:?}", session.name()) };
        let legs: Vec<_> = session
            .legs
            .iter()
            .filter_map(|part| Some((part.leg.key, whole.connections.get(part.connection as usize)?)))
            .collect();
        let mut frames = Vec::new();
        let inputs = vec![Input::File(path.to_owned())];
        let mut tell = |piece: &Piece| {
            if let inspect::Said::Bytes(bytes) = &piece.said {
                let lines = String::from_utf8_lossy(bytes).lines().count();
                frames.extend(std::iter::repeat_n(piece.at.number, lines));
            }
            Ok::<(), ()>(())
        };
        inspect::transcribe(inputs, &legs, false, &mut tell).unwrap().unwrap();
        let followed: Vec<u64> = talk.lines.iter().filter_map(|line| line.at).map(|at| at.number).collect();
        assert_eq!(followed, frames, "{name} {}", session.name());
    }
    whole.sessions.len()
}

#[test]
fn recordings_are_told_as_if_every_event_was_kept() {
    let sessions: usize = fixtures("captures", &["pcap", "pcapng"]).iter().map(|path| check(path)).sum();
    assert!(sessions > 100, "{sessions}");
}

#[test]
fn stories_are_told_as_if_every_event_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut sessions = 0;
    for (name, recording) in stories() {
        let path: PathBuf = folder.path().join(format!("{name}.pcapng"));
        std::fs::write(&path, file_of(&recording, Format::Pcapng)).unwrap();
        sessions += check(&path);
    }
    assert!(sessions > 100, "{sessions}");
}

/// The same addresses and ports do many things side by side: nothing tells connections apart but what is in them.
#[test]
fn a_crowd_is_told_as_if_every_event_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crowd.pcapng");
    std::fs::write(&path, file_of(&all_stories_at_once(), Format::Pcapng)).unwrap();
    assert!(check(&path) > 20);
}

/// Far into a long connection a line of the list still says what the packet says, and the packet is shown whole.
#[test]
fn a_packet_far_into_a_connection_is_read_from_near() {
    let mut text =
        "title   a long session\nclient  10.0.0.1:40000\nserver  10.0.0.2:21\nopen\nserver \"220 ready\\r\\n\"\n".to_owned();
    for number in 0..3_000 {
        writeln!(text, "client \"SIZE file{number}\\r\\n\"\nserver \"213 {number}\\r\\n\"").unwrap();
    }
    let recording = scenario::compile(&text, Path::new("long.story")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pcapng");
    std::fs::write(&path, file_of(&recording, Format::Pcapng)).unwrap();
    let mut run = Rehearsal::new(
        &[Input::File(path)],
        "long.pcapng",
        Theme::new("mono", Depth::Mono, true),
        faces(),
        (120, 40),
    );
    let packets = run.state.index.len();
    assert!(packets > 5_000, "{packets}");
    run.keys("4 G");
    let text = run.text();
    assert!(text.contains("SIZE file2999"), "{text}");
    let frame = run.state.frame.clone().unwrap();
    assert_eq!(frame.trouble, None);
    assert!(!frame.cut, "so few are all heard");
    let sequence = frame.dissection.as_ref().unwrap().values("tcp.seq").next().cloned();
    assert!(matches!(sequence, Some(Value::Unsigned(number)) if number > 30_000), "{sequence:?}");
}
