//! Whole handshakes as scripts: what is said of each record, in whatever pieces it comes.
