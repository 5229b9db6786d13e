//! How far the reading is, on standard error: a bar with rate and remaining time, or one JSON object a line.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::flags::ProgressWhen;

/// Below this many bytes the answer is there before a bar could be read.
const LARGE: u64 = 64 << 20;
/// Between two lines of `--progress json`.
const PAUSE: Duration = Duration::from_millis(500);

const BAR: &str = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const SPINNER: &str = "{spinner} {bytes}, {bytes_per_sec}";

/// Shows how far the reading is; gone when it is dropped.
pub(super) struct Progress {
    face: Face,
}

enum Face {
    Nothing,
    Terminal { bar: Option<ProgressBar> },
    Json { last: Option<Instant> },
}

impl Progress {
    /// As the flag asks; on a terminal only where it will not disturb.
    pub(super) fn new(when: ProgressWhen, quiet: bool) -> Self {
        let face = match when {
            ProgressWhen::Json => Face::Json { last: None },
            ProgressWhen::Auto if !quiet && io::stderr().is_terminal() => Face::Terminal { bar: None },
            ProgressWhen::Auto | ProgressWhen::Never => Face::Nothing,
        };
        Self { face }
    }

    /// Bytes read so far, and of how many if that is known.
    pub(super) fn at(&mut self, read: u64, total: Option<u64>) {
        match &mut self.face {
            Face::Nothing => {}
            Face::Terminal { bar } => {
                if total.unwrap_or(read) >= LARGE {
                    bar.get_or_insert_with(|| new_bar(total)).set_position(read);
                }
            }
            Face::Json { last } => {
                let now = Instant::now();
                if last.is_none_or(|last| now.duration_since(last) >= PAUSE) {
                    *last = Some(now);
                    let _ = writeln!(io::stderr().lock(), "{}", json(read, total));
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Face::Terminal { bar: Some(bar) } = &self.face {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    // The templates are constants that a test holds to be right; the default is no worse than none.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn json(read: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!(r#"{{"type":"progress","bytes":{read},"total":{total}}}"#),
        None => format!(r#"{{"type":"progress","bytes":{read}}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_understood() {
        for template in [BAR, SPINNER] {
            ProgressStyle::with_template(template).unwrap();
        }
    }

    #[test]
    fn an_unknown_total_is_absent() {
        assert_eq!(json(5, None), r#"{"type":"progress","bytes":5}"#);
        assert_eq!(json(5, Some(9)), r#"{"type":"progress","bytes":5,"total":9}"#);
    }

    #[test]
    fn a_small_input_gets_no_bar() {
        let mut progress = Progress { face: Face::Terminal { bar: None } };
        progress.at(10, Some(LARGE - 1));
        assert!(matches!(progress.face, Face::Terminal { bar: None }));
    }
}
