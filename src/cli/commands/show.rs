//! `show`: the story of a session.

use super::{Exit, Stop, analyse, look, messages, output, verdict};
use crate::analysis::Analysis;
use crate::cli::flags::{InputArgs, ShowArgs};
use crate::report::stories::{self, StoryForm, StoryRequest};
use crate::session::Session;

pub(in crate::cli) fn run(args: &ShowArgs) -> Result<Exit, Stop> {
    let (input, ids) = split(&args.input);
    let (analysis, count) = analyse(&input, true)?;
    let form: StoryForm = args.format.into();
    let sessions = if args.all { analysis.sessions.iter().collect() } else { find(&analysis, &ids)? };
    if !input.quiet {
        messages::damages(&analysis);
        let request = StoryRequest {
            form,
            ladder: args.ladder,
            hide_names: args.output.out.is_some(),
            stamps: args.output.ts.into(),
            look: look(&args.look, &args.output),
        };
        output::deliver(args.output.out.as_deref(), |out| {
            stories::write(&analysis, &sessions, request, out)
        })?;
    }
    Ok(verdict(&analysis, count, &input, !sessions.is_empty()))
}

/// The files, and behind them the sessions: the last words that name a session and no file.
pub(super) fn split(input: &InputArgs) -> (InputArgs, Vec<u32>) {
    let mut input = input.clone();
    let mut ids = Vec::new();
    while let Some(path) = input.files.last()
        && let Some(id) = path.to_str().and_then(id)
        && !path.exists()
    {
        ids.insert(0, id);
        input.files.pop();
    }
    (input, ids)
}

/// `S-0012`, `s12` or `12`.
fn id(word: &str) -> Option<u32> {
    let digits = word.strip_prefix(['S', 's']).map_or(word, |rest| rest.strip_prefix('-').unwrap_or(rest));
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The sessions of these ids; without any, the only one there is.
///
/// # Errors
/// Where there is none of that id, with the nearest there are.
pub(super) fn find<'a>(analysis: &'a Analysis, ids: &[u32]) -> Result<Vec<&'a Session>, Stop> {
    let all = &analysis.sessions;
    let range = match (all.first(), all.last()) {
        (Some(first), Some(last)) if all.len() > 1 => {
            format!("there are {} to {}", first.name(), last.name())
        }
        (Some(only), _) => format!("there is only {}", only.name()),
        _ => "there is none".to_owned(),
    };
    if ids.is_empty() {
        return match &all[..] {
            [only] => Ok(vec![only]),
            [] => Err(Stop::Usage("no session in what was read".to_owned())),
            _ => Err(Stop::Usage(format!("which session? {range}; put its id behind the files"))),
        };
    }
    ids.iter()
        .map(|id| {
            all.iter().find(|session| session.id == *id).ok_or_else(|| {
                let mut near: Vec<&Session> = all.iter().collect();
                near.sort_by_key(|session| (session.id.abs_diff(*id), session.id));
                near.truncate(3);
                near.sort_by_key(|session| session.id);
                let near: Vec<String> = near.iter().map(|session| session.name()).collect();
                let nearest =
                    if near.is_empty() { String::new() } else { format!("; nearest: {}", near.join(", ")) };
                Stop::Usage(format!("S-{id:04}: no such session; {range}{nearest}"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_in_several_ways() {
        for (word, number) in [
            ("S-0171", Some(171)),
            ("s-3", Some(3)),
            ("S12", Some(12)),
            ("7", Some(7)),
            ("S-", None),
            ("", None),
            ("a.pcap", None),
            ("S-1x", None),
            ("99999999999", None),
        ] {
            assert_eq!(id(word), number, "{word}");
        }
    }
}
