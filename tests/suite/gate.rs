//! The gate as a pipeline meets it: exit codes, one screen of reasons, baselines, policies with mistakes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostshark"));
    command.args(args).stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap()
}

fn capture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures").join(name).display().to_string()
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap())
}

/// The first run's code and text with this policy on the recording of a login that a dead session blocks.
fn with_policy(text: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, text).unwrap();
    let output = run(&["check", "-p", policy.to_str().unwrap(), &capture("ftp_login_held.pcapng")]);
    let (code, text) = told(&output);
    (code, text, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_broken_capture_fails_and_says_why_on_one_screen() {
    let (code, text) = told(&run(&["check", &capture("ftp_login_held.pcapng")]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("FAIL") && text.contains("GSA506") && text.contains("mend"), "{text}");
    assert!(text.lines().count() <= 24, "{text}");
}

#[test]
fn a_healthy_capture_passes() {
    let (code, text) = told(&run(&["check", &capture("ftp_download.pcapng")]));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("PASS"), "{text}");
}

#[test]
fn a_baseline_lets_the_known_pass_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("known.jsonl");
    let baseline = baseline.to_str().unwrap();
    let held = capture("ftp_login_held.pcapng");
    assert_eq!(told(&run(&["baseline", &held, "-o", baseline])).0, Some(0));
    let first = fs::read_to_string(baseline).unwrap();
    assert!(first.contains("GSA506"), "{first}");
    let (code, text) = told(&run(&["check", &held, "--baseline", baseline]));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("known"), "{text}");
    let (code, text) = told(&run(&["check", &capture("reset_by_firewall.pcapng"), "--baseline", baseline]));
    assert_eq!(code, Some(1), "{text}");
    // What is added stays, in order; what did not come again goes only when told so.
    run(&["baseline", &capture("reset_by_firewall.pcapng"), "-o", baseline, "--update"]);
    let both = fs::read_to_string(baseline).unwrap();
    assert!(both.len() > first.len() && both.contains("GSA506"), "{both}");
    run(&["baseline", &held, "-o", baseline, "--update", "--prune"]);
    assert_eq!(fs::read_to_string(baseline).unwrap(), first);
    let (code, text) = told(&run(&["check", &capture("ftp_download.pcapng"), "--baseline", baseline]));
    assert!(code == Some(0) && text.contains("did not come again"), "{text}");
    let stale = ["check", &capture("ftp_download.pcapng"), "--baseline", baseline, "--fail-on-stale"];
    assert_eq!(told(&run(&stale)).0, Some(1));
}

#[test]
fn a_policy_decides() {
    for (policy, passes, word) in [
        ("[gate]\nfail_on = \"never\"\n", true, "PASS"),
        ("[gate]\nfail_on = \"never\"\nmax = { error = 0 }\n", false, "severity error, 0 allowed"),
        ("[rules.GSA506]\nseverity = \"off\"\n", true, "switched off"),
        ("[rules.GSA506]\nseverity = \"warning\"\n", true, "below the gate"),
        ("[[mute]]\nrule = \"GSA506\"\nreason = \"ticket 1\"\n", true, "1 finding muted"),
        (
            "[[mute]]\nrule = \"GSA506\"\nreason = \"ticket 1\"\nexpires = \"2020-01-01\"\n",
            false,
            "expired on 2020-01-01",
        ),
        (
            "[[mute]]\nrule = \"GSA506\"\nwhere = 'session.proto == \"mqtt\"'\nreason = \"x\"\n",
            false,
            "GSA506",
        ),
        (
            "[gate]\nfail_on = \"never\"\n[[assert]]\nname = \"nobody is refused\"\nexpect = \"none\"\nthat = 'session.end.kind == \"refused\"'\n",
            false,
            "against it: S-0002 S-0003",
        ),
        (
            "[gate]\nfail_on = \"never\"\n[[assert]]\nname = \"all log in\"\nwhere = 'session.proto == \"mqtt\"'\nthat = 'session'\n",
            false,
            "an empty capture proves nothing",
        ),
        (
            "[gate]\nfail_on = \"never\"\n[[assert]]\nname = \"all log in\"\nwhere = 'session.proto == \"mqtt\"'\nthat = 'session'\nallow_empty = true\n",
            true,
            "1 assert",
        ),
    ] {
        let (code, text, mistakes) = with_policy(policy);
        assert_eq!(code, Some(i32::from(!passes)), "{policy}\n{text}{mistakes}");
        assert!(text.contains(word), "{policy}\n{text}");
    }
}

#[test]
fn a_policy_with_a_mistake_is_refused_with_its_place() {
    let (code, _, mistakes) = with_policy("[gate]\nfail_on = \"fatal\"\n");
    assert_eq!(code, Some(2));
    assert!(
        mistakes.contains("line 2") && mistakes.contains('^') && mistakes.contains("fatal"),
        "{mistakes}"
    );
}

#[test]
fn the_policy_to_begin_with_has_no_mistake() {
    let (code, text) = told(&run(&["policy", "init"]));
    assert_eq!(code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    // Also where every line of it is used.
    let used: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    for text in [text, used] {
        fs::write(&policy, &text).unwrap();
        let output = run(&["policy", "lint", policy.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_capture_that_cannot_be_read_is_no_pass() {
    assert_eq!(run(&["check", "/nowhere/at/all.pcap"]).status.code(), Some(3));
}

/// The script that the action and the include run, on this recording.
#[cfg(unix)]
fn pipeline(name: &str, folder: &Path, more: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/actions/check/check.sh");
    let mut command = Command::new("bash");
    command
        .arg(script)
        .env("GHOSTSHARK", env!("CARGO_BIN_EXE_ghostshark"))
        .env("GHOSTSHARK_FILES", format!("{}\n", capture(name)))
        .env("GHOSTSHARK_OUT", folder.join("reports"))
        .envs(more.iter().copied())
        .stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
#[cfg(unix)]
fn the_pieces_for_pipelines_run() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, run(&["policy", "init"]).stdout).unwrap();
    let baseline = folder.path().join("baseline.jsonl");
    let hub = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("GHOSTSHARK_POLICY", policy.to_str().unwrap()),
        ("GHOSTSHARK_BASELINE", baseline.to_str().unwrap()),
    ];
    let failed = pipeline("ftp_login_held.pcapng", folder.path(), &hub);
    let (code, text) = told(&failed);
    assert_eq!(code, Some(1), "{text}{}", String::from_utf8_lossy(&failed.stderr));
    assert!(text.contains("::error file="), "{text}");
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("no baseline"),
        "it says that there is none yet"
    );
    assert!(fs::read_to_string(&summary).unwrap().contains("GSA506"));
    for report in ["sessions.html", "junit.xml", "ghostshark.sarif", "sessions.jsonl"] {
        assert!(fs::metadata(folder.path().join("reports").join(report)).unwrap().len() > 100, "{report}");
    }
    run(&["baseline", &capture("ftp_login_held.pcapng"), "-o", baseline.to_str().unwrap()]);
    assert_eq!(pipeline("ftp_login_held.pcapng", folder.path(), &hub).status.code(), Some(0));
    let lab = [("GITLAB_CI", "true"), ("GHOSTSHARK_FAIL_ON", "never")];
    assert_eq!(pipeline("ftp_login_held.pcapng", folder.path(), &lab).status.code(), Some(0));
    assert!(fs::read_to_string(folder.path().join("reports/code-quality.json")).unwrap().contains("GSA506"));
    assert_eq!(pipeline("nothing.pcap", folder.path(), &[]).status.code(), Some(3));
    assert_eq!(pipeline("x", folder.path(), &[("GHOSTSHARK_FILES", "\n")]).status.code(), Some(2));
}

#[test]
fn a_second_recording_passes_against_the_baseline_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "box_forgot.pcapng",
        "reset_by_firewall.pcapng",
        "tls_ticket_refused.pcap",
        "redis_idle_timeout.pcap",
    ] {
        let again = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/again").join(name);
        let again = again.to_str().unwrap();
        let baseline = folder.path().join(name);
        let baseline = baseline.to_str().unwrap();
        assert_eq!(told(&run(&["baseline", &capture(name), "-o", baseline])).0, Some(0));
        // Even the mildest finding would fail here.
        let strict = ["check", again, "--fail-on", "info", "--min-confidence", "low"];
        assert_eq!(told(&run(&strict)).0, Some(1), "{name} has findings");
        let (code, text) = told(&run(&[&strict[..], &["--baseline", baseline]].concat()));
        assert_eq!(code, Some(0), "{name}: {text}");
    }
}
