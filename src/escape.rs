//! Nothing from the wire leaves raw: text for a terminal, with control and direction-changing characters shown.

use std::fmt::Write as _;

/// Text that is safe to print on a terminal: control characters, escape sequences, bidirectional marks and
/// other invisible characters appear as `\u{..}` or their short names, so they can be seen and cannot act.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            '\\' => safe.push_str("\\\\"),
            c if c.is_control() || is_invisible(c) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", c as u32);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Text inside an element or an attribute of HTML or SVG: beside what [`terminal`] escapes nothing in it is markup.
pub fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Text for a line of Markdown, which may become HTML: beside what [`terminal`] escapes nothing in it is a mark, a link, a
/// tag or the border of a cell.
pub fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            // A name such as @team calls people, and #12 links to an issue.
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Characters that change how their neighbours are shown, or show nothing at all.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // These two are no characters at all, and no XML may hold them.
        | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_acts_in_markdown() {
        assert_eq!(
            markdown("<script>|`x`*[a](b) @all #1"),
            "&lt;script&gt;\\|\\`x\\`\\*\\[a\\](b) &#64;all &#35;1"
        );
    }

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            markup("</script><b a='1' c=\"2\">&amp;\u{202e}\u{ffff}\n"),
            "&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;\\u{202e}\\u{ffff}\\n"
        );
    }

    #[test]
    fn escape_sequences_cannot_act() {
        assert_eq!(terminal("a\x1b[31mred\u{202e}x\n"), "a\\u{1b}[31mred\\u{202e}x\\n");
        assert_eq!(terminal("héllo 日本"), "héllo 日本");
    }
}
