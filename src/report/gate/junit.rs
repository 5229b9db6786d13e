//! `JUnit` XML. A suite is a run over its captures; a case is an assert or a rule, and a rule that found nothing passes, so
//! that trends have the same cases every time.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Judged, account};
use crate::gate::{Case, State};
use crate::rules::{CATALOGUE, Finding};

pub(super) fn write(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suite = TestSuite::new(judged.captures());
    for outcome in &judged.verdict.asserts {
        let status = if outcome.holds() {
            TestCaseStatus::success()
        } else {
            failure("assert", &outcome.sentence(), &against(&outcome.against()))
        };
        suite.add_test_case(case("asserts", &outcome.name, status));
    }
    for wrong in &judged.verdict.capture {
        suite.add_test_case(case("capture", "quality", failure("capture", wrong, wrong)));
    }
    for (severity, (count, most)) in &judged.verdict.overruns {
        let message = format!("{count} findings of severity {}, {most} allowed", severity.name());
        suite.add_test_case(case("budgets", severity.name(), failure("budget", &message, &message)));
    }
    let mut by_rule: BTreeMap<&str, Vec<(&Case, &Finding)>> = BTreeMap::new();
    for (case, finding) in judged.cases() {
        by_rule.entry(finding.rule.code).or_default().push((case, finding));
    }
    for rule in CATALOGUE {
        let found = by_rule.remove(rule.code).unwrap_or_default();
        let name = format!("{} {}", rule.code, rule.name);
        suite.add_test_case(case("rules", &name, status(judged, &found)));
    }
    let mut report = Report::new("ghostshark");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    out.write_all(without_sum_of_skipped(&text).as_bytes())
}

/// The schema that Jenkins reads by has no `skipped` on the outermost element, which the library writes.
fn without_sum_of_skipped(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<testsuites ") else { return text.to_owned() };
    let (tag, rest) = rest.split_once('>').unwrap_or((rest, ""));
    let kept: Vec<&str> = tag.split(' ').filter(|part| !part.starts_with("skipped=")).collect();
    format!("{before}<testsuites {}>{rest}", kept.join(" "))
}

/// The status of a rule: it fails with its findings that fail, and is skipped where all it found is known or muted.
fn status(judged: &Judged<'_>, found: &[(&Case, &Finding)]) -> TestCaseStatus {
    let failing: Vec<&Finding> =
        found.iter().filter(|(case, _)| case.fails).map(|(_, finding)| *finding).collect();
    if let Some(first) = failing.first() {
        let all: Vec<String> = failing.iter().map(|finding| account(judged, finding)).collect();
        return failure(first.severity.name(), &first.message, &all.join("\n\n"));
    }
    let aside: Vec<&str> = found
        .iter()
        .map(|(case, _)| match &case.state {
            State::New => "below the gate",
            State::Known => "in the baseline",
            State::Muted(reason) => reason,
            State::Off => "switched off by the policy",
        })
        .collect();
    match aside.first() {
        None => TestCaseStatus::success(),
        Some(reason) => {
            let mut status = TestCaseStatus::skipped();
            let message = format!("{} found, none counts: {reason}", found.len());
            status.set_message(plain(&message));
            status
        }
    }
}

fn failure(kind: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(plain(message)).set_description(plain(text));
    status
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(plain(name), status);
    case.set_classname(class);
    case
}

fn against(sessions: &[u32]) -> String {
    let named: Vec<String> = sessions.iter().map(|id| format!("S-{id:04}")).collect();
    format!("against it: {}", named.join(" "))
}

/// Text without what XML cannot hold and terminals should not.
fn plain(text: &str) -> String {
    text.lines().map(crate::escape::terminal).collect::<Vec<_>>().join("\n")
}
