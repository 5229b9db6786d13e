//! `follow`: the text of a whole session, over all its connections.

use super::show::{Meant, chosen, find, split};
use super::{Exit, Stop, also, analyse, inputs, look, messages, output, verdict};
use crate::capture::Input;
use crate::cli::flags::{FollowArgs, FollowSide, FollowView};
use crate::error::Error;
use crate::events::Side;
use crate::inspect;
use crate::report::text::follow::{Follower, View};

pub(in crate::cli) fn run(args: &FollowArgs) -> Result<Exit, Stop> {
    let view: View = args.view.into();
    if view != View::Text && !args.show_secrets {
        return Err(Stop::Usage(
            "this view cannot mask secrets; --show-secrets says that you want to see them".to_owned(),
        ));
    }
    let Meant { input, ids, filter } = split(&args.input, &args.only)?;
    if inputs::gather(&input)?.contains(&Input::Stdin) {
        return Err(Stop::Usage(
            "standard input cannot be read twice, as following a session needs".to_owned(),
        ));
    }
    let (analysis, count) = analyse(&input, args.output.also.tells_stories())?;
    let sessions = match &filter {
        Some(filter) => chosen(&analysis, &ids, filter, &input)?,
        None => find(&analysis, &ids)?,
    };
    if !input.quiet {
        messages::damages(&analysis);
        let look = look(&args.look, &args.output);
        let side = args.side.map(Side::from);
        let mut failed: Option<Error> = None;
        output::deliver(args.output.out.as_deref(), |out| {
            for session in &sessions {
                let legs = session.legs.iter().filter_map(|part| {
                    Some((part.leg.key, analysis.connections.get(part.connection as usize)?))
                });
                let legs: Vec<_> = legs.collect();
                let mut follower = Follower::new(&analysis, session, view, side, args.show_secrets, look);
                let again = inputs::gather(&input).unwrap_or_default();
                match inspect::transcribe(again, &legs, input.no_dedup, &mut |piece| {
                    follower.piece(piece, out)
                }) {
                    Ok(done) => done?,
                    Err(error) => {
                        failed = Some(error);
                        return Ok(());
                    }
                }
                follower.finish(out)?;
            }
            Ok(())
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    also(&args.output, &input, &analysis)?;
    Ok(verdict(&analysis, count, &input, !sessions.is_empty()))
}

impl From<FollowView> for View {
    fn from(view: FollowView) -> Self {
        match view {
            FollowView::Text => Self::Text,
            FollowView::Hex => Self::Hex,
            FollowView::Raw => Self::Raw,
        }
    }
}

impl From<FollowSide> for Side {
    fn from(side: FollowSide) -> Self {
        match side {
            FollowSide::C => Self::Client,
            FollowSide::S => Self::Server,
        }
    }
}
