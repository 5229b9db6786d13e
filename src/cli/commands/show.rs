//! `show`: the story of a session.

use std::path::Path;

use super::{Exit, Stop, also, analyse, look, messages, narrowed, output, understood_for, verdict};
use crate::analysis::Analysis;
use crate::cli::flags::{FilterArgs, InputArgs, ShowArgs};
use crate::filter::{self, Filter, Macros, Scope};
use crate::report::stories::{self, StoryForm, StoryRequest};
use crate::session::Session;

pub(in crate::cli) fn run(args: &ShowArgs) -> Result<Exit, Stop> {
    let Meant { input, ids, filter } = split(&args.input, &args.only)?;
    let (analysis, count) = analyse(&input, true)?;
    let form: StoryForm = args.format.into();
    let sessions = match &filter {
        Some(filter) => chosen(&analysis, &ids, filter, &input)?,
        None if args.all => analysis.sessions.iter().collect(),
        None => find(&analysis, &ids)?,
    };
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
    also(&args.output, &input, &analysis)?;
    Ok(verdict(&analysis, count, &input, !sessions.is_empty()))
}

/// What is meant by the words behind the verb.
pub(super) struct Meant {
    /// The files.
    pub(super) input: InputArgs,
    /// The sessions that were named.
    pub(super) ids: Vec<u32>,
    /// The filter that chooses among them, or among all.
    pub(super) filter: Option<Filter>,
}

/// The files, and behind them the sessions: the last words that name a session and no file, or one filter.
pub(super) fn split(input: &InputArgs, only: &FilterArgs) -> Result<Meant, Stop> {
    let mut input = input.clone();
    let mut only = only.clone();
    if only.filter.is_none()
        && let Some(text) = input.files.last().filter(|path| is_filter(path)).and_then(|path| path.to_str())
    {
        only.filter = Some(text.to_owned());
        input.files.pop();
    }
    let mut ids = Vec::new();
    while let Some(path) = input.files.last()
        && let Some(id) = path.to_str().and_then(id)
        && !path.exists()
    {
        ids.insert(0, id);
        input.files.pop();
    }
    let filter = understood_for(&only, Scope::Sessions, &input)?;
    Ok(Meant { input, ids, filter })
}

/// Whether the last word is meant as a filter: there is no such file, it names no session, and it is a filter or
/// looks like an attempt at one.
fn is_filter(path: &Path) -> bool {
    let Some(word) = path.to_str() else { return false };
    if path.exists() || id(word).is_some() || word == "-" {
        return false;
    }
    let attempt = word.contains(['=', '<', '>', '&', '|', '!', '(', ' ']);
    attempt || filter::compile(word, Scope::Sessions, &Macros::new()).is_ok()
}

/// The sessions that satisfy the filter, those of these ids where some are named.
pub(super) fn chosen<'a>(
    analysis: &'a Analysis,
    ids: &[u32],
    filter: &Filter,
    input: &InputArgs,
) -> Result<Vec<&'a Session>, Stop> {
    let among = if ids.is_empty() { analysis.sessions.iter().collect() } else { find(analysis, ids)? };
    let only = narrowed(Some(filter), input, analysis, Filter::sessions)?.unwrap_or_default();
    Ok(among.into_iter().filter(|session| only.contains(&session.id)).collect())
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
    fn a_filter_is_told_from_a_file() {
        for (word, filter) in [
            ("session.ghost", true),
            ("ftp", true),
            ("session.dur > 5", true),
            ("tcp.prt==1", true),
            ("no_such_file.pcap", false),
            ("S-0001", false),
            ("12", false),
            ("-", false),
            ("src", false),
        ] {
            assert_eq!(is_filter(Path::new(word)), filter, "{word}");
        }
    }

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
