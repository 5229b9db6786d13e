//! Decryption secrets that a capture carries with it.

use std::fmt;

use crate::place::FileId;

/// Secrets of one pcapng decryption secrets block (draft-ietf-opsawg-pcapng, "Decryption Secrets Block").
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The input that holds them.
    pub file: FileId,
    /// What they are, as the block numbers it; `0x544c534b` is a TLS key log.
    pub kind: u32,
    /// The secrets themselves, never to be printed.
    pub bytes: Vec<u8>,
}

/// Shows how long they are, never what they are.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("file", &self.file)
            .field("kind", &format_args!("{:#010x}", self.kind))
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_secret() {
        let secret = Secret { file: FileId(0), kind: 0x544c_534b, bytes: b"CLIENT_RANDOM 00 11".to_vec() };
        let shown = format!("{secret:?}");
        assert!(
            shown.contains("length: 19") && !shown.contains("CLIENT") && !shown.contains("67"),
            "{shown}"
        );
    }
}
