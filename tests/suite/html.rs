//! The HTML page and the pictures: nothing from the wire acts in them, nothing is fetched, and they say what was found.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ghostshark::analysis::{Analysis, Options};
use ghostshark::escape;
use ghostshark::report::stories::{self, StoryForm, StoryRequest};
use ghostshark::report::words::Word;
use ghostshark::report::{HTML, Request};
use ghostshark::rules::{Finding, Layer};
use ghostshark::scenario::{self, Format};
use sha2::{Digest as _, Sha256};

use crate::support::run::{Desk, divided, plain};
use crate::support::{captures, file_of};

/// Names, paths, a server's words, a client id and a server name that would like to be markup, and secrets.
const HOSTILE: &str = r#"title Hostile
client 10.0.0.1:40000
server 10.0.0.2:21
connection web client 10.0.0.1:40001 server 10.0.0.2:80
connection tls client 10.0.0.1:40002 server 10.0.0.2:443
connection mqtt client 10.0.0.1:40003 server 10.0.0.2:1883
open
server "220 <h1>Welcome</h1>\r\n"
client "USER eve<script>alert(1)</script>\"onload='x'\r\n"
server "331 Password required for eve<script>alert(1)</script>\r\n"
client "PASS Slate-Harbour-7\r\n"
server "230 Logged in\r\n"
client "STOR /a/</style></script><img src=x onerror=alert(2)>\xe2\x80\xae.txt\r\n"
server "550 <b>Permission</b> denied & \"done\"\r\n"
sleep 300s
server "421 Timeout <script>alert(3)</script>\r\n"
close by server
web: open
web: client "GET /x?<svg/onload=alert(4)> HTTP/1.1\r\nHost: </title><script>alert(5)</script>\r\nCookie: sid=8f14e45fceea167a5a36dedd4bea2543<i>\r\n\r\n"
web: server "HTTP/1.1 200 <script>OK</script>\r\nSet-Cookie: sid=c4ca4238a0b923820dcc509a6f75849b<u>; HttpOnly\r\nContent-Length: 900\r\n\r\nhalf"
web: client reset
tls: open
tls: client hex 16 03 03 00 4d 01 00 00 49 03 03 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 00 00 04 13 02 c0 2f 01 00 00 1c 00 00 00 14 00 12 00 00 0f 3c 69 6d 67 20 73 72 63 3d 78 3e 2e 61 62 63 00 23 00 00
tls: server hex 15 03 03 00 02 02 28
tls: close by server
mqtt: open
mqtt: client hex 10 1f 00 04 4d 51 54 54 05 c2 00 3c 00 00 05 3c 75 3e 26 22 00 04 61 6e 6e 61 00 05 77 72 6f 6e 67
mqtt: server hex 20 03 00 86 00
mqtt: close by server
"#;

fn compiled(story: &str) -> Vec<u8> {
    file_of(&scenario::compile(story, Path::new("test.story")).unwrap(), Format::Pcapng)
}

fn analysed(name: &str, bytes: &[u8]) -> Analysis {
    let options = Options { keep_events: true, ..plain() };
    Desk::new().analyze(name, bytes, &options).unwrap()
}

fn page(analysis: &Analysis) -> String {
    let mut out = Vec::new();
    (HTML.write)(analysis, &Request::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn picture(analysis: &Analysis) -> String {
    let sessions: Vec<_> = analysis.sessions.iter().collect();
    let mut out = Vec::new();
    let request = StoryRequest { form: StoryForm::Svg, ..StoryRequest::default() };
    stories::write(analysis, &sessions, request, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What stands inside the first element of this name.
fn inside<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = page.split_once(&format!("<{name}>")).unwrap().1;
    begin.split_once(&format!("</{name}>")).unwrap().0
}

/// The page without its style and its script, which are fixed and no markup.
fn without_own(page: &str) -> String {
    let mut rest = page.to_owned();
    for name in ["style", "script"] {
        if rest.contains(&format!("<{name}>")) {
            rest = rest.replacen(inside(&rest, name), "…", 1);
        }
    }
    rest
}

/// A tag: its name, and its attributes.
type Tag = (String, Vec<(String, String)>);

/// All tags, in order; fails where one is not closed by its own, or where a sign stands that should be escaped.
fn tags(page: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let text = without_own(page);
    let mut rest = text.strip_prefix("<!DOCTYPE html>").unwrap_or(&text);
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a bare sign in {before:?}");
        let (tag, behind) = after.split_once('>').unwrap();
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed by another");
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut read = Vec::new();
        while let Some((key, value)) = attributes.trim_start().split_once("=\"") {
            let (value, more) = value.split_once('"').unwrap();
            read.push((key.to_owned(), value.to_owned()));
            attributes = more;
        }
        assert!(attributes.trim().is_empty(), "{attributes:?} in {tag:?}");
        if !empty {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), read));
    }
    assert_eq!(open, Vec::<String>::new(), "left open");
    found
}

/// Elements and attributes that the program writes. None of them runs, loads or leads anywhere but into the page.
const ELEMENTS: [&str; 42] = [
    "a", "b", "body", "button", "code", "dd", "details", "dialog", "div", "dl", "dt", "em", "footer", "g",
    "h1", "h2", "head", "header", "html", "i", "input", "li", "main", "meta", "nav", "ol", "output", "p",
    "path", "rect", "script", "section", "small", "span", "strong", "style", "summary", "svg", "text",
    "time", "title", "ul",
];
const ATTRIBUTES: [&str; 32] = [
    "aria-hidden",
    "aria-label",
    "aria-pressed",
    "autocomplete",
    "charset",
    "class",
    "content",
    "d",
    "data-level",
    "font-family",
    "font-size",
    "height",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "open",
    "placeholder",
    "preserveAspectRatio",
    "role",
    "spellcheck",
    "tabindex",
    "text-anchor",
    "title",
    "transform",
    "type",
    "viewBox",
    "width",
    "x",
    "xmlns",
    "y",
];

#[test]
fn nothing_from_the_wire_is_markup() {
    let analysis = analysed("<img src=x>.pcapng", &compiled(HOSTILE));
    assert!(analysis.sessions.len() >= 4, "{} sessions", analysis.sessions.len());
    for written in [page(&analysis), picture(&analysis)] {
        for (name, attributes) in tags(&written) {
            assert!(ELEMENTS.contains(&name.as_str()), "<{name}>");
            for (key, value) in attributes {
                assert!(ATTRIBUTES.contains(&key.as_str()), "{key} in <{name}>");
                assert!(key != "href" || value.starts_with('#'), "{value}");
            }
        }
        assert_eq!(written.matches("<script").count(), usize::from(written.starts_with("<!DOCTYPE")));
        assert!(written.contains("&lt;script&gt;") && written.contains("\\u{202e}"), "the names are shown");
        let acting = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
        assert_eq!(without_own(&written).chars().find(acting), None);
    }
}

#[test]
fn secrets_and_names_stay_out() {
    let analysis = analysed("hostile.pcapng", &compiled(HOSTILE));
    assert!(analysis.sessions.iter().any(|session| session.principal.is_some()));
    for written in [page(&analysis), picture(&analysis)] {
        for secret in ["Slate-Harbour-7", "8f14e45fceea", "c4ca4238a0b9", "anna"] {
            assert!(!written.contains(secret), "{secret}");
        }
    }
}

#[test]
fn the_policy_allows_the_own_style_and_script_and_nothing_else() {
    let page = page(&analysed("a.pcapng", &compiled(HOSTILE)));
    let hash = |name: &str| {
        format!("{name}-src 'sha256-{}'", STANDARD.encode(Sha256::digest(inside(&page, name).as_bytes())))
    };
    let all = tags(&page);
    let (place, (_, policy)) = all
        .iter()
        .enumerate()
        .find(|(_, (_, attributes))| attributes.iter().any(|(_, value)| value == "Content-Security-Policy"))
        .unwrap();
    let first_asset = all.iter().position(|(name, _)| name == "style").unwrap();
    assert!(place < first_asset, "what comes before the policy is not bound by it");
    let content = policy[1].1.replace("&#39;", "'");
    assert_eq!(
        content,
        format!(
            "default-src 'none'; {}; {}; base-uri 'none'; form-action 'none'",
            hash("style"),
            hash("script")
        )
    );
}

#[test]
fn nothing_is_fetched() {
    let page = page(&analysed("a.pcapng", &compiled(HOSTILE)));
    for word in [
        "url(",
        "@import",
        "fetch(",
        "XMLHttp",
        "WebSocket",
        "sendBeacon",
        "import(",
        "http:",
        "https:",
        "//",
    ] {
        for name in ["style", "script"] {
            let own = inside(&page, name);
            let comments: Vec<&str> =
                own.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            assert!(!comments.join("\n").contains(word), "{word} in the {name}");
        }
    }
}

#[test]
fn the_same_bytes_come_each_time() {
    for name in ["ftp_login_held.pcapng", "client_gives_up.pcapng"] {
        let bytes = captures().into_iter().find(|sample| sample.name == name).unwrap().bytes;
        let by = |threads, batch| {
            let options = Options { keep_events: true, ..divided(threads, batch) };
            let analysis = Desk::new().analyze(name, &bytes, &options).unwrap();
            (page(&analysis), picture(&analysis))
        };
        let first = by(1, 64 << 10);
        assert!(first == by(1, 64 << 10) && first == by(2, 8 << 20), "{name}");
    }
}

#[test]
fn what_was_found_is_in_the_page_with_its_side_its_frames_and_its_remedy() {
    let mut told = 0;
    for sample in captures() {
        let analysis = analysed(&sample.name, &sample.bytes);
        let page = page(&analysis);
        tags(&page);
        let is_told = ghostshark::report::findings::is_told;
        let of_sessions = |finding: &&Finding| is_told(finding) && finding.layer != Layer::Capture;
        for finding in analysis.findings.iter().filter(of_sessions) {
            told += 1;
            let card = page.split_once(&format!("id=\"{}\"", finding.name())).unwrap().1;
            let card = card.split_once("</dl>").unwrap().0.to_owned()
                + card.split_once("class=\"change\"").unwrap().1.split_once("</p>").unwrap().0;
            for said in [finding.message.as_str(), finding.fault.word(), finding.advice.as_str()] {
                assert!(card.contains(&escape::markup(said)), "{}: {said}", sample.name);
            }
            assert!(card.contains("Proving frames"), "{}: {}", sample.name, finding.name());
        }
        let good = page.contains("Nothing is wrong");
        let hurt = analysis.findings.iter().any(|finding| of_sessions(&finding));
        assert!(!(good && hurt), "{}", sample.name);
    }
    assert!(told >= 30, "{told}");
    for healthy in ["ftp_download.pcapng", "redis_orderly_quit.pcapng", "tls_resumed.pcap"] {
        let sample = captures().into_iter().find(|sample| sample.name == healthy).unwrap();
        assert!(page(&analysed(healthy, &sample.bytes)).contains("Nothing is wrong"), "{healthy}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for sample in captures() {
        let page = page(&analysed(&sample.name, &sample.bytes));
        for (_, attributes) in tags(&page) {
            for (_, goal) in attributes.iter().filter(|(key, _)| key == "href") {
                let id = goal.strip_prefix('#').unwrap();
                assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{}: {goal}", sample.name);
            }
        }
    }
}

/// So many FTP sessions that the server ends by its timer.
fn many(sessions: usize) -> String {
    let mut story = "title Many\nclient 10.0.0.1:40000\nserver 10.0.0.2:21\n".to_owned();
    for number in 0..sessions {
        let client = format!("10.0.{}.{}:{}", 1 + number / 200, 1 + number % 200, 20_000 + number);
        let _ = writeln!(story, "connection c{number} client {client} server 10.0.0.2:21");
    }
    for number in 0..sessions {
        let _ = writeln!(story, "c{number}: open\nc{number}: server \"220 Hello\\r\\n\"");
    }
    story.push_str("sleep 300s\n");
    for number in 0..sessions {
        let _ = writeln!(story, "c{number}: server \"421 Timeout\\r\\n\"\nc{number}: close by server");
    }
    story
}

#[test]
fn many_sessions_are_listed_and_few_are_told() {
    let mut analysis = analysed("many.pcapng", &compiled(&many(600)));
    assert_eq!(analysis.sessions.len(), 600);
    // As if each session had been found fault with by itself.
    let one = analysis.findings.iter().find(|finding| finding.rule.code == "GST115").unwrap().clone();
    analysis.findings.clear();
    for session in &analysis.sessions {
        let mut finding = one.clone();
        (finding.id, finding.session) = (session.id, Some(session.id));
        analysis.findings_of_sessions.insert(session.id, vec![session.id - 1]);
        analysis.findings.push(finding);
    }
    let page = page(&analysis);
    assert_eq!(page.matches("class=\"row\"").count(), 600);
    assert_eq!(page.matches("class=\"card ").count(), 400);
    assert_eq!(page.matches("class=\"story\"").count(), 100);
    assert!(page.contains("200 more findings are left out here"));
    assert!(page.contains("The stories of 300 more sessions are left out here"));
    assert!(page.len() < 2_500_000, "{} bytes", page.len());
}

#[test]
fn the_gate_has_its_say_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.html");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures/ftp_login_held.pcapng");
    let report = format!("html={}", file.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostshark"));
    let output =
        command.args(["check", "--report", &report]).arg(&capture).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let judged = fs::read_to_string(&file).unwrap();
    assert!(judged.contains("The gate fails: 1 finding") && judged.contains("fails the gate"));
    assert!(judged.contains("class=\"ladder\""), "stories need the events");
    let plain = Command::new(env!("CARGO_BIN_EXE_ghostshark"))
        .args(["report", "-T", "html"])
        .arg(&capture)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let plain = String::from_utf8(plain.stdout).unwrap();
    assert!(!plain.contains("The gate") && plain.contains("class=\"ladder\""));
}

#[test]
fn a_small_page_and_its_picture() {
    let story = "title Refused\nclient 10.0.0.1:40000\nserver 10.0.0.2:21\nopen\nserver \"220 Hello\\r\\n\"\n\
        client \"USER anna\\r\\n\"\nserver \"530 Too many connections for this user\\r\\n\"\nclose by server\n";
    let analysis = analysed("small.pcapng", &compiled(story));
    insta::assert_snapshot!(
        "page",
        without_own(&page(&analysis)).replacen(
            page(&analysis).split_once("sha256-").unwrap().1.split_once("; base").unwrap().0,
            "…",
            1
        )
    );
    insta::assert_snapshot!("picture", without_own(&picture(&analysis)));
}
