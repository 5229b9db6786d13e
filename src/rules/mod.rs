//! Sessions to findings: one file a rule.
//!
//! A rule describes itself (the catalogue is [`CATALOGUE`]) and knows no protocol: it reads sessions, which speak in
//! the twelve words, and the facts of connections. Session rules look at one session and its neighbours, population
//! rules at all of the run; when all have spoken, [`causes`] tells roots from symptoms.

pub mod attempts;
pub mod backends;
pub mod capture;
pub mod causes;
mod data_channel;
mod departure;
mod earlier_attempts;
mod failure_rows;
pub mod finding;
mod fingerprint;
pub mod idle_closings;
mod interrupted;
pub mod keys;
pub mod population;
pub mod recordings;
pub mod retries;
pub mod subject;
pub mod takeovers;
pub mod timers;
mod tls_offers;

pub use capture::CaptureFacts;
pub use finding::{Evidence, Fault, Finding, Layer, Role, Severity, Value};
pub use fingerprint::{About, template};
pub use population::Population;
pub use subject::{Part, Subject};

use std::collections::BTreeMap;

/// A rule: what it claims, how it decides, and where it is written.
#[derive(Debug)]
pub struct Rule {
    /// Its code, for ever: `GST101`.
    pub code: &'static str,
    /// Its name: lower case with hyphens.
    pub name: &'static str,
    /// One line for lists.
    pub title: &'static str,
    /// Its usual severity.
    pub severity: Severity,
    /// Which layer it usually blames.
    pub layer: Layer,
    /// Its page, under fixed headings, in Markdown.
    pub page: &'static str,
    /// The file that it is written in.
    pub file: &'static str,
    /// Reads sessions, and makes claims.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// One session and its neighbours.
    Session(fn(Subject<'_>, &mut Findings)),
    /// All of the run, once.
    Population(fn(&Population<'_>, &mut Findings)),
}

/// Headings that every rule's page has, in this order.
pub const HEADINGS: [&str; 6] = [
    "What it finds",
    "Why it matters",
    "How it is decided",
    "What it cannot know",
    "How to mend it",
    "Sources",
];

impl Rule {
    /// The text under a heading of its page.
    pub fn section(&self, heading: &str) -> Option<String> {
        let mut lines = self.page.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.by_ref().find(|line| line.strip_prefix("# ").is_some_and(|found| found == heading))?;
        let text: Vec<&str> = lines.take_while(|line| !line.starts_with("# ")).collect();
        Some(text.join("\n").trim().to_owned())
    }
}

/// Writes a rule out of its page (the doc comment), code, name, title, severity, layer and check.
macro_rules! rule {
    ($(#[doc = $line:literal])+ $code:literal, $name:literal, $title:literal, $severity:ident, $layer:ident, $kind:ident($check:path)) => {
        $(#[doc = $line])+
        pub static RULE: $crate::rules::Rule = $crate::rules::Rule {
            code: $code,
            name: $name,
            title: $title,
            severity: $crate::rules::Severity::$severity,
            layer: $crate::rules::Layer::$layer,
            page: concat!($($line, "\n"),+),
            file: file!(),
            check: $crate::rules::Check::$kind($check),
        };
    };
}

/// Names the folders and their modules, and lists the rules in them.
macro_rules! catalogue {
    ($($about:literal $folder:ident { $($rule:ident),* $(,)? })*) => {
        $(#[doc = $about] pub mod $folder { $(pub mod $rule;)* })*

        /// All rules, in order of their codes.
        pub static CATALOGUE: &[&Rule] = &[$($(&$folder::$rule::RULE,)*)*];
    };
}

catalogue! {
    "Logins and what becomes of them (`GSA5xx`)." authentication {
        auth_failure_loop, expired_token_used, login_expired_midway, stale_login_after_reconnect,
        session_id_not_rotated, blocked_by_own_ghost, superseded_by_login, takeover_flap, logout_not_honoured,
        certificate_or_clock, connection_bound_auth_broken, login_missing_after_reconnect,
    }
    "Points from which work need not be done again (`GSC7xx`)." checkpoints {
        interrupted_verdict, long_work_without_checkpoint, checkpoint_regressed, major_sync_unacked,
        resynchronised,
    }
    "Whose turn it was, and what was said twice (`GSD4xx`)." dialogue {
        duplicate_action, possible_duplicate, duplicate_suppressed, unsafe_retry_without_key, mail_sent_twice,
        mqtt_redelivery_fault, silent_standoff, answer_never_came, protocol_mismatch, late_answer, sequence_error,
    }
    "Sessions that one side still holds (`GSG2xx`)." ghosts {
        half_open_peer_vanished, half_open_no_state, half_closed_lingering, close_wait_leak,
        idle_unreleased, orphan_after_reconnect, peer_rebooted, resource_still_held, session_leak, embryonic, zombie_traffic,
        dangling_secondary,
    }
    "The network and what stands in it (`GSN8xx`)." network {
        middlebox_dropped_idle_state, middlebox_reset, path_outage, loss_heavy, receiver_stall,
        pmtu_blackhole, connect_unanswered, connect_refused, admin_prohibited, wrong_backend,
        conflicting_overlap, latency_collapse, server_failover,
    }
    "What the capture does not show (`GSQ9xx`)." capture_quality {
        starts_mid_session, ends_mid_session, one_sided, snaplen_cut, capture_loss, clock_disorder,
        duplicated_frames, opaque_encryption, blackout, unknown_protocol, parser_lost_sync, limits_hit,
        file_truncated, port_filtered, address_translated,
    }
    "Taking up what was interrupted (`GSR3xx`)." resumption {
        tls_resume_missed, tls13_psk_refused, early_data_rejected, ticket_keys_not_shared, range_ignored,
        object_changed, range_unsatisfiable, ftp_restart_failed, mqtt_session_lost,
        subscription_not_restored, resume_refused, silent_restart, reconnect_storm, no_backoff,
        thundering_herd, resume_position_wrong,
    }
    "Timers (`GST1xx`)." timeouts {
        idle_timeout_inferred, idle_timeout_cut_work, close_race, timeout_chain_mismatch,
        client_gave_up_waiting, request_timeout_by_server, gateway_timeout, absolute_lifetime_limit,
        keepalive_missed, keepalive_too_slow, keepalive_does_not_count, login_grace_expired,
        handshake_stalled, connect_timeout, stated_session_timeout, lease_or_hold_expired, transfer_stalled,
    }
    "Work of several steps (`GSW6xx`)." workflows {
        workflow_abandoned, incomplete_transfer, state_lost_mid_workflow, login_redirect_loop,
        cookie_not_returned, affinity_broken, upgrade_refused, control_channel_starved,
        left_without_goodbye,
    }
}

/// The rule of this code or name.
pub fn named(word: &str) -> Option<&'static Rule> {
    CATALOGUE
        .iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(word) || rule.name.eq_ignore_ascii_case(word))
        .copied()
}

/// Claims as they come in. One said twice replaces the former.
#[derive(Debug, Default)]
pub struct Findings {
    all: BTreeMap<(&'static str, Option<u32>, String), Finding>,
}

impl Findings {
    /// Takes a claim.
    pub fn add(&mut self, finding: Finding) {
        self.all.insert((finding.rule.code, finding.session, finding.key.clone()), finding);
    }

    /// How many claims there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Claims so far of this rule about this session.
    pub fn has(&self, code: &str, session: u32) -> bool {
        self.all.keys().any(|(known, of, _)| *known == code && *of == Some(session))
    }
}

/// Acknowledged bytes never seen ÷ acknowledged bytes, from which on only the capture itself is judged (`domain.md` C.4).
const LOSS_HOPELESS: f64 = 0.1;

/// All findings of the run, in order of their first frame, with their causes.
pub fn run(population: &Population<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    // All that is known of a session is looked at once, by every rule, before the next one's is fetched.
    for subject in population.subjects() {
        for rule in CATALOGUE {
            if let Check::Session(check) = rule.check {
                check(subject, &mut findings);
            }
        }
    }
    for rule in CATALOGUE {
        if let Check::Population(check) = rule.check {
            check(population, &mut findings);
        }
    }
    let hopeless = |finding: &Finding| {
        let mut lost = finding.connections.iter().filter_map(|id| population.connections.get(*id as usize));
        finding.layer != Layer::Capture
            && lost.any(|connection| connection.visibility.loss_ratio > LOSS_HOPELESS)
    };
    let mut all: Vec<Finding> = findings.all.into_values().filter(|finding| !hopeless(finding)).collect();
    for finding in &mut all {
        finding.settle();
    }
    all = causes::link(causes::together(all, population));
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| {
        let finding = &all[*index];
        (finding.frames().first().copied(), finding.rule.code, finding.session)
    });
    let mut ids = vec![0; all.len()];
    for (place, index) in order.iter().enumerate() {
        ids[*index] = place as u32 + 1;
    }
    for (finding, id) in all.iter_mut().zip(&ids) {
        finding.id = *id;
        finding.caused_by = finding.caused_by.and_then(|index| ids.get(index as usize).copied());
    }
    all.sort_by_key(|finding| finding.id);
    fingerprint::assign(&mut all, population);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_order_and_every_page_is_whole() {
        assert!(CATALOGUE.is_sorted_by(|a, b| a.code < b.code));
        for rule in CATALOGUE {
            for heading in HEADINGS {
                let section = rule.section(heading);
                assert!(section.is_some_and(|text| !text.is_empty()), "{}: # {heading}", rule.code);
            }
            assert_eq!(named(rule.code).map(|found| found.name), Some(rule.name));
            assert_eq!(named(rule.name).map(|found| found.code), Some(rule.code));
        }
    }
}
