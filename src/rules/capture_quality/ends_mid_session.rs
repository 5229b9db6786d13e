//! GSQ902: connections that were still open when the recording ended.

use crate::events::transport::How;
use crate::rules::recordings::{counted, of_connections, tcp};
use crate::rules::{Findings, Population};

rule! {
    /// # What it finds
    /// Connections without an end in the capture.
    ///
    /// # Why it matters
    /// How they ended, and whether they did, is not known: nothing is concluded from what did not come any
    /// more.
    ///
    /// # How it is decided
    /// Neither a FIN nor a RST was seen, and the silence at the end is too short to mean something.
    ///
    /// # What it cannot know
    /// What came after the last frame. A pcap file does not even say how long the recorder went on.
    ///
    /// # How to mend it
    /// Let the recording run until the session is over and for two minutes more.
    ///
    /// # Sources
    /// `domain.md` C.4, D.9.
    "GSQ902", "ends-mid-session", "connections were open when the capture ended", Info, Capture, Population(check)
}

fn check(population: &Population<'_>, findings: &mut Findings) {
    let open = tcp(population, |connection| connection.ended.how == How::CaptureEnd);
    if open.is_empty() {
        return;
    }
    let message = format!("open when the capture ended: {}", counted(open.len(), "connection"));
    findings.add(
        of_connections(&RULE, population, &open, message, "the last that was seen of it")
            .why("no FIN, RST or long enough silence was seen; how these ended is not judged")
            .advice("let the recording run until the session is over, and for two minutes more"),
    );
}
