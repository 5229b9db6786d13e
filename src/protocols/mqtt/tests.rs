//! Whole sessions as scripts: what is said of each packet, in whatever pieces it comes.

use super::PROTOCOL;
use super::packet::Kind;
use crate::events::Side;
use crate::protocols::Verdict;
use crate::protocols::rehearsal::{Act, play, rehearse, rehearse_in_pieces};
use Act::{C, Fin, Gap, Reset, S};

/// A packet of this kind with these low bits, and these parts behind its length.
fn packet(kind: Kind, flags: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut octets = vec![(kind as u8) << 4 | flags];
    let mut rest = content.len();
    loop {
        let more = if rest > 0x7f { 0x80 } else { 0 };
        octets.push((rest & 0x7f) as u8 | more);
        rest >>= 7;
        if rest == 0 {
            break;
        }
    }
    octets.extend(content);
    octets
}

/// A text behind its length.
fn text(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text].concat()
}

fn connect(level: u8, flags: u8, keep_alive: u8, parts: &[&[u8]]) -> Vec<u8> {
    let fixed = [0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, keep_alive];
    let all: Vec<&[u8]> = [&fixed[..]].into_iter().chain(parts.iter().copied()).collect();
    packet(Kind::Connect, 0, &all)
}

fn publish(qos: u8, topic: &[u8], id: u16, payload: &[u8]) -> Vec<u8> {
    let id = id.to_be_bytes();
    packet(Kind::Publish, qos << 1, &[&text(topic), if qos > 0 { &id } else { &[] }, payload])
}

fn id(kind: Kind, id: u16) -> Vec<u8> {
    packet(kind, if kind == Kind::Pubrel { 2 } else { 0 }, &[&id.to_be_bytes()])
}

/// What is told of a script, after it was seen to be told the same in any pieces.
fn told(script: &[Act<'_>]) -> String {
    let whole = rehearse(1883, script);
    for piece in [1, 2, 7] {
        assert_eq!(rehearse_in_pieces(1883, script, piece), whole, "in pieces of {piece}");
    }
    whole
}

#[test]
fn a_session_resumed_with_qos_2_on_its_way() {
    let hello = connect(4, 0x00, 60, &[&text(b"gauge-7")]);
    let half = [id(Kind::Pubrel, 4), publish(1, b"plant/level", 5, b"412 mm")].concat();
    insta::assert_snapshot!(told(&[
        C(&hello),
        S(&[0x20, 2, 1, 0]),
        C(&half),
        S(&[id(Kind::Pubcomp, 4), id(Kind::Puback, 5)].concat()),
        C(&publish(2, b"plant/valve", 6, b"open")),
        S(&id(Kind::Pubrec, 6)),
        C(&id(Kind::Pubrel, 6)),
        S(&id(Kind::Pubcomp, 6)),
        C(&[0xe0, 0]),
        Fin(Side::Client),
    ]), @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) keep-alive=60s "gauge-7" says="MQTT 3.1.1"
    1 C mqtt resume asked by=mqtt-session Shows:client-id(P)
    2 S mqtt establish granted CONNACK 0
    2 S mqtt resume granted by=mqtt-session
    2 S mqtt resume offered by=mqtt-session
    3 C mqtt turn asked PUBREL
    3 C mqtt turn asked PUBLISH "plant/level" says="QoS 1" unknown
    4 S mqtt turn granted PUBCOMP
    4 S mqtt checkpoint granted minor at=1messages
    4 S mqtt turn granted PUBACK
    4 S mqtt checkpoint granted minor at=2messages "plant/level"
    5 C mqtt turn asked PUBLISH "plant/valve" says="QoS 2" unsafe
    6 S mqtt turn granted PUBREC
    7 C mqtt turn asked PUBREL
    8 S mqtt turn granted PUBCOMP
    8 S mqtt checkpoint granted minor at=3messages "plant/valve"
    9 C mqtt release told DISCONNECT
    "#);
}

#[test]
fn a_session_that_the_broker_does_not_know() {
    let hello = connect(4, 0xc0, 10, &[&text(b"gauge-7"), &text(b"anna"), &text(b"secret")]);
    let said = told(&[
        C(&hello),
        S(&[0x20, 2, 0, 0]),
        C(&packet(Kind::Subscribe, 2, &[&[0, 9], &text(b"plant/#"), &[1], &text(b"$SYS/#"), &[0]])),
        S(&packet(Kind::Suback, 0, &[&[0, 9, 1, 0x80]])),
        S(&publish(0, b"plant/level", 0, b"1")),
        C(&packet(Kind::Unsubscribe, 2, &[&[0, 10], &text(b"plant/#")])),
        S(&id(Kind::Unsuback, 10)),
        C(&[0xc0, 0]),
        S(&[0xd0, 0]),
        Reset(Side::Server),
    ]);
    assert!(!said.contains("secret"), "a password is told: {said}");
    insta::assert_snapshot!(said, @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) keep-alive=10s "gauge-7" says="MQTT 3.1.1"
    1 C mqtt authenticate asked by=password who=anna
    1 C mqtt resume asked by=mqtt-session Shows:client-id(P)
    2 S mqtt establish granted CONNACK 0
    2 S mqtt authenticate granted
    2 S mqtt resume refused silent by=mqtt-session
    2 S mqtt resume offered by=mqtt-session
    3 C mqtt establish asked scope=subscription SUBSCRIBE "plant/#"
    3 C mqtt establish asked scope=subscription "$SYS/#"
    4 S mqtt establish refused scope=subscription SUBACK 128 "$SYS/#" says="unspecified error"
    4 S mqtt establish granted scope=subscription "plant/#"
    5 S mqtt turn told PUBLISH "plant/level"
    6 C mqtt release asked scope=subscription UNSUBSCRIBE "plant/#"
    7 S mqtt release granted scope=subscription UNSUBACK "plant/#"
    8 C mqtt keep-alive asked PINGREQ
    9 S mqtt keep-alive granted PINGRESP
    "#);
}

#[test]
fn version_5_declares_its_timers_and_gives_its_reasons() {
    let asked = [0x11, 0, 0, 0x0e, 0x10];
    let hello = connect(5, 0x00, 60, &[&[5], &asked, &text(b"")]);
    let granted = [&[0x12][..], &text(b"auto-1"), &[0x13, 0, 30], &[0x11, 0, 0, 0, 90]].concat();
    let welcome = packet(Kind::Connack, 0, &[&[0, 0], &[granted.len() as u8], &granted]);
    let why = [&[0x1f][..], &text(b"over quota")].concat();
    insta::assert_snapshot!(told(&[
        C(&hello),
        S(&welcome),
        C(&packet(Kind::Publish, 2, &[&text(b"a"), &[0, 1], &[3, 0x23, 0, 1], b"x"])),
        C(&packet(Kind::Publish, 10, &[&text(b""), &[0, 2], &[3, 0x23, 0, 1], b"y"])),
        S(&packet(Kind::Puback, 0, &[&[0, 1, 0x10]])),
        S(&packet(Kind::Puback, 0, &[&[0, 2, 0x97], &[why.len() as u8], &why])),
        S(&packet(Kind::Disconnect, 0, &[&[0x8d]])),
    ]), @r#"
    1 C mqtt establish asked CONNECT keep-alive=60s hold=3600s says="MQTT 5.0"
    2 S mqtt establish granted CONNACK 0 Issues:client-id(P) keep-alive=30s hold=90s "auto-1"
    2 S mqtt resume offered by=mqtt-session
    3 C mqtt turn asked PUBLISH "a" says="QoS 1" unknown
    4 C mqtt turn asked PUBLISH repeated "a" says="QoS 1" unknown
    5 S mqtt turn granted PUBACK says="no matching subscribers"
    5 S mqtt checkpoint granted minor at=1messages "a"
    6 S mqtt turn refused PUBACK 151 limit says="over quota"
    7 S mqtt abort told DISCONNECT 141 timer says="keep alive timeout"
    "#);
}

#[test]
fn brokers_say_why_they_end_a_session() {
    let welcome = packet(Kind::Connack, 0, &[&[0, 0, 0]]);
    let mut said = String::new();
    for code in [0x8b, 0x8e, 0x9d, 0x98, 0x81] {
        let hello = connect(5, 0x02, 0, &[&[0], &text(b"c")]);
        let told = told(&[C(&hello), S(&welcome), S(&packet(Kind::Disconnect, 0, &[&[code]]))]);
        said.push_str(told.lines().last().unwrap());
        said.push('\n');
    }
    insta::assert_snapshot!(said, @r#"
    3 S mqtt release told DISCONNECT 139 shutdown says="server shutting down"
    3 S mqtt abort told DISCONNECT 142 taken-over says="session taken over"
    3 S mqtt release told DISCONNECT 157 shutdown says="server moved"
    3 S mqtt abort told DISCONNECT 152 says="administrative action"
    3 S mqtt abort told DISCONNECT 129 says="malformed packet"
    "#);
}

#[test]
fn refused_logins() {
    let mut said = String::new();
    for (level, code) in [(4, 5), (4, 3), (5, 0x86), (5, 0x9c)] {
        let properties: &[u8] = if level == 5 { &[0] } else { &[] };
        let hello = connect(level, 0x82, 0, &[properties, &text(b"c"), &text(b"bob")]);
        let refusal = packet(Kind::Connack, 0, &[&[0, code], properties]);
        let told = told(&[C(&hello), S(&refusal)]);
        for line in told.lines().filter(|line| line.contains(" S ")) {
            said.push_str(line);
            said.push('\n');
        }
    }
    insta::assert_snapshot!(said, @r#"
    2 S mqtt establish refused CONNACK 5 says="not authorized"
    2 S mqtt authenticate refused says="not authorized"
    2 S mqtt establish refused CONNACK 3 retryable says="server unavailable"
    2 S mqtt establish refused CONNACK 134 says="bad user name or password"
    2 S mqtt authenticate refused says="bad user name or password"
    2 S mqtt establish refused CONNACK 156 shutdown says="use another server"
    "#);
}

#[test]
fn an_extended_login_is_a_talk_of_its_own() {
    let method = [&[0x15][..], &text(b"SCRAM-SHA-256")].concat();
    let listed = [&[method.len() as u8][..], &method].concat();
    insta::assert_snapshot!(told(&[
        C(&connect(5, 0x02, 0, &[&listed, &text(b"c")])),
        S(&packet(Kind::Auth, 0, &[&[0x18], &listed])),
        C(&packet(Kind::Auth, 0, &[&[0x18], &listed])),
        S(&packet(Kind::Connack, 0, &[&[0, 0, 0]])),
    ]), @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) "c" says="MQTT 5.0, clean"
    1 C mqtt authenticate asked by=scram
    2 S mqtt authenticate asked AUTH by=scram
    3 C mqtt authenticate asked AUTH by=scram
    4 S mqtt establish granted CONNACK 0
    4 S mqtt authenticate granted
    "#);
}

#[test]
fn mqtt_3_1_has_no_answer_to_a_resumption() {
    let content = [&text(b"MQIsdp")[..], &[3, 0, 0, 5], &text(b"old")].concat();
    let said = told(&[C(&packet(Kind::Connect, 0, &[&content])), S(&[0x20, 2, 0, 0])]);
    insta::assert_snapshot!(said, @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) keep-alive=5s "old" says="MQTT 3.1"
    1 C mqtt resume asked by=mqtt-session Shows:client-id(P)
    2 S mqtt establish granted CONNACK 0
    2 S mqtt resume offered by=mqtt-session
    "#);
}

#[test]
fn a_large_message_is_passed_over_and_told_at_its_end() {
    let large = publish(1, b"firmware", 3, &vec![b'f'; 40_000]);
    let (head, tail) = large.split_at(30_000);
    insta::assert_snapshot!(told(&[
        C(&connect(4, 2, 0, &[&text(b"c")])),
        S(&[0x20, 2, 0, 0]),
        C(head),
        C(tail),
        S(&id(Kind::Puback, 3)),
    ]), @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) "c" says="MQTT 3.1.1, clean"
    2 S mqtt establish granted CONNACK 0
    3-4 C mqtt turn asked PUBLISH "firmware" says="QoS 1" unknown
    5 S mqtt turn granted PUBACK
    5 S mqtt checkpoint granted minor at=1messages "firmware"
    "#);
    insta::assert_snapshot!(told(&[
        C(&connect(4, 2, 0, &[&text(b"c")])),
        S(&[0x20, 2, 0, 0]),
        C(head),
        Reset(Side::Client),
    ]), @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) "c" says="MQTT 3.1.1, clean"
    2 S mqtt establish granted CONNACK 0
    3 C mqtt turn told PUBLISH partial at=30000bytes/40016 "firmware"
    "#);
}

#[test]
fn the_same_message_again_is_known_again() {
    let hello = connect(4, 0, 0, &[&text(b"c")]);
    let mut again = publish(1, b"t", 7, b"21.5");
    again[0] |= 8;
    let said = [publish(1, b"t", 7, b"21.5"), publish(1, b"t", 7, b"21.6"), again];
    let events = play(1883, &[C(&hello), C(&said.concat())], usize::MAX);
    let actions: Vec<_> = events.iter().filter_map(|event| event.details().action).collect();
    assert_eq!(actions.len(), 3);
    assert_eq!(actions[0], actions[2]);
    assert_ne!(actions[0].key, actions[1].key, "another payload is another message");
    assert_ne!(actions[0].token, actions[1].token, "an id that is used again proves nothing");
}

#[test]
fn after_a_gap_the_next_packets_are_found() {
    let hello = connect(4, 2, 0, &[&text(b"c")]);
    let seek = [publish(0, b"t", 0, b"2"), id(Kind::Puback, 4)].concat();
    let script = [
        C(&hello),
        S(&[0x20, 2, 0, 0]),
        S(&publish(1, b"t", 4, b"long")[..5]),
        Gap(Side::Server, 6),
        S(&[0xff; 9]),
        S(&publish(0, b"t", 0, b"1")),
        Gap(Side::Client, 99),
        C(&seek),
    ];
    insta::assert_snapshot!(rehearse(1883, &script), @r#"
    1 C mqtt establish asked CONNECT Shows:client-id(P) "c" says="MQTT 3.1.1, clean"
    2 S mqtt establish granted CONNACK 0
    6 S mqtt turn told PUBLISH "t"
    8 C mqtt turn told PUBLISH "t"
    8 C mqtt turn granted PUBACK
    8 C mqtt checkpoint granted minor at=1messages
    "#);
}

#[test]
fn garbage_is_given_up() {
    let hello = connect(4, 2, 0, &[&text(b"c")]);
    let bad = publish(1, b"t\x01", 4, b"");
    let said = rehearse(1883, &[C(&hello), C(&bad), C(&bad), C(&bad), C(&[0xc0, 0])]);
    assert!(!said.contains("PINGREQ") && said.contains("opaque"), "{said}");
    let mixed = rehearse(1883, &[C(&hello), C(&bad), C(&bad), C(&[0xc0, 0]), C(&bad), C(&[0xc0, 0])]);
    assert_eq!(mixed.matches("PINGREQ").count(), 2, "a good packet pardons: {mixed}");
}

#[test]
fn first_bytes() {
    let hello = connect(4, 2, 0, &[&text(b"c")]);
    let cases: &[(Side, &[u8], Verdict)] = &[
        (Side::Client, &hello, Verdict::Certain),
        (Side::Client, &hello[..7], Verdict::Unsure),
        (Side::Client, &hello[..8], Verdict::Certain),
        (Side::Server, &hello, Verdict::No),
        (Side::Server, &[0x20, 2, 0, 0], Verdict::Likely),
        (Side::Server, &[0x20, 2, 0, 9], Verdict::No),
        (Side::Server, &[0xd0, 0], Verdict::Likely),
        (Side::Client, &[0xd0, 0], Verdict::No),
        (Side::Client, b"GET / HTTP/1.1\r\n", Verdict::No),
        (Side::Client, &[0x16, 3, 1, 0, 200, 1], Verdict::No),
        // LDAP's bind begins like a PUBLISH.
        (Side::Client, &[0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0], Verdict::No),
        (Side::Client, &publish(1, b"plant/level", 3, b"1"), Verdict::Likely),
        (Side::Client, &publish(1, b"plant/level", 0, b"1"), Verdict::No),
    ];
    for (side, bytes, verdict) in cases {
        assert_eq!((PROTOCOL.probe)(*side, bytes), *verdict, "{side:?} {bytes:x?}");
    }
}

#[test]
fn damaged_scripts_do_no_harm() {
    let hello = connect(
        5,
        0xc6,
        60,
        &[&[0], &text(b"c"), &[0], &text(b"w"), &text(b"gone"), &text(b"u"), &text(b"p")],
    );
    let client = [hello, publish(2, b"t", 7, b"x"), id(Kind::Pubrel, 7)].concat();
    let server =
        [packet(Kind::Connack, 0, &[&[1, 0, 0]]), id(Kind::Pubrec, 7), id(Kind::Pubcomp, 7)].concat();
    for at in 0..client.len() {
        for bit in [1, 0x10, 0x80] {
            let mut bent = client.clone();
            bent[at] ^= bit;
            for piece in [3, usize::MAX] {
                play(1883, &[C(&bent), S(&server), C(&client), Fin(Side::Client)], piece);
            }
        }
        play(1883, &[C(&client[..at]), S(&server), Gap(Side::Client, 3), C(&client), Fin(Side::Client)], 5);
    }
}
