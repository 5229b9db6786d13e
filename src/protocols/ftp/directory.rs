//! Where a client stands in the server's tree of files, so that the same file is known by the same path again.

use crate::limits::EVENT_TEXT_BYTES;

/// The working directory, from the one after login on. That one counts as the root: most servers show it as such.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    path: Vec<u8>,
}

impl Directory {
    /// The full path of a file, without dots and doubled strokes, and without the first stroke.
    pub(super) fn path_of(&self, name: &[u8]) -> Vec<u8> {
        let mut path = if name.first() == Some(&b'/') { Vec::new() } else { self.path.clone() };
        for part in name.split(|octet| *octet == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    let parent = path.iter().rposition(|octet| *octet == b'/').unwrap_or(0);
                    path.truncate(parent);
                }
                _ => {
                    if !path.is_empty() {
                        path.push(b'/');
                    }
                    path.extend_from_slice(part);
                }
            }
        }
        path.truncate(EVENT_TEXT_BYTES * 4);
        path
    }

    /// CWD was granted.
    pub(super) fn enter(&mut self, name: &[u8]) {
        self.path = self.path_of(name);
    }

    /// The answer to PWD: a path in quotation marks (RFC 959 §4.2).
    pub(super) fn told(&mut self, text: &[u8]) {
        let mut parts = text.split(|octet| *octet == b'"');
        if let (Some(_), Some(path), Some(_)) = (parts.next(), parts.next(), parts.next()) {
            self.enter(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_file_has_one_path() {
        let mut directory = Directory::default();
        assert_eq!(directory.path_of(b"pub/a"), b"pub/a");
        assert_eq!(directory.path_of(b"/pub//./a"), b"pub/a");
        directory.enter(b"pub");
        directory.enter(b"charts");
        assert_eq!(directory.path_of(b"a"), b"pub/charts/a");
        assert_eq!(directory.path_of(b"../../../a"), b"a");
        directory.enter(b"..");
        assert_eq!(directory.path_of(b"a"), b"pub/a");
        directory.told(br#""/home/anna" is the current directory"#);
        assert_eq!(directory.path_of(b"a"), b"home/anna/a");
        directory.told(b"no path");
        assert_eq!(directory.path_of(b"a"), b"home/anna/a");
    }
}
