//! Colours and signs. A colour never carries a meaning alone: a letter, a word or a place says the same.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is, for whoever paints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tone {
    Plain,
    Dim,
    Heading,
    Border,
    Focus,
    Selected,
    Tagged,
    Good,
    Info,
    Warning,
    Error,
    Critical,
    Client,
    Server,
    Match,
    Key,
}

impl Tone {
    /// All of them, in order of the table of a palette.
    pub const ALL: [Self; 16] = [
        Self::Plain,
        Self::Dim,
        Self::Heading,
        Self::Border,
        Self::Focus,
        Self::Selected,
        Self::Tagged,
        Self::Good,
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Client,
        Self::Server,
        Self::Match,
        Self::Key,
    ];

    /// Its name in a theme file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dim => "dim",
            Self::Heading => "heading",
            Self::Border => "border",
            Self::Focus => "focus",
            Self::Selected => "selected",
            Self::Tagged => "tagged",
            Self::Good => "good",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Client => "client",
            Self::Server => "server",
            Self::Match => "match",
            Self::Key => "key",
        }
    }
}

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, or none wanted: bold, underlined and reversed text only.
    Mono,
    /// The first eight.
    Eight,
    /// The sixteen that the user's terminal gives names to.
    Sixteen,
    /// The cube of 256.
    Cube,
    /// 24 bits.
    True,
}

impl Depth {
    /// What the environment says; `no_color` wins over everything.
    pub fn told(no_color: bool, term: &str, colorterm: &str) -> Self {
        match (term, colorterm) {
            _ if no_color => Self::Mono,
            ("dumb" | "vt100" | "vt220", _) => Self::Mono,
            (_, "truecolor" | "24bit") => Self::True,
            (term, _) if term.contains("256color") => Self::Cube,
            ("linux" | "ansi", _) => Self::Eight,
            _ => Self::Sixteen,
        }
    }
}

/// How a tone looks: the colour for deep terminals, the one of sixteen for others, and what needs no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    rgb: Option<(u8, u8, u8)>,
    named: Option<Color>,
    modifier: Modifier,
}

const fn look(rgb: (u8, u8, u8), named: Color, modifier: Modifier) -> Look {
    Look { rgb: Some(rgb), named: Some(named), modifier }
}

const fn bare(modifier: Modifier) -> Look {
    Look { rgb: None, named: None, modifier }
}

const NONE: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const REVERSED: Modifier = Modifier::REVERSED;

/// Blue and orange, which are told apart by whoever cannot tell red from green.
const BLUE_ORANGE: [Look; 16] = [
    bare(NONE),
    look((128, 138, 150), Color::DarkGray, NONE),
    look((120, 180, 255), Color::LightBlue, BOLD),
    look((88, 100, 116), Color::DarkGray, NONE),
    look((120, 180, 255), Color::LightBlue, BOLD),
    bare(REVERSED),
    look((215, 190, 255), Color::LightMagenta, BOLD),
    look((140, 200, 220), Color::Cyan, NONE),
    look((120, 180, 255), Color::LightBlue, NONE),
    look((240, 200, 90), Color::Yellow, NONE),
    look((255, 150, 50), Color::LightRed, BOLD),
    look((255, 150, 50), Color::LightRed, BOLD.union(REVERSED)),
    look((120, 180, 255), Color::LightBlue, NONE),
    look((255, 190, 120), Color::Yellow, NONE),
    look((240, 200, 90), Color::Yellow, Modifier::UNDERLINED),
    look((140, 200, 220), Color::Cyan, NONE),
];

/// Nothing dim, everything bold that matters.
const HIGH_CONTRAST: [Look; 16] = [
    look((255, 255, 255), Color::White, NONE),
    look((255, 255, 255), Color::White, NONE),
    look((255, 255, 255), Color::White, BOLD.union(Modifier::UNDERLINED)),
    look((255, 255, 255), Color::White, NONE),
    look((255, 255, 0), Color::LightYellow, BOLD),
    bare(BOLD.union(REVERSED)),
    look((255, 255, 0), Color::LightYellow, BOLD),
    look((255, 255, 255), Color::White, NONE),
    look((0, 255, 255), Color::LightCyan, BOLD),
    look((255, 255, 0), Color::LightYellow, BOLD),
    look((255, 160, 0), Color::LightRed, BOLD),
    look((255, 160, 0), Color::LightRed, BOLD.union(REVERSED)),
    look((0, 255, 255), Color::LightCyan, BOLD),
    look((255, 255, 0), Color::LightYellow, BOLD),
    look((255, 255, 0), Color::LightYellow, BOLD.union(REVERSED)),
    look((0, 255, 255), Color::LightCyan, BOLD),
];

/// For dark text on a light ground.
const LIGHT: [Look; 16] = [
    bare(NONE),
    look((110, 110, 110), Color::DarkGray, NONE),
    look((0, 70, 160), Color::Blue, BOLD),
    look((160, 160, 160), Color::Gray, NONE),
    look((0, 70, 160), Color::Blue, BOLD),
    bare(REVERSED),
    look((110, 40, 140), Color::Magenta, BOLD),
    look((0, 90, 110), Color::Cyan, NONE),
    look((0, 70, 160), Color::Blue, NONE),
    look((140, 95, 0), Color::Yellow, NONE),
    look((180, 70, 0), Color::Red, BOLD),
    look((180, 70, 0), Color::Red, BOLD.union(REVERSED)),
    look((0, 70, 160), Color::Blue, NONE),
    look((150, 80, 0), Color::Yellow, NONE),
    look((140, 95, 0), Color::Yellow, Modifier::UNDERLINED),
    look((0, 90, 110), Color::Cyan, NONE),
];

/// No colour at all.
const MONO: [Look; 16] = [
    bare(NONE),
    bare(Modifier::DIM),
    bare(BOLD),
    bare(Modifier::DIM),
    bare(BOLD),
    bare(REVERSED),
    bare(BOLD),
    bare(NONE),
    bare(NONE),
    bare(NONE),
    bare(BOLD),
    bare(BOLD.union(REVERSED)),
    bare(NONE),
    bare(NONE),
    bare(Modifier::UNDERLINED),
    bare(BOLD),
];

/// The palettes that are built in, by name.
pub const PALETTES: [&str; 4] = ["default", "high-contrast", "light", "mono"];

fn palette(name: &str) -> Option<&'static [Look; 16]> {
    match name {
        "default" => Some(&BLUE_ORANGE),
        "high-contrast" => Some(&HIGH_CONTRAST),
        "light" => Some(&LIGHT),
        "mono" => Some(&MONO),
        _ => None,
    }
}

/// Signs beside letters; the plain ones are for terminals and eyes that want nothing but ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Glyphs {
    pub ellipsis: &'static str,
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub corners: [&'static str; 4],
    pub right: &'static str,
    pub left: &'static str,
    pub open: &'static str,
    pub shut: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub bar: &'static str,
    pub rest: &'static str,
    pub mark: &'static str,
    pub heights: [&'static str; 5],
    pub dotted: &'static str,
}

const LINES: Glyphs = Glyphs {
    ellipsis: "…",
    horizontal: "─",
    vertical: "│",
    corners: ["┌", "┐", "└", "┘"],
    right: "▶",
    left: "◀",
    open: "▾",
    shut: "▸",
    up: "▴",
    down: "▾",
    bar: "█",
    rest: "░",
    mark: "●",
    heights: [" ", "▁", "▃", "▅", "█"],
    dotted: "┄",
};

const ASCII: Glyphs = Glyphs {
    ellipsis: "~",
    horizontal: "-",
    vertical: "|",
    corners: ["+", "+", "+", "+"],
    right: ">",
    left: "<",
    open: "v",
    shut: ">",
    up: "^",
    down: "v",
    bar: "#",
    rest: ".",
    mark: "*",
    heights: [" ", ".", ":", "|", "#"],
    dotted: ".",
};

/// A palette on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name: one of [`PALETTES`], or that of the file.
    pub name: String,
    depth: Depth,
    looks: [Look; 16],
    /// The signs.
    pub glyphs: Glyphs,
}

impl Theme {
    /// A palette by name; the default one where there is none of that name.
    pub fn new(name: &str, depth: Depth, ascii: bool) -> Self {
        let known = if palette(name).is_some() { name } else { "default" };
        Self {
            name: known.to_owned(),
            depth,
            looks: *palette(known).unwrap_or(&BLUE_ORANGE),
            glyphs: if ascii { ASCII } else { LINES },
        }
    }

    /// Whether there is such a palette.
    pub fn is_known(name: &str) -> bool {
        palette(name).is_some()
    }

    /// The same signs and colours of the terminal with another palette.
    #[must_use]
    pub fn with(&self, name: &str) -> Self {
        Self { glyphs: self.glyphs, ..Self::new(name, self.depth, false) }
    }

    /// A palette from the text of a theme file: `base`, and under `[tones]` what differs, as in
    /// `error = "#ff9632 bold"`.
    ///
    /// # Errors
    /// What the file says that is not understood.
    pub fn from_file(&self, text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|cause| format!("not TOML: {cause}"))?;
        let base = table.get("base").and_then(toml::Value::as_str).unwrap_or("default");
        if !Self::is_known(base) {
            return Err(format!("base: no palette {base:?}; there are {}", PALETTES.join(", ")));
        }
        let mut theme = self.with(base);
        for (key, value) in &table {
            match (key.as_str(), value) {
                ("base", _) => {}
                ("name", toml::Value::String(name)) => theme.name.clone_from(name),
                ("tones", toml::Value::Table(tones)) => {
                    for (name, value) in tones {
                        theme
                            .set(name, value.as_str().unwrap_or_default())
                            .map_err(|why| format!("tones.{why}"))?;
                    }
                }
                _ => return Err(format!("{key}: not known; there are base, name and [tones]")),
            }
        }
        Ok(theme)
    }

    /// A palette from the entries of a configuration: `base` and a palette's name, and tones with how they look.
    ///
    /// # Errors
    /// What is wrong with each of those that are not understood.
    pub fn from_entries<'e>(
        &self,
        entries: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Result<Self, Vec<String>> {
        let (mut theme, mut wrong) = (self.clone(), Vec::new());
        let (bases, tones): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(name, _)| *name == "base");
        for (_, base) in bases {
            if Self::is_known(base) {
                theme = self.with(base);
            } else {
                let near = nearest_name(base, PALETTES.into_iter());
                wrong.push(format!("base: no palette {base:?}{near}; there are {}", PALETTES.join(", ")));
            }
        }
        wrong.extend(tones.into_iter().filter_map(|(name, look)| theme.set(name, look).err()));
        if wrong.is_empty() { Ok(theme) } else { Err(wrong) }
    }

    /// Changes how a tone looks.
    fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let Some(place) = Tone::ALL.iter().position(|tone| tone.name() == name) else {
            let near = nearest_name(name, Tone::ALL.into_iter().map(Tone::name));
            return Err(format!("{name}: there is no such tone{near}"));
        };
        let new = parse(text).ok_or_else(|| {
            format!("{name}: {text:?} is not understood; as in \"#ff9632 bold\" or \"blue\"")
        })?;
        if let Some(look) = self.looks.get_mut(place) {
            *look = new;
        }
        Ok(())
    }

    /// How a tone looks here.
    pub fn style(&self, tone: Tone) -> Style {
        let place = Tone::ALL.iter().position(|other| *other == tone).unwrap_or(0);
        let Some(look) = self.looks.get(place) else { return Style::default() };
        if self.depth == Depth::Mono {
            let plain = MONO.get(place).map_or(NONE, |mono| mono.modifier);
            return Style::default().add_modifier(plain | (look.modifier & (BOLD | REVERSED)));
        }
        let mut style = Style::default().add_modifier(look.modifier);
        if let Some(colour) = self.colour(look) {
            style = style.fg(colour);
        }
        style
    }

    fn colour(&self, look: &Look) -> Option<Color> {
        match (self.depth, look.rgb) {
            (Depth::Mono, _) => None,
            (Depth::True, Some((r, g, b))) => Some(Color::Rgb(r, g, b)),
            (Depth::Cube, Some(rgb)) => Some(Color::Indexed(nearest(rgb))),
            (Depth::Eight, _) => look.named.map(dull),
            _ => look.named,
        }
    }
}

/// The name that a word may have meant, for a sentence.
fn nearest_name<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> String {
    super::keys::nearest(word, names).map(|near| format!(": did you mean {near:?}?")).unwrap_or_default()
}

/// The nearest colour of the cube of 256.
fn nearest((r, g, b): (u8, u8, u8)) -> u8 {
    let step = |value: u8| (u16::from(value) * 5 + 127) / 255;
    (16 + 36 * step(r) + 6 * step(g) + step(b)) as u8
}

/// The one of the first eight colours that is nearest to one of sixteen.
fn dull(colour: Color) -> Color {
    match colour {
        Color::LightBlue => Color::Blue,
        Color::LightCyan => Color::Cyan,
        Color::LightRed => Color::Red,
        Color::LightYellow => Color::Yellow,
        Color::LightMagenta => Color::Magenta,
        // Bright black is invisible where there are only eight.
        Color::DarkGray | Color::Gray => Color::White,
        other => other,
    }
}

/// `#ff9632 bold`, `blue`, `reversed`.
fn parse(text: &str) -> Option<Look> {
    let mut look = bare(NONE);
    for word in text.split_whitespace() {
        match word {
            "bold" => look.modifier |= BOLD,
            "dim" => look.modifier |= Modifier::DIM,
            "underlined" => look.modifier |= Modifier::UNDERLINED,
            "reversed" => look.modifier |= REVERSED,
            word => match word.parse::<Color>().ok()? {
                Color::Rgb(r, g, b) => {
                    look.rgb = Some((r, g, b));
                    look.named = Some(Color::Indexed(nearest((r, g, b))));
                }
                named => look = Look { rgb: None, named: Some(named), ..look },
            },
        }
    }
    Some(look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours() {
        for (no_color, term, colorterm, depth) in [
            (true, "xterm-256color", "truecolor", Depth::Mono),
            (false, "dumb", "", Depth::Mono),
            (false, "xterm-256color", "truecolor", Depth::True),
            (false, "screen-256color", "", Depth::Cube),
            (false, "linux", "", Depth::Eight),
            (false, "xterm", "", Depth::Sixteen),
        ] {
            assert_eq!(Depth::told(no_color, term, colorterm), depth, "{term}");
        }
    }

    #[test]
    fn without_colours_no_tone_has_one() {
        for name in PALETTES {
            let theme = Theme::new(name, Depth::Mono, false);
            for tone in Tone::ALL {
                let style = theme.style(tone);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {tone:?}");
            }
        }
    }

    #[test]
    fn entries_of_a_configuration_are_understood_or_refused() {
        let theme = Theme::new("default", Depth::True, true);
        let mine = theme.from_entries([("error", "#010203"), ("base", "light")]).unwrap();
        assert_eq!(mine.style(Tone::Error).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(mine.style(Tone::Heading).fg, Some(Color::Rgb(0, 70, 160)));
        let wrong = theme.from_entries([("eror", "red"), ("error", "rod"), ("base", "lihgt")]).unwrap_err();
        assert_eq!(wrong.len(), 3);
        assert!(wrong[0].contains("did you mean \"light\""), "{}", wrong[0]);
        assert!(wrong[1].contains("did you mean \"error\""), "{}", wrong[1]);
    }

    #[test]
    fn a_theme_file_changes_what_it_names() {
        let theme = Theme::new("default", Depth::True, true);
        let mine = theme.from_file("base = \"light\"\n[tones]\nerror = \"#010203 bold\"\n").unwrap();
        assert_eq!(mine.style(Tone::Error).fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(mine.style(Tone::Heading).fg, Some(Color::Rgb(0, 70, 160)));
        assert_eq!(mine.glyphs.ellipsis, "~");
        for wrong in ["base = \"pink\"", "[tones]\nnope = \"red\"", "[tones]\nerror = \"rod\"", "x = 1", "["]
        {
            assert!(theme.from_file(wrong).is_err(), "{wrong}");
        }
    }
}
