//! What may be typed. These definitions are the only list of flags: help, man page and completions come from
//! them.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use clap::builder::{PossibleValue, PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

mod exchange;
mod gate;
mod reports;
mod vocabulary;
mod words;

pub(super) use exchange::{DiffArgs, ExportArgs, RedactArgs};
pub(super) use gate::{BaselineArgs, CheckArgs, PolicyVerb};
pub(super) use reports::{ReportKind, ReportsArgs, report_kind};
pub(super) use vocabulary::As;

pub(super) use words::{
    ColorWhen, EventsFormat, FollowSide, FollowView, ProgressWhen, SessionSort, SessionsFormat, ShowFormat,
    SortKey, StatsFormat, StatsName, TimeClock, TimeStamps,
};

use super::exit::TABLE;
use crate::capture::Spool;
use crate::filter;
use crate::names::Names;
use crate::report::columns::{COLUMNS, Column};
use crate::report::findings;
use crate::report::session_columns::{SESSION_COLUMNS, SessionColumn};
use crate::report::{FORMATS, Format};
use crate::rules;
use crate::time::Span;

/// Captures in; for every connection how it lived, who ended it, why, how sure, and the frames that prove it.
///
/// Without a verb the terminal interface opens; where the output is no terminal, the summary is printed.
#[derive(Debug, Parser)]
#[command(
    name = "ghostshark",
    version,
    after_long_help = TABLE,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    #[command(flatten)]
    pub(super) summary: SummaryArgs,
    #[cfg(feature = "tui")]
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
}

/// How the terminal interface looks and begins.
#[cfg(feature = "tui")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Terminal interface")]
pub(super) struct ScreenArgs {
    /// Begin anew: do not come back to the place, marks and notes of the last time
    #[arg(long)]
    pub(super) fresh: bool,
    /// Draw with ASCII signs only
    #[arg(long)]
    pub(super) ascii: bool,
    /// The files grow: read on as more comes, as standard input (-) always is
    #[arg(long)]
    pub(super) follow: bool,
    /// The policy that M writes mutes into and that says which findings are muted
    #[arg(long, value_name = "FILE", default_value = ".ghostshark/policy.toml", value_hint = ValueHint::FilePath)]
    pub(super) policy: PathBuf,
    /// The baseline that b writes known findings into
    #[arg(long, value_name = "FILE", default_value = ".ghostshark/baseline.jsonl", value_hint = ValueHint::FilePath)]
    pub(super) baseline: PathBuf,
    /// default, high-contrast, light, mono, or a theme file
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) theme: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// One screen: capture quality, connections by end, the worst, the longest
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Summary(SummaryArgs),
    /// One line per connection: who, how long, how it ended, why
    #[command(arg_required_else_help = true, after_long_help = TABLE, visible_alias = "conns")]
    Connections(ConnectionsArgs),
    /// One line per session: who, how long, how it ended, the letters of its life
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Sessions(SessionsArgs),
    /// The story of a session: what happened, what was owed, how it ended, what to do next
    #[command(arg_required_else_help = true, after_long_help = TABLE,
              override_usage = "ghostshark show [OPTIONS] <FILE>... <ID>...")]
    Show(ShowArgs),
    /// One line per event: what was said, in twelve words that are the same for every protocol
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Events(EventsArgs),
    /// What is wrong, why, how sure, whose fault, the frames that prove it, and how to mend it
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Findings(FindingsArgs),
    /// The text of a session over all its connections, secrets masked
    #[command(arg_required_else_help = true, after_long_help = TABLE,
              override_usage = "ghostshark follow [OPTIONS] <FILE>... <ID>...")]
    Follow(FollowArgs),
    /// What differs between two recordings of the same: sessions lost, new, ended otherwise, slower; findings
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Diff(DiffArgs),
    /// The frames of sessions as a capture of their own, with what was found as comments
    #[command(arg_required_else_help = true, after_long_help = TABLE,
              override_usage = "ghostshark export [OPTIONS] --pcapng <OUT> <FILE>... <ID>...")]
    Export(ExportArgs),
    /// A capture in which nobody can be known: other addresses, no payload, no secrets
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Redact(RedactArgs),
    /// One line per packet, its decoded fields, its octets; for scripts that know tshark
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Packets(PacketsArgs),
    /// A small table over all sessions
    #[command(arg_required_else_help = true, after_long_help = TABLE,
              override_usage = "ghostshark stats [OPTIONS] <FILE>... <NAME>")]
    Stats(StatsArgs),
    /// The whole result in one document
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Report(ReportArgs),
    /// The gate of a merge: rules, asserts and a baseline decide, and the exit code says it
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Check(CheckArgs),
    /// The findings that are known, for `check --baseline`
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Baseline(BaselineArgs),
    /// A policy to begin with, the mistakes of one, or what one means
    #[command(arg_required_else_help = true, after_long_help = TABLE, subcommand)]
    Policy(PolicyVerb),
    /// The page of a rule: what it finds, why it matters, how it is decided, how to mend it
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Explain(ExplainArgs),
    /// All rules, one a line
    #[command(after_long_help = TABLE)]
    Rules(RulesArgs),
    /// The names that filters may use: type, what they are facts of, example
    #[command(after_long_help = TABLE)]
    Fields(FieldsArgs),
    /// The JSON Schema of the machine formats
    #[command(after_long_help = TABLE)]
    Schema(SchemaArgs),
    /// A completion script for a shell
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Completions(CompletionsArgs),
    /// The man page, in roff
    #[command(after_long_help = TABLE)]
    Man(ManArgs),
    /// What this program would do here: settings and where each is from, the terminal, folders
    #[command(after_long_help = TABLE)]
    Doctor(DoctorArgs),
    /// A story becomes a capture: a bug can be shown without private packets
    #[command(arg_required_else_help = true, after_long_help = TABLE)]
    Forge(ForgeArgs),
}

impl Cli {
    /// Where the verb keeps the names that the settings know, if it reads captures.
    pub(super) fn known_names_mut(&mut self) -> Option<&mut Names> {
        let input = match &mut self.verb {
            None => &mut self.summary.input,
            Some(Verb::Summary(args)) => &mut args.input,
            Some(Verb::Connections(args)) => &mut args.input,
            Some(Verb::Sessions(args)) => &mut args.input,
            Some(Verb::Show(args)) => &mut args.input,
            Some(Verb::Events(args)) => &mut args.input,
            Some(Verb::Findings(args)) => &mut args.input,
            Some(Verb::Follow(args)) => &mut args.input,
            Some(Verb::Packets(args)) => &mut args.input,
            Some(Verb::Stats(args)) => &mut args.input,
            Some(Verb::Report(args)) => &mut args.input,
            Some(Verb::Check(args)) => &mut args.input,
            Some(Verb::Baseline(args)) => &mut args.input,
            Some(Verb::Export(args)) => &mut args.input,
            Some(Verb::Diff(args)) => return Some(&mut args.known_names),
            Some(
                Verb::Policy(_)
                | Verb::Redact(_)
                | Verb::Explain(_)
                | Verb::Rules(_)
                | Verb::Fields(_)
                | Verb::Schema(_)
                | Verb::Doctor(_)
                | Verb::Completions(_)
                | Verb::Man(_)
                | Verb::Forge(_),
            ) => return None,
        };
        Some(&mut input.known_names)
    }
}

/// What is read and how: the same for every verb that analyses.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct InputArgs {
    /// Captures to read as one timeline; - is standard input
    ///
    /// A file may be pcap, pcapng or snoop, plain or compressed: its content decides. A pattern such as
    /// 'day*.pcap' that the shell did not expand is expanded. Of a folder, all files that are captures by their
    /// names (.pcap .pcapng .cap .dmp .trc .snoop, a number after them, .gz .zst .lz4 after that) are read in
    /// order of name, folders in it too, hidden ones not.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath, required_unless_present = "read")]
    pub(super) files: Vec<PathBuf>,
    /// The same as a FILE argument, for tshark habits
    #[arg(short = 'r', long = "read", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(super) read: Vec<PathBuf>,
    /// Threads to use; 0 for one a core. Never changes a result
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(..=1024))]
    pub(super) threads: usize,
    /// End with code 3 if any input is damaged; what is readable is still analysed
    #[arg(long)]
    pub(super) strict_input: bool,
    /// Take segments that a mirror port recorded twice for retransmissions
    #[arg(long)]
    pub(super) no_dedup: bool,
    /// Add this to the times of a file, whose recorder's clock was wrong: FILE=DURATION, as tap2.pcap=-0.5s
    #[arg(long = "clock-offset", value_name = "FILE=DURATION", value_parser = clock_offset, allow_hyphen_values = true, hide_short_help = true)]
    pub(super) clock_offsets: Vec<(PathBuf, Span)>,
    /// Names of hosts and services, in the syntax of hosts(5), where an address may have a port: 10.0.0.5:5432 orders-db
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) names: Option<PathBuf>,
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
    /// Names that the settings know, too.
    #[arg(skip)]
    pub(super) known_names: Names,
    /// What came through standard input, where it is read more than once.
    #[arg(skip)]
    pub(super) kept: OnceLock<Arc<Spool>>,
    /// Print no result; end with code 0 if there is something to show, with 1 if there is nothing
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Progress on standard error: by itself for a large input on a terminal, or one JSON object a line
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) progress: ProgressWhen,
    // tshark reads a file once or, with -2, twice, and resolves names unless told -n. Here every result is that of
    // two passes and no name is ever looked up, so that both may stay in a command line that was written for tshark.
    #[arg(short = '2', hide = true)]
    pub(super) two_passes: bool,
    #[arg(short = 'n', hide = true)]
    pub(super) no_names: bool,
}

/// Where settings come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingsArgs {
    /// Settings from this file alone, in place of .ghostshark.toml and the user's own
    #[arg(short = 'C', long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub(super) config: Option<PathBuf>,
    /// The profile of the settings that goes before the rest of them
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub(super) profile: Option<String>,
}

/// How text looks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct LookArgs {
    /// Show everything, not only what fits one screen
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Colours in text; auto means on a terminal where `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
    /// Times in text
    #[arg(long, value_name = "CLOCK", default_value = "rel")]
    pub(super) time: TimeClock,
}

/// Which of the rows are wanted.
#[derive(Debug, Clone, Args)]
pub(super) struct FilterArgs {
    /// Only those that satisfy this display filter
    ///
    /// The language is Wireshark's, with fields of sessions, connections and findings: session.end.kind == "silent",
    /// tcp.analysis.retransmission && session.idle.max > 300s. `ghostshark fields` lists the names. Of a session, a
    /// field of packets means some packet of it.
    #[arg(short = 'Y', long, help_heading = "Input", value_name = "FILTER", allow_hyphen_values = true)]
    pub(super) filter: Option<String>,
}

/// Where the result goes, and how times look in it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
    /// Times in machine formats
    #[arg(long, value_name = "FORM", default_value = "rfc3339")]
    pub(super) ts: TimeStamps,
    #[command(flatten)]
    pub(super) also: ReportsArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SummaryArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text", help = FORMAT_HELP,
          value_parser = formats(&["text", "json", "jsonl"]))]
    pub(super) format: &'static Format,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ConnectionsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text", help = FORMAT_HELP,
          value_parser = formats(&["text", "json", "jsonl", "csv"]))]
    pub(super) format: &'static Format,
    /// Whose words it is written in
    #[arg(long = "as", help_heading = "Output", value_name = "WHOSE", default_value = "native")]
    pub(super) vocabulary: As,
    /// Columns of csv, or of tab-separated text, by name; may be given several times
    #[arg(short = 'e', long = "field", help_heading = "Output", value_name = "NAME", value_delimiter = ',',
          value_parser = columns(), hide_short_help = true)]
    pub(super) fields: Vec<&'static Column>,
    /// Order of the connections; all but id put the largest first
    #[arg(long, help_heading = "Output", value_name = "KEY", default_value = "id")]
    pub(super) sort: SortKey,
    /// At most this many connections
    #[arg(long, help_heading = "Output", value_name = "N", visible_alias = "top")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SessionsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: SessionsFormat,
    /// Whose words it is written in; only ECS has a word for sessions
    #[arg(long = "as", help_heading = "Output", value_name = "WHOSE", default_value = "native")]
    pub(super) vocabulary: As,
    /// Columns of csv, or of tab-separated text, by name; may be given several times
    #[arg(short = 'e', long = "field", help_heading = "Output", value_name = "NAME", value_delimiter = ',',
          value_parser = session_columns(), hide_short_help = true)]
    pub(super) fields: Vec<&'static SessionColumn>,
    /// Order of the sessions; all but id put the largest first
    #[arg(long, help_heading = "Output", value_name = "KEY", default_value = "id")]
    pub(super) sort: SessionSort,
    /// At most this many sessions
    #[arg(long, help_heading = "Output", value_name = "N", visible_alias = "top")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// Behind the files stand the sessions that are meant: `S-0001`, or 1, or a filter.
#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// Every session
    #[arg(long)]
    pub(super) all: bool,
    /// Show who said what to whom, too
    #[arg(long, help_heading = "Output")]
    pub(super) ladder: bool,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: ShowFormat,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: EventsFormat,
    /// At most this many events
    #[arg(long, help_heading = "Output", value_name = "N", visible_alias = "top")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct FindingsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: FindingsFormat,
    /// Whose words it is written in
    #[arg(long = "as", help_heading = "Output", value_name = "WHOSE", default_value = "native")]
    pub(super) vocabulary: As,
    /// What they stand under
    #[arg(long, help_heading = "Output", value_name = "BY", default_value = "rule")]
    pub(super) group: FindingsGroup,
    /// Remarks, guesses and consequences of other findings, too
    #[arg(long, help_heading = "Output")]
    pub(super) all: bool,
    /// Findings of this rule only, by code or name; may be given several times
    #[arg(long = "rule", help_heading = "Output", value_name = "RULE", value_delimiter = ',', value_parser = rule_name)]
    pub(super) rules: Vec<String>,
    /// At most this many findings
    #[arg(long, help_heading = "Output", value_name = "N", visible_alias = "top")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct PacketsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: PacketsFormat,
    /// Fields of -T fields, by their names in Wireshark; may be given several times
    #[arg(short = 'e', long = "field", help_heading = "Output", value_name = "NAME", value_delimiter = ',')]
    pub(super) fields: Vec<String>,
    /// Every field of every packet, as a tree
    #[arg(short = 'V', long = "decode", help_heading = "Output")]
    pub(super) decode: bool,
    /// Every octet of every packet
    #[arg(short = 'x', long = "bytes", help_heading = "Output")]
    pub(super) bytes: bool,
    /// Only this packet, by its number in the run; may be given several times
    #[arg(long = "frame", help_heading = "Output", value_name = "N", value_delimiter = ',')]
    pub(super) frames: Vec<u64>,
    /// At most this many packets
    #[arg(long, help_heading = "Output", value_name = "N", visible_alias = "top")]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// How packets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PacketsFormat {
    /// Text for people
    Text,
    /// The fields that -e names, with a tab between them and a comma between several values of one
    Fields,
    /// One JSON object a line, with every field
    Jsonl,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ExplainArgs {
    /// The rule, by code or name
    #[arg(value_name = "RULE", value_parser = rule_name)]
    pub(super) rule: String,
    /// Colours in text; auto means on a terminal where `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
}

#[derive(Debug, Clone, Args)]
pub(super) struct RulesArgs {
    /// One JSON object a line, with the whole page of each rule
    #[arg(long)]
    pub(super) json: bool,
    /// Colours in text; auto means on a terminal where `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
}

#[derive(Debug, Clone, Args)]
pub(super) struct FieldsArgs {
    /// Only names that hold this text, or that this pattern with * fits
    #[arg(value_name = "PATTERN")]
    pub(super) pattern: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub(super) json: bool,
    /// Colours in text; auto means on a terminal where `NO_COLOR` is not set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
}

/// The code of a rule that is named by code or name.
fn rule_name(word: &str) -> Result<String, String> {
    if let Some(rule) = rules::named(word) {
        return Ok(rule.code.to_owned());
    }
    let likeness = |rule: &&&rules::Rule| {
        let near = |name: &str| (strsim::jaro_winkler(word, name) * 1000.0) as u32;
        near(rule.name).max(near(rule.code))
    };
    let nearest = rules::CATALOGUE.iter().max_by_key(likeness);
    let nearest = nearest.map_or(String::new(), |rule| format!("; nearest: {} {}", rule.code, rule.name));
    Err(format!("no such rule{nearest}; `ghostshark rules` lists all"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FindingsFormat {
    /// Text for people
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

impl From<FindingsFormat> for findings::Form {
    fn from(format: FindingsFormat) -> Self {
        match format {
            FindingsFormat::Text => Self::Text,
            FindingsFormat::Json => Self::Json,
            FindingsFormat::Jsonl => Self::Jsonl,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FindingsGroup {
    /// Under their rules
    Rule,
    /// Under the servers they are about
    Server,
    /// Under their sessions
    Session,
}

impl From<FindingsGroup> for findings::Group {
    fn from(group: FindingsGroup) -> Self {
        match group {
            FindingsGroup::Rule => Self::Rule,
            FindingsGroup::Server => Self::Server,
            FindingsGroup::Session => Self::Session,
        }
    }
}

/// Behind the files stands the session that is meant: `S-0001`, or 1, or a filter.
#[derive(Debug, Clone, Args)]
pub(super) struct FollowArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) only: FilterArgs,
    /// One side only: c for the client, s for the server
    #[arg(long, help_heading = "Output", value_name = "SIDE")]
    pub(super) side: Option<FollowSide>,
    /// How the bytes are shown; hex and raw cannot mask secrets and want --show-secrets
    #[arg(long, help_heading = "Output", value_name = "VIEW", default_value = "text")]
    pub(super) view: FollowView,
    /// Show tokens and cookies; passwords stay masked in text
    #[arg(long, help_heading = "Output")]
    pub(super) show_secrets: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// Behind the files stands the table: timers, resume, logins, ends, protocols, services.
#[derive(Debug, Clone, Args)]
pub(super) struct StatsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Form of the result
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "text")]
    pub(super) format: StatsFormat,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[arg(short = 'T', long, help_heading = "Output", value_name = "FORMAT", default_value = "json", help = FORMAT_HELP,
          value_parser = report_kind())]
    pub(super) format: ReportKind,
    /// Write every event too, not only what sessions keep of them
    #[arg(long, help_heading = "Output")]
    pub(super) events: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SchemaArgs {
    /// The format that is described: the document of json, or a line of jsonl
    #[arg(short = 'T', long, value_name = "FORMAT", default_value = "json",
          value_parser = formats(&["json", "jsonl"]))]
    pub(super) format: &'static Format,
}

#[derive(Debug, Clone, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) settings: SettingsArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: Shell,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ManArgs {
    /// The page of this verb instead of that of the program
    pub(super) verb: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ForgeArgs {
    /// The story, in the language of docs/stories.md; - is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) story: PathBuf,
    /// The capture to write; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: PathBuf,
    /// Write pcap with microseconds instead of pcapng with nanoseconds
    #[arg(long)]
    pub(super) pcap: bool,
}

/// `tap2.pcap=-0.5s`.
fn clock_offset(text: &str) -> Result<(PathBuf, Span), String> {
    let (file, offset) = text.rsplit_once('=').ok_or("a clock is corrected by FILE=DURATION")?;
    let offset = offset.strip_prefix('+').unwrap_or(offset);
    let span = filter::duration(offset)
        .ok_or_else(|| format!("`{offset}` is no time; times are written 350ms, -0.5s or 1h"))?;
    Ok((PathBuf::from(file), span))
}

const FORMAT_HELP: &str = "Form of the result";

/// The formats of this list, out of the catalogue.
fn formats(names: &'static [&'static str]) -> impl TypedValueParser<Value = &'static Format> {
    let offered = |format: &&&'static Format| names.contains(&format.name);
    let values =
        FORMATS.iter().filter(offered).map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values).try_map(|name| {
        FORMATS.iter().find(|format| format.name == name).copied().ok_or("not in the catalogue of formats")
    })
}

/// A column, out of the catalogue.
fn columns() -> impl TypedValueParser<Value = &'static Column> {
    let values = COLUMNS.iter().map(|column| PossibleValue::new(column.name).help(column.about));
    PossibleValuesParser::new(values).try_map(|name| {
        COLUMNS.iter().find(|column| column.name == name).ok_or("not in the catalogue of columns")
    })
}

/// A column of sessions, out of the catalogue.
fn session_columns() -> impl TypedValueParser<Value = &'static SessionColumn> {
    let values = SESSION_COLUMNS.iter().map(|column| PossibleValue::new(column.name).help(column.about));
    PossibleValuesParser::new(values).try_map(|name| {
        SESSION_COLUMNS.iter().find(|column| column.name == name).ok_or("not in the catalogue of columns")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_that_is_shown_is_explained() {
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands() {
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
        }
    }

    #[test]
    fn habits_of_tshark_are_understood() {
        let cli = Cli::try_parse_from(["ghostshark", "connections", "-n", "-2", "-r", "a.pcap", "-T", "csv"])
            .unwrap();
        let Some(Verb::Connections(args)) = cli.verb else { panic!("{cli:?}") };
        assert_eq!(args.input.read, [PathBuf::from("a.pcap")]);
        assert_eq!(args.format.name, "csv");
    }
}
