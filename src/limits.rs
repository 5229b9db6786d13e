//! Every bound in one place, each with its reason.
//!
//! Bounds that can change a result are per side, per connection, per shard or in the ordered stage, never
//! shared between shards: the same input gives the same output on any number of threads.

use crate::time::Span;

/// Bytes of one batch: large enough to amortise the join of two tasks, small enough to stay near the cache.
pub const BATCH_BYTES: usize = 512 << 10;

/// Frames of one batch at most, so that a flood of tiny frames cannot make the packet lists large.
pub const BATCH_FRAMES: usize = 1 << 16;

/// Shards of the flow table. A constant and not the thread count: it decides nothing users can see, and more
/// shards than cores keep one heavy flow from idling the others.
pub const SHARDS: usize = 64;

/// Largest single record accepted in a capture file. Wireshark's own bound is 256 KiB for most link types;
/// larger ones exist (USB, D-Bus: 128 MiB) but hold no TCP, so a record beyond this is taken for damage.
pub const RECORD_BYTES: u32 = 16 << 20;

/// Interfaces remembered in one pcapng section.
pub const INTERFACES: usize = 4096;

/// Interfaces remembered of one capture file over all its sections.
pub const FILE_INTERFACES: usize = 16_384;

/// Capture files held open at one time, well below what systems allow a process. Where more are read side by
/// side, each is opened anew for every piece of it.
pub const OPEN_FILES: usize = 128;

/// Blackouts listed of one capture file: the longest.
pub const BLACKOUTS: usize = 256;

/// Bytes kept of a name, comment or other text of a capture file.
pub const TEXT_BYTES: usize = 4096;

/// Comments and resolved names kept of one capture file.
pub const TEXTS: usize = 10_000;

/// Bytes of decryption secrets kept of one run.
pub const SECRETS_BYTES: usize = 4 << 20;

/// Problems listed, by kind, input and subject.
pub const PROBLEMS: usize = 1_000;

/// Datagrams being put together from fragments at one time; the oldest is given up.
pub const FRAGMENTED_DATAGRAMS: usize = 1_024;

/// Bytes held for fragments at one time.
pub const FRAGMENT_BYTES: usize = 16 << 20;

/// Kinds of traffic that is neither TCP nor UDP, counted by name; forged numbers could make millions.
pub const OTHER_KINDS: usize = 4_096;

/// Time that an unfinished datagram waits for its fragments (RFC 8200 §4.5: 60 seconds).
pub const FRAGMENT_WAIT: Span = Span::from_secs(60);

/// Headers peeled from one frame (VLANs, labels, tunnels); deeper nesting is an attack or a loop.
pub const HEADER_DEPTH: usize = 32;

/// Bytes out of order held for one side of a connection until the hole fills. What lies beyond is declared a gap.
pub const OUT_OF_ORDER_BYTES: usize = 256 << 10;

/// Bytes of one unfinished message held for one side.
pub const MESSAGE_BYTES: usize = 64 << 10;

/// Bytes kept of a text that an event quotes: a path, a topic, a server's own words.
pub const EVENT_TEXT_BYTES: usize = 256;

/// Identities kept of one event.
pub const EVENT_IDENTITIES: usize = 16;

/// Questions of one connection that may be open at once; the oldest is given up.
pub const DIALOG_QUESTIONS: usize = 128;

/// Units of work kept of one connection: the open ones, and the latest others.
pub const WORK_KEPT: usize = 64;

/// Logins kept of one connection.
pub const LOGINS_KEPT: usize = 32;

/// Resumptions kept of one connection.
pub const RESUMES_KEPT: usize = 64;

/// Quiet times kept of one connection: the longest.
pub const QUIET_KEPT: usize = 64;

/// Actions kept of one connection, to know a repetition by.
pub const ACTIONS_KEPT: usize = 256;

/// Refusals with an excuse kept of one connection.
pub const EXCUSES_KEPT: usize = 16;

/// Complaints about a bad sequence kept of one connection.
pub const MISPLACED_KEPT: usize = 8;

/// Identities kept of one connection.
pub const IDENTITIES_KEPT: usize = 64;

/// States kept of one connection.
pub const PHASES_KEPT: usize = 256;

/// Connections kept of one session.
pub const SESSION_LEGS: usize = 65_536;

/// Repeated actions kept of one session.
pub const REPEATS_KEPT: usize = 256;

/// Letters kept of one connection's life.
pub const HISTORY_LETTERS: usize = 256;

/// Bytes of either side that are looked at before a conversation is called opaque.
pub const PROBE_BYTES: usize = 4 << 10;

/// Parse errors without a good message between them before a dissector gives up (`domain.md` E).
pub const PARSE_ERRORS: u32 = 3;

/// Questions of one connection that wait for their answers in protocols that answer in order; of more, the oldest is
/// given up. No client that was seen sends so many commands ahead.
pub const OPEN_QUESTIONS: usize = 1_024;

/// Unacknowledged segments remembered for one side by the parity layer; tshark 4.0.17 has the same bound.
pub const UNACKED_SEGMENTS: usize = 10_000;

/// Announced connections (FTP, iSCSI, H.225) remembered of one shard by the parity layer; more are not followed.
pub const ANNOUNCEMENTS_PER_SHARD: usize = 4_096;

/// Connections with live state in one shard (about one million in a run); the longest idle is folded away.
pub const LIVE_PER_SHARD: usize = 16_384;

/// Flows of TCP in one shard among which none is looked for that could be packed.
pub const AWAKE_PER_SHARD: usize = 32;

/// Finished connections kept as rows in one shard (two million in a run); more fold into counters.
pub const FINISHED_PER_SHARD: usize = 2_000_000 / SHARDS;

/// Gaps listed for one connection; the rest is counted.
pub const GAPS: usize = 64;

/// Frames cited for the end of one connection.
pub const CITED_FRAMES: usize = 8;

/// Bytes that a story can send, and record, at most: tests want small captures, and large ones are made from them.
pub const STORY_BYTES: usize = 256 << 20;

/// Events of a story at most, so that none is played for ever.
pub const STORY_STEPS: u64 = 5_000_000;

/// Bytes of a filter, its macros expanded: what people write is far shorter, and macros could double without end.
pub const FILTER_BYTES: usize = 64 << 10;

/// How deep the brackets of a filter may be nested, and how long a chain of arithmetic may be.
pub const FILTER_DEPTH: usize = 64;

/// Bytes of a compiled regular expression: one in a filter must not fill the memory.
pub const FILTER_REGEX_BYTES: usize = 4 << 20;

/// Events of a session that the terminal interface holds while it tells its story (60 MB): the first half and the last
/// half of them. Of a longer talk it says how much it left out.
pub const RECALLED_EVENTS: usize = 262_144;

/// Events of all sessions that are exported at once from the terminal interface; for more there is the command line.
pub const EXPORTED_EVENTS: usize = 2_097_152;

/// Rows of ladders that the terminal interface remembers of the sessions that were looked at last.
pub const LADDER_ROWS: usize = 524_288;

/// Addresses whose replacement is remembered, and listed, while a capture is redacted; others are computed anew.
pub const REDACTED_ADDRESSES: usize = 1 << 20;

/// How long after its last frame a recorder can have gone on watching: one that says more is not believed.
pub const WATCHED_BEYOND: Span = Span::from_secs(86_400);

/// Frames with parts of datagrams remembered until the datagram is whole, where frames are chosen for a slice.
pub const FRAGMENTS_REMEMBERED: usize = 65_536;

/// Questions to name servers remembered until their answer comes, where frames are chosen for a slice.
pub const RESOLUTION_QUERIES: usize = 65_536;

/// Exchanges with name servers kept in a slice for one client and one server.
pub const RESOLUTIONS_KEPT: usize = 64;
