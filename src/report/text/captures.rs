//! The part that comes first: how far each capture can be trusted. What is as it should be is not mentioned.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::amounts::{bytes, count, counted, moment, percent};
use super::paint::{Paint, Tone};
use super::{Clock, Look, Naming, flowed, hanging, origin, sentence, wrapped};
use crate::analysis::{Analysis, Quality};
use crate::capture::{FileFacts, LinkType};
use crate::escape;
use crate::problem::{Problem, ProblemKind};
use crate::time::Timestamp;

/// Captures shown without being asked for more.
const SHOWN: usize = 4;
/// Remarks on one capture likewise.
const REMARKS: usize = 3;

/// One line a capture, and one for each thing that weakens what follows.
pub(super) fn write(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: look.colour };
    writeln!(out, "{}", paint.tone(Tone::Heading, "CAPTURES"))?;
    let mut remarks: Vec<(usize, Vec<String>)> =
        (0..analysis.files.len()).map(|index| (index, remarks(analysis, index))).collect();
    if !look.verbose && remarks.len() > SHOWN {
        // Those that have something to say come first; the rest is counted.
        remarks.sort_by_key(|(_, said)| Reverse(!said.is_empty()));
    }
    let shown = if look.verbose { remarks.len() } else { SHOWN };
    for (index, said) in remarks.iter().take(shown) {
        let Some(facts) = analysis.files.get(*index) else { continue };
        let mut parts = described(facts, origin(analysis), look.clock);
        let path = escape::terminal(&facts.path.to_string_lossy());
        let index = if analysis.files.len() > 1 { format!("[{index}] ") } else { String::new() };
        if let Some(first) = parts.first_mut() {
            *first = format!("{index}{path}: {first}");
        }
        for (number, line) in flowed(&parts, 4).iter().enumerate() {
            writeln!(out, "{}{line}", if number == 0 { "  " } else { "    " })?;
        }
        let told = if look.verbose { said.len() } else { REMARKS };
        for remark in said.iter().take(told) {
            let lines: Vec<String> = wrapped(&escape::terminal(remark), 6)
                .into_iter()
                .map(|line| paint.tone(Tone::Odd, line))
                .collect();
            hanging(out, "    ! ", &lines)?;
        }
        if said.len() > told {
            writeln!(out, "      {} (-v)", counted((said.len() - told) as u64, "more remark"))?;
        }
    }
    if remarks.len() > shown {
        let quiet = remarks.iter().skip(shown).all(|(_, said)| said.is_empty());
        let rest = counted((remarks.len() - shown) as u64, "more capture");
        writeln!(out, "  {rest}{}", if quiet { ", nothing to remark" } else { " (-v shows all)" })?;
    }
    not_analysed(analysis, look, out)
}

/// What was counted and not analysed, by name.
fn not_analysed(analysis: &Analysis, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut other: Vec<&(String, u64)> = analysis.totals.other.iter().collect();
    if other.is_empty() {
        return Ok(());
    }
    // Names break ties, so that the order is the same in every run.
    other.sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    let shown = if look.verbose { other.len() } else { 3 };
    let mut parts: Vec<String> = other
        .iter()
        .take(shown)
        .map(|(name, packets)| format!("{} {}", count(*packets), escape::terminal(name)))
        .collect();
    if other.len() > shown {
        let rest: u64 = other.iter().skip(shown).map(|(_, packets)| packets).sum();
        parts.push(format!("{} of {}", count(rest), counted((other.len() - shown) as u64, "more kind")));
    }
    hanging(out, "  not analysed: ", &flowed(&parts, 16))
}

/// `pcapng in gzip`, `Ethernet`, `12,345 packets`, `9.10 MB`, `5m 12s from 2023-11-14 22:13:20Z`
pub(in crate::report) fn described(facts: &FileFacts, origin: Timestamp, clock: Clock) -> Vec<String> {
    let mut parts = Vec::new();
    if !facts.format.is_empty() {
        parts.push(match facts.compression {
            Some(compression) => format!("{} in {compression}", facts.format),
            None => facts.format.to_owned(),
        });
    }
    parts.extend(facts.link_types.iter().map(|link| link_name(*link)));
    parts.push(counted(facts.packets, "packet"));
    parts.push(bytes(facts.bytes_captured));
    if let (Some(first), Some(last)) = (facts.first, facts.last) {
        // Where times are relative, this is the place that says what they are relative to.
        let clock = if clock == Clock::Relative { Clock::Utc } else { clock };
        parts.push(format!("{} from {}", last.since(first), moment(first, origin, clock)));
    }
    parts
}

/// The link types people meet, by name; the others by their number.
fn link_name(link: LinkType) -> String {
    let name = match link.0 {
        0 | 108 => "loopback",
        1 => "Ethernet",
        9 => "PPP",
        12 | 14 | 101 | 228 | 229 => "raw IP",
        51 => "PPPoE",
        105 => "802.11",
        113 => "Linux cooked",
        127 => "802.11 with radiotap",
        276 => "Linux cooked 2",
        number => return format!("link type {number}"),
    };
    name.to_owned()
}

/// What weakens claims about this capture, in plain words, the heaviest first. Holds text from the input: escaped by
/// whoever prints.
pub(in crate::report) fn remarks(analysis: &Analysis, index: usize) -> Vec<String> {
    let mut said = Vec::new();
    let Some(facts) = analysis.files.get(index) else { return said };
    if let Some(problem) = first_damage(analysis, index) {
        let kind = if problem.kind == ProblemKind::UnreadableFile { "not read" } else { "damaged" };
        let text = sentence(analysis, problem, Naming::Nothing);
        said.push(format!("{kind}: {text}"));
    }
    let drops: u64 =
        facts.interfaces.iter().filter_map(|interface| interface.drops).fold(0, u64::saturating_add);
    if drops > 0 {
        said.push(format!("the recorder dropped {}", counted(drops, "packet")));
    }
    if let Some(quality) = analysis.quality.get(index) {
        said.extend(doubts(quality, analysis.options.keep_duplicates));
    }
    if let Some(longest) = facts.blackouts.iter().map(|dark| dark.end.since(dark.start)).max() {
        said.push(match facts.blackouts.len() {
            1 => format!("no packet at all for {longest}: the recorder may have been away"),
            times => {
                format!("{times} times without any packet, up to {longest}: the recorder may have been away")
            }
        });
    }
    if facts.backward > 0 {
        said.push(format!(
            "time runs backwards {}, by {} at most",
            if facts.backward == 1 { "once".to_owned() } else { format!("{} times", count(facts.backward)) },
            facts.disorder
        ));
    }
    if facts.packets == 0 && said.is_empty() {
        said.push("it holds no packet".to_owned());
    }
    said
}

/// The damage of a file that its remark tells; the others are left to the list of problems.
pub(in crate::report) fn first_damage(analysis: &Analysis, index: usize) -> Option<&Problem> {
    analysis.problems.iter().find(|problem| {
        problem.kind.is_damage() && problem.file.is_some_and(|file| usize::from(file.0) == index)
    })
}

/// What the quality figures mean for the reader (bounds of `domain.md` C.4).
fn doubts(quality: &Quality, keep_duplicates: bool) -> Vec<String> {
    let mut said = Vec::new();
    let Quality { loss_ratio, one_sided_ratio, duplicate_ratio, snapped_ratio, .. } = *quality;
    if loss_ratio > 0.001 {
        let effect = if loss_ratio > 0.1 {
            "most ends below are guesses"
        } else if loss_ratio > 0.02 {
            "silence proves nothing"
        } else {
            "claims are less sure"
        };
        said.push(format!("{} of the acknowledged TCP bytes are missing: {effect}", percent(loss_ratio)));
    }
    if one_sided_ratio > 0.05 {
        let share = percent(one_sided_ratio);
        said.push(format!("{share} of the TCP connections show one side only: silence proves nothing"));
    }
    if duplicate_ratio > 0.001 {
        let effect = if keep_duplicates { "taken for retransmissions" } else { "counted once" };
        said.push(format!(
            "{} of the TCP segments were recorded twice, and are {effect}",
            percent(duplicate_ratio)
        ));
    }
    if snapped_ratio > 0.0 {
        let share = percent(snapped_ratio);
        said.push(format!("{share} of the packets are cut: headers are there, contents are not"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_capture_is_not_remarked_on() {
        assert_eq!(doubts(&Quality::default(), false), Vec::<String>::new());
        let slight = Quality { loss_ratio: 0.000_5, one_sided_ratio: 0.04, ..Quality::default() };
        assert_eq!(doubts(&slight, false), Vec::<String>::new());
    }

    #[test]
    fn loss_says_what_it_means() {
        let said = |loss_ratio| doubts(&Quality { loss_ratio, ..Quality::default() }, false).join("");
        assert!(said(0.002).contains("less sure"));
        assert!(said(0.03).contains("proves nothing"));
        assert!(said(0.5).contains("guesses"));
    }
}
