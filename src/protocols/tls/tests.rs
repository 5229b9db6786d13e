//! Whole handshakes as scripts: what is said of each record, in whatever pieces it comes.

use crate::events::security::{ClientCertificate, EarlyData, Offered};
use crate::events::{SecurityFacts, Side};
use crate::protocols::rehearsal::{Act, play, rehearse, rehearse_in_pieces};
use Act::{C, Fin, Gap, Reset, S};

/// What is told of a script, after it was seen to be told the same in any pieces.
fn told(script: &[Act<'_>]) -> String {
    let whole = rehearse(443, script);
    for piece in [1, 3, 7] {
        assert_eq!(rehearse_in_pieces(443, script, piece), whole, "in pieces of {piece}");
    }
    whole
}

/// The last facts told of a script.
fn facts(script: &[Act<'_>]) -> SecurityFacts {
    let events = play(443, script, usize::MAX);
    *events.iter().rev().find_map(|event| event.details().security.clone()).unwrap()
}

fn counted8(body: &[u8]) -> Vec<u8> {
    [&[body.len() as u8], body].concat()
}

fn counted16(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &counted16(body)].concat()
}

/// A record of data of this length.
fn data(length: usize) -> Vec<u8> {
    record(23, &vec![0x5A; length])
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &counted16(body)].concat()
}

/// A handshake message in a record of its own.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    record(22, &message(kind, body))
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted16(body)].concat()
}

fn name(host: &str) -> Vec<u8> {
    let entry = [&[0][..], &counted16(host.as_bytes())].concat();
    extension(0, &counted16(&entry))
}

/// What a TLS 1.3 client says of versions, with a value that means nothing (RFC 8701).
fn versions_13() -> Vec<u8> {
    extension(43, &counted8(&[0xDA, 0xDA, 3, 4, 3, 3]))
}

fn psk(key: &[u8], age: u32) -> Vec<u8> {
    let identity = [&counted16(key)[..], &age.to_be_bytes()].concat();
    extension(41, &[counted16(&identity), counted16(&counted8(&[9; 32]))].concat())
}

const EARLY_DATA: &[u8] = &[0, 42, 0, 0];

fn client_hello(session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let parts =
        [vec![3, 3], vec![7; 32], counted8(session_id), counted16(&[0x13, 2, 0xC0, 0x2F]), counted8(&[0])];
    handshake(1, &[parts.concat(), counted16(&extensions.concat())].concat())
}

fn hello_from(random: &[u8], session_id: &[u8], cipher: [u8; 2], extensions: &[Vec<u8>]) -> Vec<u8> {
    let parts = [vec![3, 3], random.to_vec(), counted8(session_id), cipher.to_vec(), vec![0]];
    handshake(2, &[parts.concat(), counted16(&extensions.concat())].concat())
}

/// A `ServerHello` of TLS 1.2.
fn server_12(session_id: &[u8]) -> Vec<u8> {
    hello_from(&[8; 32], session_id, [0xC0, 0x2F], &[])
}

/// A `ServerHello` of TLS 1.3 that echoes a session id and takes a key or not.
fn server_13(session_id: &[u8], takes_key: bool) -> Vec<u8> {
    let key = if takes_key { extension(41, &[0, 0]) } else { Vec::new() };
    hello_from(&[8; 32], session_id, [0x13, 2], &[extension(43, &[3, 4]), key])
}

fn hello_retry(session_id: &[u8]) -> Vec<u8> {
    hello_from(&super::hello::RETRY, session_id, [0x13, 2], &[extension(43, &[3, 4])])
}

fn certificate() -> Vec<u8> {
    // SEQUENCE { SEQUENCE { [0] version, serial 00C0FFEE, algorithm, issuer, validity } }
    let validity = [&[0x30, 30, 0x17, 13][..], b"260101000000Z", &[0x17, 13], b"271231235959Z"].concat();
    let tbs = [&[0xA0, 3, 2, 1, 2, 2, 4, 0, 0xC0, 0xFF, 0xEE, 0x30, 0, 0x30, 0][..], &validity].concat();
    let der = [&[0x30, tbs.len() as u8 + 2, 0x30, tbs.len() as u8][..], &tbs].concat();
    let entry = [&[0][..], &counted16(&der)].concat();
    message(11, &[&[0][..], &counted16(&entry)].concat())
}

/// Certificate, `ServerKeyExchange`, perhaps `CertificateRequest`, `ServerHelloDone`, in one record.
fn server_flight(asks: bool) -> Vec<u8> {
    let request = if asks { message(13, &[1, 1, 0, 0, 0, 0]) } else { Vec::new() };
    record(22, &[certificate(), message(12, &[4; 80]), request, message(14, &[])].concat())
}

fn new_ticket(lifetime: u32, ticket: &[u8]) -> Vec<u8> {
    handshake(4, &[&lifetime.to_be_bytes()[..], &counted16(ticket)].concat())
}

/// `ChangeCipherSpec` and an encrypted Finished.
fn cipher_change() -> Vec<u8> {
    [record(20, &[1]), record(22, &[0xE7; 40])].concat()
}

fn alert(level: u8, number: u8) -> Vec<u8> {
    record(21, &[level, number])
}

/// An alert that is encrypted as TLS 1.2 does.
fn hidden_alert() -> Vec<u8> {
    record(21, &[0xA1; 26])
}

/// `ChangeCipherSpec` for old boxes, and the Finished of a TLS 1.3 client.
fn finished_13() -> Vec<u8> {
    [record(20, &[1]), data(69)].concat()
}

#[test]
fn a_full_handshake_of_tls_1_2_that_issues_a_ticket() {
    let script = [
        C(&client_hello(&[], &[name("Harbour.example"), extension(35, &[])])),
        S(&server_12(&[1; 32])),
        S(&server_flight(true)),
        C(&[handshake(11, &[0, 0, 0]), handshake(16, &[3; 66]), cipher_change()].concat()),
        S(&[new_ticket(7200, b"ticket-1"), cipher_change()].concat()),
        C(&data(200)),
        S(&[data(900), data(900)].concat()),
        C(&hidden_alert()),
        Fin(Side::Client),
        Fin(Side::Server),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO "Harbour.example"
    2 S tls establish granted scope=security SERVER_HELLO
    3 S tls resume offered scope=security by=tls-session-id Issues:session-id(K)
    3 S tls establish told scope=security
    3 S tls authenticate asked scope=security by=certificate
    4 C tls authenticate told scope=security by=certificate says="no certificate"
    5 S tls resume offered scope=security by=tls-ticket Issues:ticket(K) lifetime=7200s
    6 C tls turn asked inferred opaque
    7 S tls turn granted inferred opaque
    8 C tls release told scope=security inferred opaque nameless says="close_notify"
    "#);
    let facts = facts(&script);
    assert_eq!((facts.version, facts.cipher, facts.resumed), (Some(0x0303), Some(0xC02F), Some(false)));
    assert_eq!(facts.sni.as_deref(), Some("harbour.example"));
    assert_eq!(facts.client_certificate, ClientCertificate::Empty);
    let certificate = facts.certificate.unwrap();
    assert_eq!((&*certificate.serial, certificate.not_after), ("c0ffee", Some(1_830_297_599)));
}

#[test]
fn a_ticket_taken_with_a_session_id_made_up_for_it() {
    let script = [
        C(&client_hello(&[0x77; 32], &[extension(35, b"ticket-1")])),
        S(&[server_12(&[0x77; 32]), new_ticket(0, b"ticket-2"), cipher_change()].concat()),
        C(&cipher_change()),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-ticket Shows:ticket(K)
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls resume offered scope=security by=tls-ticket Issues:ticket(K)
    1-2 S tls resume granted scope=security by=tls-ticket
    2 S tls establish told scope=security
    "#);
    assert_eq!(facts(&script).offered, Offered { ticket: true, ..Offered::default() });
}

#[test]
fn a_ticket_passed_over_in_silence() {
    insta::assert_snapshot!(told(&[
        C(&client_hello(&[0x77; 32], &[extension(35, b"ticket-1")])),
        S(&[server_12(&[]), server_flight(false)].concat()),
        C(&[handshake(16, &[3; 66]), cipher_change()].concat()),
        S(&cipher_change()),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-ticket Shows:ticket(K)
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume refused scope=security silent by=tls-ticket
    2 S tls establish told scope=security
    "#);
}

#[test]
fn a_session_id_that_is_taken() {
    let script = [
        C(&client_hello(&[0x77; 32], &[])),
        S(&[server_12(&[0x77; 32]), cipher_change()].concat()),
        C(&cipher_change()),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-session-id Shows:session-id(K)
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume granted scope=security by=tls-session-id
    2 S tls establish told scope=security
    "#);
    assert_eq!(facts(&script).resumed, Some(true));
}

/// A client that knows TLS 1.3 may have made its session id up for old boxes: what comes of it shows what it was.
#[test]
fn a_session_id_that_may_be_none() {
    let answered = |answer: &[u8], flight: &[u8]| {
        told(&[
            C(&client_hello(&[0x77; 32], &[versions_13()])),
            S(&[&server_12(answer)[..], flight].concat()),
        ])
    };
    insta::assert_snapshot!(answered(&[0x77; 32], &cipher_change()), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    1 C tls resume asked scope=security by=tls-session-id Shows:session-id(K)
    1-2 S tls resume granted scope=security by=tls-session-id
    2 S tls establish told scope=security
    "#);
    insta::assert_snapshot!(answered(&[0x78; 32], &server_flight(false)), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls resume offered scope=security by=tls-session-id Issues:session-id(K)
    2 S tls establish told scope=security
    "#);
}

#[test]
fn the_echo_of_a_session_id_in_tls_1_3_means_nothing() {
    let script = [
        C(&client_hello(&[0x77; 32], &[versions_13(), name("harbour.example")])),
        S(&[server_13(&[0x77; 32], false), record(20, &[1]), data(900)].concat()),
        C(&finished_13()),
        C(&data(300)),
        S(&[data(200), data(200), data(4000)].concat()),
        C(&data(19)),
        Fin(Side::Client),
        S(&data(19)),
        Fin(Side::Server),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO "harbour.example"
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    4 C tls turn asked inferred opaque
    5 S tls turn granted inferred opaque
    6 C tls release told scope=security inferred opaque nameless says="close_notify"
    8 S tls release told scope=security inferred opaque nameless says="close_notify"
    "#);
    let facts = facts(&script);
    assert_eq!((facts.version, facts.resumed), (Some(0x0304), Some(false)));
    assert_eq!(facts.offered, Offered::default());
}

#[test]
fn a_key_that_is_taken_and_what_becomes_of_its_early_data() {
    let hello = client_hello(&[0x77; 32], &[versions_13(), EARLY_DATA.to_vec(), psk(b"key", 5)]);
    let early = [&hello[..], &data(150)].concat();
    let server = [server_13(&[0x77; 32], true), record(20, &[1]), data(120)].concat();
    let taken = [C(&early), S(&server), C(&[data(21), data(69)].concat()), S(&data(500))];
    insta::assert_snapshot!(told(&taken), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-psk Shows:psk(K)
    1 C tls resume asked scope=security by=tls-early-data
    1 C tls turn asked inferred opaque
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume granted scope=security by=tls-psk
    2 S tls establish told scope=security
    3 S tls resume granted scope=security inferred opaque by=tls-early-data
    "#);
    assert_eq!(facts(&taken).early_data, EarlyData::Accepted);
    let refused = [C(&early), S(&server), C(&[data(69), data(200)].concat())];
    insta::assert_snapshot!(told(&refused), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-psk Shows:psk(K)
    1 C tls resume asked scope=security by=tls-early-data
    1 C tls turn asked inferred opaque
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume granted scope=security by=tls-psk
    2 S tls establish told scope=security
    3 S tls resume refused scope=security inferred opaque silent by=tls-early-data
    "#);
    assert_eq!(facts(&refused).early_data, EarlyData::Rejected);
}

#[test]
fn another_try_leaves_no_room_for_early_data() {
    let extensions = [versions_13(), EARLY_DATA.to_vec(), psk(b"key", 5)];
    let script = [
        C(&client_hello(&[0x77; 32], &extensions)),
        S(&hello_retry(&[0x77; 32])),
        C(&client_hello(&[0x77; 32], &[versions_13(), psk(b"key", 5)])),
        S(&[server_13(&[0x77; 32], true), data(120)].concat()),
        C(&finished_13()),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-psk Shows:psk(K)
    1 C tls resume asked scope=security by=tls-early-data
    2 S tls establish granted scope=security HELLO_RETRY_REQUEST
    2 S tls resume refused scope=security silent by=tls-early-data
    3 C tls establish asked scope=security CLIENT_HELLO
    4 S tls establish granted scope=security SERVER_HELLO
    1-4 S tls resume granted scope=security by=tls-psk
    4 S tls establish told scope=security
    "#);
    let facts = facts(&script);
    assert!(facts.retried && facts.resumed == Some(true) && facts.early_data == EarlyData::Rejected);
}

#[test]
fn each_offer_is_answered_by_its_own_way() {
    insta::assert_snapshot!(told(&[
        C(&client_hello(&[0x77; 32], &[versions_13(), extension(35, b"old"), psk(b"by hand", 0)])),
        S(&[server_12(&[0x77; 32]), cipher_change()].concat()),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-psk Shows:psk(P)
    1 C tls resume asked scope=security by=tls-ticket Shows:ticket(K)
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume refused scope=security silent by=tls-psk
    1-2 S tls resume granted scope=security by=tls-ticket
    2 S tls establish told scope=security
    "#);
}

#[test]
fn handshakes_refused_in_clear() {
    let hello = client_hello(&[], &[]);
    insta::assert_snapshot!(told(&[C(&hello), S(&alert(2, 70)), Fin(Side::Server)]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish refused scope=security 70 fatal says="protocol_version"
    2 S tls establish told scope=security
    "#);
    let script = [
        C(&hello),
        S(&[alert(1, 112), server_12(&[]), server_flight(true)].concat()),
        C(&[record(22, &certificate()), cipher_change()].concat()),
        S(&alert(2, 48)),
        Reset(Side::Server),
    ];
    insta::assert_snapshot!(told(&script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls error told scope=security 112 says="unrecognized_name"
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    2 S tls authenticate asked scope=security by=certificate
    3 C tls authenticate asked scope=security by=certificate
    4 S tls establish refused scope=security 48 fatal says="unknown_ca"
    4 S tls authenticate refused scope=security by=certificate
    "#);
    let facts = facts(&script);
    assert_eq!(facts.alerts, [(1, 112), (2, 48)]);
    assert_eq!(facts.client_certificate, ClientCertificate::Shown);
}

#[test]
fn a_server_of_another_protocol_answers_in_clear() {
    let script = [C(&client_hello(&[], &[])), S(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")];
    insta::assert_snapshot!(rehearse(443, &script), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish refused scope=security fatal nameless says="HTTP/1.1 400 Bad Request"
    2 S tls establish told scope=security
    "#);
}

#[test]
fn refusals_that_nobody_can_read() {
    let hello = client_hello(&[], &[versions_13()]);
    let server = [server_13(&[], false), data(900)].concat();
    // The client does not like the certificate.
    let hidden = [record(20, &[1]), data(19)].concat();
    insta::assert_snapshot!(told(&[C(&hello), S(&server), C(&hidden), Fin(Side::Client)]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    3 C tls establish refused scope=security inferred opaque fatal nameless
    "#);
    // The server does not like the client's, and says so when the client believes to be in.
    insta::assert_snapshot!(told(&[
        C(&hello), S(&server), C(&[data(25), data(69)].concat()), C(&data(100)), S(&data(19)), Fin(Side::Server),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    4 C tls turn asked inferred opaque
    5 S tls abort told scope=security inferred opaque fatal nameless
    "#);
    // A client that says good-bye at once is answered in kind.
    insta::assert_snapshot!(told(&[
        C(&hello), S(&server), C(&[data(69), data(19)].concat()), Fin(Side::Client), S(&data(19)), Fin(Side::Server),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    3 C tls release told scope=security inferred opaque nameless says="close_notify"
    5 S tls release told scope=security inferred opaque nameless says="close_notify"
    "#);
    let refusal = alert(2, 48);
    // After a refusal in clear, what the server still encrypts is no second one.
    insta::assert_snapshot!(told(&[
        C(&hello), S(&server), C(&refusal), S(&data(19)), Fin(Side::Server),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    2 S tls establish told scope=security
    3 C tls establish refused scope=security 48 fatal says="unknown_ca"
    "#);
}

#[test]
fn a_hello_over_several_records() {
    let hello = client_hello(&[], &[name("harbour.example"), extension(21, &[0; 600])]);
    let (first, rest) = hello[5..].split_at(90);
    let (second, third) = rest.split_at(200);
    let (first, second, third) = (record(22, first), record(22, second), record(22, third));
    insta::assert_snapshot!(told(&[C(&first), C(&second), C(&third), S(&server_12(&[]))]), @r#"
    1-3 C tls establish asked scope=security CLIENT_HELLO "harbour.example"
    4 S tls establish granted scope=security SERVER_HELLO
    4 S tls establish told scope=security
    "#);
}

#[test]
fn a_hello_in_the_form_of_ssl_2() {
    let old = [&[0x80, 0x1F, 1, 3, 1, 0, 6, 0, 0, 0, 16][..], &[5; 22]].concat();
    insta::assert_snapshot!(told(&[C(&old), S(&server_12(&[3; 32])), S(&server_flight(false))]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    2 S tls establish granted scope=security SERVER_HELLO
    3 S tls resume offered scope=security by=tls-session-id Issues:session-id(K)
    3 S tls establish told scope=security
    "#);
}

#[test]
fn what_a_hole_hides_proves_nothing() {
    let hello = client_hello(&[0x77; 32], &[extension(35, b"ticket")]);
    // The server's certificate may be in the hole.
    insta::assert_snapshot!(told(&[
        C(&hello), S(&server_12(&[0x78; 32])), Gap(Side::Server, 1400), S(&[data(30), data(60)].concat()), C(&data(10)),
        S(&data(800)),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-ticket Shows:ticket(K)
    2 S tls establish granted scope=security SERVER_HELLO
    4 S tls turn asked inferred opaque
    5 C tls turn granted inferred opaque
    6 S tls turn asked inferred opaque
    6 S tls establish told scope=security
    "#);
    let by_id = client_hello(&[0x77; 32], &[]);
    insta::assert_snapshot!(told(&[C(&by_id), S(&server_12(&[0x77; 32])), Gap(Side::Server, 9)]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-session-id Shows:session-id(K)
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume granted scope=security by=tls-session-id
    2 S tls establish told scope=security
    "#);
}

#[test]
fn records_are_found_again_behind_a_hole() {
    let hello = client_hello(&[0x77; 32], &[]);
    insta::assert_snapshot!(told(&[
        C(&hello), S(&[server_12(&[0x77; 32]), cipher_change()].concat()), C(&cipher_change()), C(&data(100)),
        S(&data(3000)[..1000]), Gap(Side::Server, 2100), S(&[&[9; 40][..], &data(50), &data(50)].concat()), C(&data(80)),
        S(&data(800)), S(&hidden_alert()), Fin(Side::Server),
    ]), @r#"
    1 C tls establish asked scope=security CLIENT_HELLO
    1 C tls resume asked scope=security by=tls-session-id Shows:session-id(K)
    2 S tls establish granted scope=security SERVER_HELLO
    1-2 S tls resume granted scope=security by=tls-session-id
    2 S tls establish told scope=security
    4 C tls turn asked inferred opaque
    5 S tls turn granted inferred opaque
    8 C tls turn asked inferred opaque
    9 S tls turn granted inferred opaque
    10 S tls release told scope=security inferred opaque nameless says="close_notify"
    "#);
}

#[test]
fn hostile_bytes_are_no_trouble() {
    let extensions = [versions_13(), name("a.b"), extension(35, b"t"), psk(b"key", 5)];
    let client =
        [client_hello(&[0x77; 32], &extensions), record(22, &certificate()), cipher_change()].concat();
    let server = [server_12(&[0x77; 32]), server_flight(true), new_ticket(9, b"t"), cipher_change()].concat();
    for at in 0..client.len().max(server.len()) {
        let broken = |bytes: &[u8], mask: u8| {
            let mut bytes = bytes.to_vec();
            if let Some(octet) = bytes.get_mut(at) {
                *octet ^= mask;
            }
            bytes
        };
        for mask in [0x01, 0x80, 0xFF] {
            let (client, server) = (broken(&client, mask), broken(&server, mask));
            let script =
                [C(&client), S(&server), C(&client), S(&server), Fin(Side::Client), Reset(Side::Server)];
            let _ = (rehearse(443, &script), rehearse_in_pieces(443, &script, 5));
        }
        let _ = rehearse(443, &[C(&client[..at.min(client.len())]), S(&server[..at.min(server.len())])]);
    }
}
