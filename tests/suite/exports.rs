//! Slices: a session cut out of a capture is the same session, says what was found, and can be read by others.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ghostshark::analysis::Analysis;
use ghostshark::capture::Input;
use ghostshark::export::{self, Keys};
use ghostshark::scenario::{self, Format, Frame, Link, Recording};
use ghostshark::session::Session;
use ghostshark::time::Timestamp;

use crate::support::flood::{Flood, Kind};
use crate::support::run::{Desk, files, plain};
use crate::support::{self, file_of};

/// The slice of these sessions.
fn slice(path: &Path, analysis: &Analysis, sessions: &[&Session], keys: Keys) -> Vec<u8> {
    let inputs = vec![Input::File(path.to_path_buf())];
    let selection = export::select(inputs.clone(), analysis, sessions).unwrap();
    let mut out = Vec::new();
    export::slice(inputs, analysis, sessions, (&selection, keys), &mut out).unwrap();
    out
}

/// A story among other people's traffic, which begins before it and goes on after it.
fn among_others(story: &Recording) -> Recording {
    let mut whole = story.clone();
    whole.interfaces.push(Link::default());
    let interface = u32::try_from(story.interfaces.len()).unwrap();
    let mut others = Flood::new(Kind::Closed).take(40);
    let (first, last) = (story.frames.first().unwrap().time.0, story.frames.last().unwrap().time.0);
    let step = (last - first + 120_000_000_000) / others.frames.len() as i64;
    for (index, frame) in others.frames.drain(..).enumerate() {
        let time = Timestamp(first - 20_000_000_000 + step * index as i64);
        whole.frames.push(Frame { time, interface, ..frame });
    }
    whole.frames.sort_by_key(|frame| frame.time);
    whole
}

/// What a session is, as far as a slice must keep it: its connections and its end.
fn account(analysis: &Analysis, session: &Session) -> String {
    let mut text = format!(
        "{} {:?} {} {}\n",
        session.protocol, session.outcome.reason, session.outcome.by.name(), session.history
    );
    for leg in &session.legs {
        let one = &analysis.connections[leg.connection as usize];
        text += &format!(
            "  {} {} -> {} {:?} {:?} {} {} {} {:?}\n",
            one.transport.name(),
            one.client,
            one.server,
            one.ended.how,
            one.ended.reason,
            one.ended.by.name(),
            one.completeness,
            one.history,
            one.sides.client.payload_bytes + one.sides.server.payload_bytes
        );
    }
    text
}

/// The rules that a session breaks, those about the capture left out.
fn rules(analysis: &Analysis, session: &Session) -> BTreeSet<&'static str> {
    let codes = analysis.findings_of(session).map(|finding| finding.rule.code);
    codes.filter(|code| !code.starts_with("GSQ")).collect()
}

/// The stories of a folder, by their paths.
fn told(folder: &str) -> Vec<(PathBuf, Recording)> {
    let compiled = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let recording = scenario::compile(&text, &path).unwrap();
        (path, recording)
    };
    support::fixtures(folder, &["story"]).into_iter().map(compiled).collect()
}

#[test]
fn a_session_in_its_slice_is_the_same_session() {
    let desk = Desk::new();
    let mut wrong = String::new();
    let mut compared = 0;
    let other = IpAddr::from([192, 0, 2, 1]);
    for (path, story) in told("stories") {
        let recording = among_others(&story);
        let file = desk.put("whole.pcapng", &file_of(&recording, Format::Pcapng));
        let whole = files(&[&file], &plain()).unwrap();
        for session in whole.sessions.iter().filter(|session| session.server.ip != other) {
            let cut = slice(&file, &whole, &[session], Keys::Strip);
            let part = desk.analyze("slice.pcapng", &cut, &plain()).unwrap();
            compared += 1;
            let Some(same) = part.sessions.iter().find(|other| other.uid == session.uid) else {
                wrong += &format!("{}: {} is not in its slice\n", path.display(), session.name());
                continue;
            };
            let (before, after) = (account(&whole, session), account(&part, same));
            let (broken, still) = (rules(&whole, session), rules(&part, same));
            if before != after || broken != still {
                wrong += &format!(
                    "{} {}:\n{before}{broken:?}\n--\n{after}{still:?}\n",
                    path.file_stem().unwrap().display(),
                    session.name()
                );
            }
        }
    }
    assert!(compared > 100, "{compared} sessions");
    assert!(wrong.is_empty(), "{wrong}");
}
