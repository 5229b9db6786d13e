//! No byte that a dissector reads stays without a name: what an event rests on is labelled, in every story and
//! recording.

use std::collections::BTreeMap;

use ghostshark::capture::{Batch, Capture, Slice};
use ghostshark::events::{ConnectionKey, Side};
use ghostshark::packet::{Body, Decoder};
use ghostshark::protocols::labels::{Labels, MASK};
use ghostshark::protocols::{self, Conversation, Said};
use ghostshark::scenario::Format;
use ghostshark::stream::Window;
use ghostshark::stream::receiver::{Heard, Origin, Parties, Receiver};
use ghostshark::stream::table::Table;
use ghostshark::time::Timestamp;

use crate::support::{captures, file_of, stories};

/// What separates fields and lines, and is none itself.
const SEPARATORS: &[u8] = b" \t\r\n:-";

/// Listens, and keeps the bytes.
#[derive(Debug, Default)]
struct Listener(Conversation);

#[derive(Debug, Default)]
struct Heeded {
    said: Said,
    streams: BTreeMap<(ConnectionKey, Side), Vec<u8>>,
}

impl Receiver for Listener {
    type Sink = Heeded;

    fn wants_bytes(&self) -> bool {
        self.0.wants_bytes()
    }

    fn hear(&mut self, side: Side, heard: Heard<'_>, now: Origin, parties: &Parties, sink: &mut Heeded) {
        if let Heard::Bytes { offset, bytes, .. } = heard {
            let stream = sink.streams.entry((parties.key, side)).or_default();
            stream.resize(stream.len().max(offset as usize + bytes.len()), 0);
            stream[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        }
        self.0.hear(side, heard, now, parties, &mut sink.said);
    }
}

fn listen(name: &str, bytes: Vec<u8>) -> Heeded {
    let readers: Vec<(_, Box<dyn std::io::Read + Send>)> =
        vec![(name.into(), Box::new(std::io::Cursor::new(bytes)))];
    let mut capture = Capture::from_readers(readers, 1 << 20).unwrap();
    let (mut decoder, mut batch) = (Decoder::new(), Batch::default());
    let mut table: Table<Listener> = Table::new(false, true);
    table.sink().said.labels = Some(Box::default());
    let (mut first, mut last) = (None, Timestamp::default());
    while capture.fill(&mut batch) {
        let mut packets = Vec::new();
        let mut side = std::mem::take(&mut batch.side);
        for record in &batch.frames {
            first.get_or_insert(record.time);
            last = record.time;
            let mut nth = 0;
            decoder.decode(&batch.frame(record), record.bytes, &mut side, &mut |packet| {
                packets.push((packet, packet.order(nth)));
                nth += 1;
            });
        }
        batch.side = side;
        for (packet, order) in &packets {
            let payload = match &packet.body {
                Body::Tcp(head) => head.payload.captured,
                _ => Slice::default(),
            };
            table.packet(packet, *order, batch.bytes(payload), first.unwrap());
        }
    }
    let window = Window { start: first.unwrap_or_default(), end: last, ..Window::default() };
    table.finish(window).1
}

/// Which bytes of each stream are named by a line below that of the protocol.
fn named(labels: &Labels, heeded: &Heeded) -> BTreeMap<(ConnectionKey, Side), Vec<bool>> {
    let mut named: BTreeMap<_, Vec<bool>> =
        heeded.streams.iter().map(|(key, stream)| (*key, vec![false; stream.len()])).collect();
    for message in &labels.messages {
        let Some(bytes) = named.get_mut(&(message.connection, message.side)) else { continue };
        for label in message.labels.iter().filter(|label| label.depth > 0 && !label.computed) {
            let end = (label.bytes.end as usize).min(bytes.len());
            if let Some(range) = bytes.get_mut((label.bytes.start as usize).min(end)..end) {
                range.fill(true);
            }
        }
    }
    named
}

#[test]
fn no_byte_of_a_message_stays_without_a_name() {
    let mut samples: Vec<(String, Vec<u8>)> =
        captures().into_iter().map(|sample| (sample.name, sample.bytes)).collect();
    samples.extend(stories().into_iter().map(|(name, story)| (name, file_of(&story, Format::Pcapng))));
    let (mut told, mut troubles) = (BTreeMap::<&str, u32>::new(), Vec::new());
    for (name, bytes) in samples {
        let heeded = listen(&name, bytes);
        let labels = heeded.said.labels.as_deref().unwrap();
        let named = named(labels, &heeded);
        for event in heeded.said.events.iter().filter(|event| protocols::named(event.protocol).is_some()) {
            let range = event.extent.start as usize..(event.extent.start + event.extent.length) as usize;
            let missing = Side::BOTH.map(|side| {
                let key = (event.connection, side);
                let (stream, named) = (heeded.streams.get(&key)?, named.get(&key)?);
                let end = range.end.min(stream.len());
                let unnamed = (range.start..end).find(|at| !named[*at] && !SEPARATORS.contains(&stream[*at]));
                Some(unnamed.map(|at| String::from_utf8_lossy(&stream[at..end.min(at + 40)]).into_owned()))
            });
            *told.entry(event.protocol).or_default() += 1;
            // What is said of the other side's bytes is told by the side that it is about.
            if !missing.iter().any(|side| matches!(side, Some(None))) && !range.is_empty() {
                troubles.push(format!("{name}: {} {:?} {range:?}: {missing:?}", event.protocol, event.word));
            }
        }
    }
    assert!(
        troubles.is_empty(),
        "{} unnamed:\n{}",
        troubles.len(),
        troubles[..troubles.len().min(20)].join("\n")
    );
    for protocol in protocols::CATALOGUE {
        assert!(told.contains_key(protocol.name), "{} says nothing in any story or recording", protocol.name);
    }
}

#[test]
fn secrets_are_never_values() {
    let mut masked = 0;
    for (name, story) in stories() {
        let heeded = listen(&name, file_of(&story, Format::Pcapng));
        let messages = &heeded.said.labels.as_deref().unwrap().messages;
        for label in messages.iter().flat_map(|message| &message.labels) {
            let text = format!("{:?}", label.value);
            // The passwords of the stories, in FTP and in MQTT.
            assert!(!text.contains("Slate-Harbour"), "{name}: {label:?}");
            assert!(!text.contains("wrong") || label.name != "mqtt.passwd", "{name}: {label:?}");
            masked += u32::from(text.contains(MASK));
        }
    }
    assert!(masked > 0, "no story holds a secret");
}
