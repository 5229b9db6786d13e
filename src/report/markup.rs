//! The one writer of HTML and SVG: names of elements and attributes are the program's own, and whatever is text is escaped.
//!
//! There is no way to hand it markup that was put together elsewhere, so that nothing from the wire can become a tag.

use std::io::{self, Write};

use crate::escape;

/// An attribute: its name, and its value as it is before escaping.
pub(in crate::report) type Attribute<'a> = (&'static str, &'a str);

/// Writes elements, attributes and text.
pub(in crate::report) struct Markup<'w> {
    out: &'w mut dyn Write,
}

impl<'w> Markup<'w> {
    /// Onto this.
    pub(in crate::report) fn new(out: &'w mut dyn Write) -> Self {
        Self { out }
    }

    fn tag(&mut self, name: &'static str, attributes: &[Attribute<'_>]) -> io::Result<()> {
        write!(self.out, "<{name}")?;
        for (name, value) in attributes {
            write!(self.out, " {name}=\"{}\"", escape::markup(value))?;
        }
        Ok(())
    }

    /// Begins an element.
    pub(in crate::report) fn open(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
    ) -> io::Result<()> {
        self.tag(name, attributes)?;
        self.out.write_all(b">")
    }

    /// Ends it.
    pub(in crate::report) fn close(&mut self, name: &'static str) -> io::Result<()> {
        write!(self.out, "</{name}>")
    }

    /// An element that holds nothing.
    pub(in crate::report) fn empty(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
    ) -> io::Result<()> {
        self.tag(name, attributes)?;
        self.out.write_all(b"/>")
    }

    /// An element that holds text.
    pub(in crate::report) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.text(text)?;
        self.close(name)
    }

    /// Text.
    pub(in crate::report) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(escape::markup(text).as_bytes())
    }

    /// The end of a line, which means nothing.
    pub(in crate::report) fn line(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// Something of the program's own, as it is: a style, a script, the first line of a document.
    pub(in crate::report) fn fixed(&mut self, own: &Fixed) -> io::Result<()> {
        self.out.write_all(own.text().as_bytes())
    }
}

/// A text that was written when the program was: it is not escaped.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Fixed(pub(in crate::report) &'static str);

impl Fixed {
    /// The text with plain line ends, however the sources were checked out: browsers read it so, and what they hash is what
    /// they read.
    pub(in crate::report) fn text(&self) -> String {
        self.0.replace('\r', "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_stay_text() {
        let mut out = Vec::new();
        let mut markup = Markup::new(&mut out);
        markup.element("td", &[("title", "a\" onclick=\"b")], "<script>\u{202e}").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<td title=\"a&quot; onclick=&quot;b\">&lt;script&gt;\\u{202e}</td>"
        );
    }
}
