//! Settings that last: what a file, or the environment, says in place of a flag.
//!
//! A setting is another default of a flag, so that what it may be, and what it does, is said once: by the flag. Order:
//! flag, environment, the project's `.ghostshark.toml`, the user's `config.toml`, the flag's own default; in each file
//! the chosen profile goes before the rest.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::exit::Stop;
use crate::gate::{Timer, Wrong};
use crate::names::Names;

/// A setting that is another default of a flag.
#[derive(Debug)]
pub(super) struct Known {
    /// Its name in a file: section and key.
    pub(super) name: &'static str,
    /// The flag, and the verb that has it where not all verbs mean the same.
    flag: &'static str,
    verb: Option<&'static str>,
    /// Whether it is a list of names.
    list: bool,
    /// The variable of the environment, where it has one.
    pub(super) variable: Option<&'static str>,
}

/// All of them.
pub(super) static KNOWN: [Known; 11] = [
    known("ui.color", "color", "GHOSTSHARK_COLOR"),
    known("ui.time", "time", "GHOSTSHARK_TIME"),
    known("ui.ts", "ts", "GHOSTSHARK_TS"),
    known("ui.progress", "progress", "GHOSTSHARK_PROGRESS"),
    known("ui.verbose", "verbose", "GHOSTSHARK_VERBOSE"),
    known("ui.theme", "theme", "GHOSTSHARK_THEME"),
    known("ui.ascii", "ascii", "GHOSTSHARK_ASCII"),
    known("names.file", "names", "GHOSTSHARK_NAMES"),
    columns("columns.sessions.show", "sessions"),
    columns("columns.connections.show", "connections"),
    Known {
        name: "redact.key",
        flag: "key",
        verb: Some("redact"),
        list: false,
        variable: Some("GHOSTSHARK_REDACT_KEY"),
    },
];

const fn known(name: &'static str, flag: &'static str, variable: &'static str) -> Known {
    Known { name, flag, verb: None, list: false, variable: Some(variable) }
}

const fn columns(name: &'static str, verb: &'static str) -> Known {
    Known { name, flag: "fields", verb: Some(verb), list: true, variable: None }
}

/// Sections of a file whose keys are free.
const FREE: [&str; 4] = ["keys", "theme", "names", "timers"];

/// A value, and which file it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// As it would be typed.
    pub(super) text: String,
    /// The file.
    pub(super) file: PathBuf,
    /// Its line there, from 1.
    pub(super) line: usize,
}

/// What the files say.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The files that were read, the nearest first.
    pub(super) files: Vec<PathBuf>,
    /// The profile that was asked for.
    pub(super) profile: Option<String>,
    /// Other defaults of flags, by the names in [`KNOWN`].
    pub(super) values: BTreeMap<&'static str, Value>,
    /// Names of hosts.
    pub(super) names: Names,
    /// What is known of timers on the path.
    pub(super) timers: Vec<Timer>,
    /// Keys of the terminal interface, each with its command.
    pub(super) keys: Vec<(String, Value)>,
    /// Colours of the terminal interface.
    pub(super) theme: Vec<(String, Value)>,
}

/// Where settings are looked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    config: Option<PathBuf>,
    profile: Option<String>,
}

impl Asked {
    /// What the arguments say, which are not parsed yet: what they may leave out depends on the settings.
    pub(super) fn of(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut asked = Self {
            config: env::var_os("GHOSTSHARK_CONFIG").map(PathBuf::from),
            profile: env::var("GHOSTSHARK_PROFILE").ok(),
        };
        let mut arguments = arguments.into_iter().take_while(|word| word != "--");
        while let Some(word) = arguments.next() {
            match word.split_once('=') {
                Some(("--config", path)) => asked.config = Some(path.into()),
                Some(("--profile", name)) => asked.profile = Some(name.to_owned()),
                _ if word == "-C" || word == "--config" => {
                    asked.config = arguments.next().map(PathBuf::from).or(asked.config);
                }
                _ if word == "--profile" => asked.profile = arguments.next().or(asked.profile),
                _ => {}
            }
        }
        asked
    }
}

impl Settings {
    /// Reads the files that hold.
    ///
    /// # Errors
    /// Where a file that was asked for cannot be read, or one says what cannot be meant.
    pub(super) fn read(asked: Asked) -> Result<Self, Stop> {
        let mut settings = Self { profile: asked.profile, ..Self::default() };
        let paths = match asked.config {
            Some(path) => vec![path],
            None => places().into_iter().filter(|path| path.is_file()).collect(),
        };
        let mut has_profile = settings.profile.is_none();
        for path in paths {
            let text = fs::read_to_string(&path)
                .map_err(|cause| Stop::Usage(format!("{}: cannot read: {cause}", path.display())))?;
            has_profile |= settings
                .add(&path, &text)
                .map_err(|wrong| Stop::Usage(format!("{}, {wrong}", path.display())))?;
            settings.files.push(path);
        }
        if let Some(profile) = settings.profile.as_ref().filter(|_| !has_profile) {
            return Err(Stop::Usage(format!("there is no [profiles.{profile}] in the settings")));
        }
        Ok(settings)
    }

    /// Takes what a file says and nothing nearer says already. Tells whether it has the profile.
    fn add(&mut self, file: &Path, text: &str) -> Result<bool, Wrong> {
        let whole = DeTable::parse(text)
            .map_err(|error| Wrong::at(text, &error.span().unwrap_or(0..0), error.message()))?;
        let mut reading = Reading { file, text, settings: self, names: Names::default() };
        let mut has_profile = false;
        if let Some((key, profiles)) = whole.get_ref().get_key_value("profiles") {
            let profiles = reading.table(key, profiles)?;
            let wanted = reading.settings.profile.clone();
            for (name, profile) in profiles {
                let profile = reading.table(name, profile)?;
                if Some(name.get_ref().as_ref()) == wanted.as_deref() {
                    has_profile = true;
                    reading.sections(profile, true)?;
                }
            }
        }
        reading.sections(whole.get_ref(), false)?;
        let names = reading.names;
        self.names.fill(names);
        Ok(has_profile)
    }

    /// The same flags with other defaults.
    pub(super) fn apply(&self, command: Command) -> Command {
        let command = self.apply_to(command);
        command.mut_subcommands(|verb| self.apply_to(verb))
    }

    fn apply_to(&self, mut command: Command) -> Command {
        for known in &KNOWN {
            let verb = known.verb.is_none_or(|verb| verb == command.get_name());
            if !verb || !command.get_arguments().any(|arg| arg.get_id() == known.flag) {
                continue;
            }
            let value = self.values.get(known.name).map(|value| value.text.clone());
            command = command.mut_arg(known.flag, |mut arg| {
                if let Some(variable) = known.variable {
                    arg = arg.env(variable).hide_env_values(true);
                }
                match value {
                    Some(text) if known.list => {
                        arg.default_values(text.split(',').map(str::to_owned).collect::<Vec<_>>())
                    }
                    Some(text) => arg.default_value(text),
                    None => arg,
                }
            });
        }
        command
    }
}

/// Where settings may lie: `.ghostshark.toml` in this folder or one above it, up to the top of the repository; then the
/// user's own.
pub(super) fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Ok(here) = env::current_dir() {
        for folder in here.ancestors() {
            let file = folder.join(".ghostshark.toml");
            if file.is_file() {
                places.push(file);
                break;
            }
            if folder.join(".git").exists() {
                break;
            }
        }
    }
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let configs = env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from).or(home);
    places.extend(configs.map(|folder| folder.join("ghostshark/config.toml")));
    places
}

/// Reads one file.
struct Reading<'r> {
    file: &'r Path,
    text: &'r str,
    settings: &'r mut Settings,
    names: Names,
}

type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;

impl Reading<'_> {
    fn wrong(&self, at: &std::ops::Range<usize>, reason: impl Into<String>) -> Wrong {
        Wrong::at(self.text, at, reason)
    }

    fn table<'v, 't>(
        &self,
        key: &Key<'_>,
        value: &'v Spanned<DeValue<'t>>,
    ) -> Result<&'v DeTable<'t>, Wrong> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong(&value.span(), format!("{} is a section: [{0}]", key.get_ref()))),
        }
    }

    fn sections(&mut self, table: &DeTable<'_>, in_profile: bool) -> Result<(), Wrong> {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "profiles" if !in_profile => {}
                "names" => self.names(self.table(key, value)?)?,
                "timers" => self.timers(self.table(key, value)?)?,
                "keys" | "theme" => self.screen(key, self.table(key, value)?)?,
                name if KNOWN.iter().any(|known| section(known.name) == name) => {
                    self.values(name, self.table(key, value)?)?;
                }
                name => {
                    let sections = KNOWN.iter().map(|known| section(known.name)).chain(FREE);
                    return Err(self.unknown(key, name, "section", sections.chain(["profiles"])));
                }
            }
        }
        Ok(())
    }

    /// The values of a section, and of those inside of it.
    fn values(&mut self, section: &str, table: &DeTable<'_>) -> Result<(), Wrong> {
        for (key, value) in table {
            let name = format!("{section}.{}", key.get_ref());
            if let Some(known) = KNOWN.iter().find(|known| known.name == name) {
                self.value(known, value)?;
            } else if KNOWN.iter().any(|known| known.name.starts_with(&format!("{name}."))) {
                self.values(&name, self.table(key, value)?)?;
            } else {
                let inside = |known: &'static Known| known.name.strip_prefix(section)?.strip_prefix('.');
                let inside = KNOWN.iter().filter_map(inside);
                return Err(self.unknown(key, key.get_ref(), "setting", inside));
            }
        }
        Ok(())
    }

    fn value(&mut self, known: &'static Known, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let text = match value.get_ref() {
            DeValue::Array(list) if known.list => {
                let texts = list.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                let texts: Option<Vec<String>> = texts.collect();
                texts
                    .map(|texts| texts.join(","))
                    .ok_or_else(|| self.wrong(&value.span(), format!("{} is a list of names", known.name)))?
            }
            DeValue::String(text) if !known.list => text.to_string(),
            DeValue::Boolean(on) => on.to_string(),
            _ if known.list => {
                return Err(self.wrong(&value.span(), format!("{} is a list of names", known.name)));
            }
            _ => return Err(self.wrong(&value.span(), format!("{} is a word in quotes", known.name))),
        };
        self.check(known, &text, value)?;
        let line = self.wrong(&value.span(), "").line;
        let value = Value { text, file: self.file.to_owned(), line };
        self.settings.values.entry(known.name).or_insert(value);
        Ok(())
    }

    /// What the flag would say of it.
    fn check(&self, known: &Known, text: &str, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let Some(arg) = argument(known) else { return Ok(()) };
        let words: Vec<String> = if matches!(arg.get_action(), ArgAction::SetTrue) {
            vec!["true".to_owned(), "false".to_owned()]
        } else {
            let values = arg.get_possible_values();
            values.iter().map(|value| value.get_name().to_owned()).collect()
        };
        for word in text.split(',') {
            if !words.is_empty() && !words.iter().any(|known| known == word) {
                let offered = words.iter().map(String::as_str);
                return Err(self.no_such(&value.span(), word, "value", offered));
            }
        }
        Ok(())
    }

    fn names(&mut self, table: &DeTable<'_>) -> Result<(), Wrong> {
        for (key, value) in table {
            if key.get_ref() == "file" {
                if let Some(known) = KNOWN.iter().find(|known| known.name == "names.file") {
                    self.value(known, value)?;
                }
                continue;
            }
            let name = value
                .get_ref()
                .as_str()
                .ok_or_else(|| self.wrong(&value.span(), "a name is a word in quotes"))?;
            self.names.add(key.get_ref(), name).map_err(|reason| self.wrong(&key.span(), reason))?;
        }
        Ok(())
    }

    fn timers(&mut self, table: &DeTable<'_>) -> Result<(), Wrong> {
        for (name, value) in table {
            let timer = Timer::read(self.text, name.get_ref(), value)?;
            if self.settings.timers.iter().all(|known| known.name != timer.name) {
                self.settings.timers.push(timer);
            }
        }
        Ok(())
    }

    fn screen(&mut self, section: &Key<'_>, table: &DeTable<'_>) -> Result<(), Wrong> {
        for (key, value) in table {
            let text = value.get_ref().as_str().ok_or_else(|| {
                self.wrong(&value.span(), format!("[{}] has words in quotes", section.get_ref()))
            })?;
            let line = self.wrong(&value.span(), "").line;
            let value = Value { text: text.to_owned(), file: self.file.to_owned(), line };
            let list =
                if section.get_ref() == "keys" { &mut self.settings.keys } else { &mut self.settings.theme };
            if list.iter().all(|(known, _)| known != key.get_ref()) {
                list.push((key.get_ref().to_string(), value));
            }
        }
        Ok(())
    }

    fn unknown<'k>(
        &self,
        key: &Key<'_>,
        name: &str,
        what: &str,
        offered: impl Iterator<Item = &'k str>,
    ) -> Wrong {
        self.no_such(&key.span(), name, what, offered)
    }

    fn no_such<'k>(
        &self,
        at: &std::ops::Range<usize>,
        name: &str,
        what: &str,
        offered: impl Iterator<Item = &'k str>,
    ) -> Wrong {
        let mut offered: Vec<&str> = offered.collect();
        offered.sort_unstable();
        offered.dedup();
        let near = offered.iter().map(|known| (strsim::jaro_winkler(name, known), known));
        let reason = match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((likeness, nearest)) if likeness > 0.7 => {
                format!("there is no {what} `{name}`; did you mean `{nearest}`?")
            }
            _ => format!("there is no {what} `{name}`; known are {}", offered.join(", ")),
        };
        self.wrong(at, reason)
    }
}

fn section(name: &'static str) -> &'static str {
    name.split('.').next().unwrap_or(name)
}

/// The flag behind a setting, wherever it stands.
fn argument(known: &Known) -> Option<Arg> {
    use clap::CommandFactory;
    let command = super::flags::Cli::command();
    let of = |command: &Command| {
        let fits = known.verb.is_none_or(|verb| verb == command.get_name());
        command.get_arguments().find(|arg| fits && arg.get_id() == known.flag).cloned()
    };
    of(&command).or_else(|| command.get_subcommands().find_map(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, profile: Option<&str>) -> Result<Settings, Wrong> {
        let mut settings = Settings { profile: profile.map(str::to_owned), ..Settings::default() };
        settings.add(Path::new("a.toml"), text).map(|_| settings)
    }

    const WHOLE: &str = r#"
[ui]
color = "never"
verbose = true
[columns.sessions]
show = ["id", "protocol"]
[names]
"10.0.0.5:5432" = "orders-db"
[timers.db]
match = 'session.server.port == 5432'
path_idle = "350s"
[keys]
"ctrl-p" = "packets"
[profiles.night.ui]
color = "always"
"#;

    #[test]
    fn a_whole_file_is_read() {
        let settings = read(WHOLE, None).unwrap();
        let text = |name: &str| settings.values.get(name).map(|value| (value.text.as_str(), value.line));
        assert_eq!(text("ui.color"), Some(("never", 3)));
        assert_eq!(text("columns.sessions.show"), Some(("id,protocol", 6)));
        assert_eq!(settings.names.service("10.0.0.5".parse().unwrap(), 5432), Some("orders-db"));
        assert_eq!((settings.timers.len(), settings.keys.len()), (1, 1));
        let settings = read(WHOLE, Some("night")).unwrap();
        assert_eq!(settings.values.get("ui.color").map(|value| value.text.as_str()), Some("always"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, line, word) in [
            ("[ui]\ncolour = \"never\"\n", 2, "did you mean `color`"),
            ("[nams]\n", 1, "did you mean `names`"),
            ("[ui]\ncolor = \"sometimes\"\n", 2, "no value `sometimes`"),
            ("[ui]\ncolor = 3\n", 2, "a word in quotes"),
            ("[columns.sessions]\nshow = \"id\"\n", 2, "a list of names"),
            ("[columns.sessions]\nshow = [\"idd\"]\n", 2, "did you mean `id`"),
            ("[names]\n\"db\" = \"10.0.0.5\"\n", 2, "no address"),
            ("[timers.db]\nmatch = 'session.nothing'\npath_idle = \"1s\"\n", 2, "session.nothing"),
            ("ui = 1\n", 1, "is a section"),
            ("[ui\n", 1, ""),
        ] {
            let wrong = read(text, None).unwrap_err();
            assert_eq!(wrong.line, line, "{text}: {wrong}");
            assert!(wrong.reason.contains(word), "{text}: {wrong}");
        }
    }

    #[test]
    fn a_setting_is_another_default_and_a_flag_goes_before_it() {
        use clap::{CommandFactory, FromArgMatches};
        let settings = read(WHOLE, None).unwrap();
        let typed = |words: &[&str]| {
            let command = settings.apply(crate::cli::flags::Cli::command());
            let matches = command.try_get_matches_from(words).unwrap();
            crate::cli::flags::Cli::from_arg_matches(&matches).unwrap()
        };
        let look = |words: &[&str]| match typed(words).verb {
            Some(crate::cli::flags::Verb::Sessions(args)) => {
                (format!("{:?}", args.look.color), args.look.verbose, args.fields.len())
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(look(&["ghostshark", "sessions", "a.pcap"]), ("Never".to_owned(), true, 2));
        let flags = ["ghostshark", "sessions", "a.pcap", "--color", "auto", "-e", "id"];
        assert_eq!(look(&flags), ("Auto".to_owned(), true, 1));
    }

    #[test]
    fn every_setting_has_its_flag() {
        for known in &KNOWN {
            assert!(argument(known).is_some() || !cfg!(feature = "tui"), "{}", known.name);
        }
    }

    #[test]
    fn the_page_shows_every_setting_and_is_one() {
        let page =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).unwrap();
        let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let settings = read(example, Some("night")).unwrap();
        for known in &KNOWN {
            assert!(settings.values.contains_key(known.name), "{}", known.name);
            assert!(known.variable.is_none_or(|variable| page.contains(variable)), "{}", known.name);
        }
        assert_eq!(settings.timers.len(), 1);
    }

    #[test]
    fn the_file_is_known_before_the_flags_are_read() {
        let words =
            ["ghostshark", "sessions", "-C", "x.toml", "a.pcap", "--profile=night", "--", "--config", "y"];
        let asked = Asked::of(words.map(str::to_owned));
        assert_eq!(asked, Asked { config: Some("x.toml".into()), profile: Some("night".to_owned()) });
    }
}
