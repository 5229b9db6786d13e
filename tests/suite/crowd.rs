//! Fifty people behind one address with one server: whose connections are joined, by what, and how often rightly.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use ghostshark::analysis::Analysis;
use ghostshark::events::Strength;
use ghostshark::rules::Severity;
use ghostshark::scenario::{self, Format};

use crate::support::file_of;
use crate::support::run::{Desk, plain};

const PEOPLE: usize = 50;

/// What a person uses to talk to the server.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// A login by name, and a download that is taken up again on announced connections.
    Ftp,
    /// A name that the client gives itself.
    Mqtt,
    /// A cookie that the server issued.
    Cookie,
    /// Bytes that say nothing of whose they are.
    Unknown,
}

const HABITS: [Habit; 4] = [Habit::Ftp, Habit::Mqtt, Habit::Cookie, Habit::Unknown];

/// A story in the making: what each person does, phase by phase, so that all of them are there at once.
#[derive(Default)]
struct Crowd {
    scene: String,
    phases: BTreeMap<u32, Vec<String>>,
    /// Which person a client port belongs to.
    owners: BTreeMap<u16, usize>,
}

impl Crowd {
    /// A connection of a person; gives its name.
    fn connection(&mut self, person: usize, server: u16) -> String {
        let name = format!("c{}", self.owners.len());
        let port = 20_000 + self.owners.len() as u16;
        self.owners.insert(port, person);
        let _ = writeln!(self.scene, "connection {name} client 10.0.0.1:{port} server 10.0.0.2:{server}");
        name
    }

    fn say(&mut self, phase: u32, name: &str, lines: &[&str]) {
        let phase = self.phases.entry(phase).or_default();
        phase.extend(lines.iter().map(|line| format!("{name}: {line}")));
    }

    fn story(&self) -> String {
        let phases: Vec<String> = self.phases.values().map(|lines| lines.join("\n")).collect();
        format!("title A crowd behind one address\n{}{}\n", self.scene, phases.join("\nsleep 2s\n"))
    }
}

fn ftp(crowd: &mut Crowd, person: usize) {
    for round in 0..2_u32 {
        let control = crowd.connection(person, 21);
        let port = 40_000 + (person as u16) * 2 + round as u16;
        let data = crowd.connection(person, port);
        let first = round * 4;
        let user = format!("client \"USER user{person}\\r\\n\"");
        crowd.say(
            first,
            &control,
            &["open", "server \"220 ready\\r\\n\"", &user, "server \"331 password\\r\\n\""],
        );
        crowd.say(
            first + 1,
            &control,
            &[
                "client \"PASS x\\r\\n\"",
                "server \"230 welcome\\r\\n\"",
                "client \"TYPE I\\r\\n\"",
                "server \"200 binary\\r\\n\"",
            ],
        );
        let announced = format!("server \"229 Entering extended passive mode (|||{port}|)\\r\\n\"");
        let mut ask = vec!["client \"EPSV\\r\\n\"", announced.as_str()];
        if round == 1 {
            ask.extend(["client \"REST 3000\\r\\n\"", "server \"350 from there\\r\\n\""]);
        }
        crowd.say(first + 2, &control, &ask);
        crowd.say(first + 2, &data, &["open"]);
        crowd.say(
            first + 2,
            &control,
            &["client \"RETR big.bin\\r\\n\"", "server \"150 here it comes\\r\\n\""],
        );
        crowd.say(first + 2, &data, &["server bytes 3000"]);
        if round == 0 {
            crowd.say(first + 3, &data, &["client reset"]);
            crowd.say(first + 3, &control, &["client reset"]);
        } else {
            crowd.say(first + 3, &data, &["close by server"]);
            crowd.say(
                first + 3,
                &control,
                &[
                    "server \"226 done\\r\\n\"",
                    "client \"QUIT\\r\\n\"",
                    "server \"221 bye\\r\\n\"",
                    "close by server",
                ],
            );
        }
    }
}

fn mqtt(crowd: &mut Crowd, person: usize) {
    let mut id = String::new();
    for byte in format!("dev{person:02}").bytes() {
        let _ = write!(id, " {byte:02x}");
    }
    let connect = format!("client hex 10 11 00 04 4d 51 54 54 04 00 00 3c 00 05{id}");
    for round in 0..2_u32 {
        let name = crowd.connection(person, 1883);
        let present = format!("server hex 20 02 0{round} 00");
        crowd.say(round * 4, &name, &["open", &connect, &present]);
        crowd.say(round * 4 + 1, &name, &["client hex 82 06 00 01 00 01 61 01", "server hex 90 03 00 01 01"]);
        let end: &[&str] =
            if round == 0 { &["client reset"] } else { &["client hex e0 00", "close by client"] };
        crowd.say(round * 4 + 3, &name, end);
    }
}

fn cookie(crowd: &mut Crowd, person: usize) {
    let shown = format!("Cookie: sessionid=s3cr3t{person:04}c0ffee\\r\\n");
    for round in 0..2_u32 {
        let name = crowd.connection(person, 80);
        let cookie = if round == 0 { "" } else { &shown };
        let ask = format!("client \"GET /cart HTTP/1.1\\r\\nHost: shop.example\\r\\n{cookie}\\r\\n\"");
        let issue = if round == 0 {
            format!("Set-Cookie: sessionid=s3cr3t{person:04}c0ffee; Path=/; HttpOnly\\r\\n")
        } else {
            String::new()
        };
        let answer = format!("server \"HTTP/1.1 200 OK\\r\\n{issue}Content-Length: 2\\r\\n\\r\\nok\"");
        crowd.say(round * 4 + 1, &name, &["open", &ask, &answer]);
        crowd.say(round * 4 + 2, &name, &["close by client"]);
    }
}

fn unknown(crowd: &mut Crowd, person: usize) {
    for round in 0..2_u32 {
        let name = crowd.connection(person, 7000);
        crowd.say(round * 4, &name, &["open", "client hex 01 02 03 04", "server hex 05 06 07 08"]);
        crowd.say(round * 4 + 1, &name, &["client hex 01 02 03 05", "server hex 05 06 07 09"]);
        let end: &[&str] = if round == 0 { &["server reset"] } else { &["close by client"] };
        crowd.say(round * 4 + 3, &name, end);
    }
}

/// Joins, and how many of them are right, by strength.
fn joins(analysis: &Analysis, owners: &BTreeMap<u16, usize>) -> BTreeMap<&'static str, (u32, u32)> {
    let owner = |id: u32| owners[&analysis.connections[id as usize].client.port];
    let mut counts: BTreeMap<&'static str, (u32, u32)> = BTreeMap::new();
    for part in analysis.sessions.iter().flat_map(|session| &session.legs) {
        let Some(stitch) = part.stitch else { continue };
        let count = counts.entry(stitch.by.strength().letter()).or_default();
        count.0 += 1;
        count.1 += u32::from(owner(part.connection) == owner(stitch.with));
    }
    counts
}

#[test]
fn nobody_in_a_crowd_is_taken_for_another() {
    let mut crowd = Crowd::default();
    for person in 0..PEOPLE {
        match HABITS[person % HABITS.len()] {
            Habit::Ftp => ftp(&mut crowd, person),
            Habit::Mqtt => mqtt(&mut crowd, person),
            Habit::Cookie => cookie(&mut crowd, person),
            Habit::Unknown => unknown(&mut crowd, person),
        }
    }
    let recording = scenario::compile(&crowd.story(), Path::new("crowd.story")).unwrap();
    let analysis = Desk::new().analyze("crowd", &file_of(&recording, Format::Pcapng), &plain()).unwrap();
    let joins = joins(&analysis, &crowd.owners);
    println!("joins by strength, and how many are right: {joins:?}");
    for letter in [Strength::Key, Strength::Protocol].map(Strength::letter) {
        let (all, right) = joins[letter];
        assert_eq!(all, right, "{letter}: {joins:?}");
    }
    // Of each of the three habits with a name, every second connection was joined to the first.
    let named = HABITS.iter().filter(|habit| **habit != Habit::Unknown).count();
    let by_name = joins["K"].0 + joins["P"].0;
    assert!(by_name as usize >= PEOPLE * named / HABITS.len(), "{joins:?}");
    if let Some((all, right)) = joins.get("H") {
        assert!(f64::from(*right) >= 0.95 * f64::from(*all), "{joins:?}");
    }
    // What rests on a guessed joint is never more than a warning.
    for finding in &analysis.findings {
        let guessed =
            analysis.sessions.iter().filter(|session| Some(session.id) == finding.session).any(|session| {
                session
                    .legs
                    .iter()
                    .any(|part| part.stitch.is_some_and(|stitch| stitch.by.strength() == Strength::Heuristic))
            });
        assert!(!guessed || finding.severity <= Severity::Warning, "{finding:?}");
    }
}

/// Two conversations of one host with one server, one behind the other.
fn sessions_of(first: &str, second: &str) -> usize {
    let text = format!(
        "title Two conversations\nclient 10.0.0.1:40000\nserver 10.0.0.2:7000\n\
         connection b client 10.0.0.1:40001 server 10.0.0.2:7000\n{first}\nsleep 1s\n{second}\n"
    );
    let recording =
        scenario::compile(&text, Path::new("two.story")).unwrap_or_else(|wrong| panic!("{wrong}"));
    Desk::new().analyze("two", &file_of(&recording, Format::Pcapng), &plain()).unwrap().sessions.len()
}

/// Without a name, only what the conversations say can join them: that one comes soon after another says nothing.
#[test]
fn time_and_place_alone_join_nobody() {
    let login =
        "client \"LOGIN carol secret\\n\"\nserver \"+OK\\n\"\nclient \"put 1\\n\"\nserver \"stored\\n\"";
    let again = "b: open\nb: client \"LOGIN carol secret\\n\"\nb: server \"+OK\\n\"\nb: client \"put 1\\n\"\nb: server \"stored\\n\"";
    let other = "b: open\nb: client \"who?\\n\"\nb: server \"a stranger, welcome\\n\"";
    let broken = format!("open\n{login}\nserver reset");
    assert_eq!(sessions_of(&broken, again), 1, "the same login, played again after a reset");
    assert_eq!(sessions_of(&broken, other), 2, "another talk");
    assert_eq!(
        sessions_of(&format!("open\n{login}\nclose by client"), again),
        2,
        "a session that was released"
    );
}
