//! Scripts of mail connections, and what is told of them.

use insta::assert_snapshot;

use super::PROTOCOL;
use crate::events::{Event, Hash128, IdentityKind, Marks, Side};
use crate::protocols::Verdict;
use crate::protocols::rehearsal::{
    Act::{self, C, Fin, Gap, Reset, S},
    play, rehearse, rehearse_in_pieces,
};

/// What is told, the same however the bytes are cut.
fn told(script: &[Act<'_>]) -> String {
    let told = rehearse(25, script);
    for piece in [1, 7] {
        assert_eq!(rehearse_in_pieces(25, script, piece), told, "in pieces of {piece}");
    }
    told
}

const HELLO: [Act<'static>; 3] = [
    S(b"220 mx.example.org ESMTP\r\n"),
    C(b"EHLO client.example\r\n"),
    S(b"250-mx.example.org\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-CHUNKING\r\n250 8BITMIME\r\n"),
];

fn after_hello(script: &[Act<'_>]) -> String {
    told(&[&HELLO[..], script].concat())
}

const MAIL: [Act<'static>; 7] = [
    C(b"MAIL FROM:<anna@a.example> SIZE=60\r\n"),
    S(b"250 2.1.0 Ok\r\n"),
    C(b"RCPT TO:<bert@b.example>\r\n"),
    S(b"250 2.1.5 Ok\r\n"),
    C(b"DATA\r\n"),
    S(b"354 End data with <CR><LF>.<CR><LF>\r\n"),
    C(b"Message-ID: <1@a.example>\r\n\r\nQUIT\r\n..\r\n.\r\n"),
];

#[test]
fn a_mail_from_greeting_to_quit() {
    assert_snapshot!(after_hello(&[
        &MAIL[..],
        &[S(b"250 2.0.0 Ok: queued as 4F2A1\r\n"), C(b"NOOP\r\n"), S(b"250 ok\r\n"), C(b"QUIT\r\n"), S(b"221 bye\r\n")],
    ].concat()), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp turn granted scope=activity 250
    6 C smtp turn asked scope=activity RCPT "bert@b.example"
    7 S smtp checkpoint granted scope=activity minor 250 at=1recipients "bert@b.example"
    8 C smtp turn asked scope=activity DATA
    9 S smtp turn asked scope=activity 354
    10 C smtp checkpoint asked scope=activity major nameless at=1recipients Shows:message(P) "anna@a.example" unsafe
    10-11 S smtp checkpoint granted scope=activity major 250 at=1recipients says="2.0.0 Ok: queued as 4F2A1"
    10-11 S smtp activity granted scope=activity "anna@a.example"
    12 C smtp keep-alive asked NOOP app-ping
    13 S smtp keep-alive granted 250 app-ping
    14 C smtp release asked QUIT
    15 S smtp release granted 221
    "#);
}

#[test]
fn commands_sent_ahead_are_answered_in_order() {
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<anna@a.example>\r\nRCPT TO:<bert@b.example>\r\nRCPT TO:<nobody@b.example>\r\nDATA\r\n"),
        S(b"250 Ok\r\n250 Ok\r\n550 5.1.1 No such user\r\n354 go\r\n"),
        C(b"Hello\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<carl@b.example>\r\nQUIT\r\n"),
        S(b"250 queued as 1\r\n250 Ok\r\n450 4.2.0 Greylisted, try again in 300 seconds\r\n221 bye\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    4 C smtp turn asked scope=activity RCPT "bert@b.example"
    4 C smtp turn asked scope=activity RCPT "nobody@b.example"
    4 C smtp turn asked scope=activity DATA
    5 S smtp turn granted scope=activity 250
    5 S smtp checkpoint granted scope=activity minor 250 at=1recipients "bert@b.example"
    5 S smtp turn refused scope=activity 550 "nobody@b.example" says="5.1.1 No such user"
    5 S smtp turn asked scope=activity 354
    6 C smtp checkpoint asked scope=activity major nameless at=1recipients "anna@a.example" unsafe
    6 C smtp activity asked scope=activity MAIL
    6 C smtp turn asked scope=activity RCPT "carl@b.example"
    6 C smtp release asked QUIT
    6-7 S smtp checkpoint granted scope=activity major 250 at=1recipients says="queued as 1"
    6-7 S smtp activity granted scope=activity "anna@a.example"
    7 S smtp turn granted scope=activity 250
    7 S smtp turn refused scope=activity 450 retryable "carl@b.example" says="4.2.0 Greylisted, try again in 300 seconds"
    7 S smtp release granted 221
    "#);
}

#[test]
fn content_sent_ahead_of_a_no_is_commands() {
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<anna@a.example>\r\nRCPT TO:<bert@b.example>\r\nDATA\r\nRSET\r\n"),
        S(b"250 Ok\r\n554 5.7.1 Relay access denied\r\n554 5.5.1 No valid recipients\r\n250 Ok\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    4 C smtp turn asked scope=activity RCPT "bert@b.example"
    4 C smtp turn asked scope=activity DATA
    4 C smtp turn asked scope=activity RSET
    5 S smtp turn granted scope=activity 250
    5 S smtp authorize refused scope=activity 554 "bert@b.example" says="5.7.1 Relay access denied"
    5 S smtp turn refused scope=activity 554 says="5.5.1 No valid recipients"
    5 S smtp turn granted scope=activity 250
    5 C smtp activity refused scope=activity "anna@a.example"
    "#);
}

#[test]
fn logins_show_the_user_and_never_the_password() {
    let script = [
        &HELLO[..],
        &[
            C(b"AUTH PLAIN AGFubmEAc2VjcmV0\r\n"),
            S(b"535 5.7.8 Authentication failed\r\n"),
            C(b"AUTH LOGIN\r\n"),
            S(b"334 VXNlcm5hbWU6\r\n"),
            C(b"YW5uYQ==\r\n"),
            S(b"334 UGFzc3dvcmQ6\r\n"),
            C(b"c2VjcmV0\r\n"),
            S(b"235 2.7.0 Authentication successful\r\n"),
            C(b"AUTH CRAM-MD5\r\n"),
            S(b"334 PDEyMz4=\r\n"),
            C(b"*\r\n"),
            S(b"501 cancelled\r\n"),
        ],
    ]
    .concat();
    assert_snapshot!(told(&script), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp authenticate asked AUTH by=plain Shows:user(P) who=anna
    5 S smtp authenticate refused 535 by=plain who=anna says="5.7.8 Authentication failed"
    6 C smtp authenticate asked AUTH by=login
    7 S smtp authenticate asked 334 by=login
    8 C smtp authenticate asked nameless by=login Shows:user(P) who=anna
    9 S smtp authenticate asked 334 by=login who=anna
    10 C smtp authenticate asked nameless by=login Shows:user(P) who=anna
    11 S smtp authenticate granted 235 by=login who=anna
    12 C smtp authenticate asked AUTH by=cram-md5
    13 S smtp authenticate asked 334 by=cram-md5
    14 C smtp authenticate asked nameless by=cram-md5
    15 S smtp authenticate refused 501 by=cram-md5 says="cancelled"
    "#);
    for event in play(25, &script, usize::MAX) {
        let shown = format!("{event:?}");
        assert!(!shown.contains("secret") && !shown.contains("c2VjcmV0"), "{shown}");
    }
}

#[test]
fn refusals_say_why() {
    assert_snapshot!(told(&[S(b"554 No SMTP service here\r\n"), Fin(Side::Server)]), @r#"
    1 S smtp establish refused 554 fatal says="No SMTP service here"
    "#);
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<anna@a.example>\r\n"),
        S(b"530 5.7.0 Must issue a STARTTLS command first\r\n"),
        C(b"STARTTLS\r\n"),
        S(b"454 4.7.0 TLS not available\r\n"),
        C(b"MAIL FROM:<anna@a.example>\r\n"),
        S(b"250 ok\r\n"),
        C(b"MAIL FROM:<carl@a.example>\r\n"),
        S(b"503 5.5.1 nested MAIL command\r\n"),
        C(b"RCPT TO:<bert@b.example>\r\n"),
        S(b"452 4.5.3 too many recipients\r\n"),
        C(b"RSET\r\n"),
        S(b"250 ok\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp activity refused scope=activity 530 says="5.7.0 Must issue a STARTTLS command first"
    5 S smtp authenticate asked
    6 C smtp establish asked scope=security STARTTLS
    7 S smtp establish refused scope=security 454 retryable says="4.7.0 TLS not available"
    8 C smtp activity asked scope=activity MAIL "anna@a.example"
    9 S smtp turn granted scope=activity 250
    10 C smtp activity asked scope=activity MAIL "carl@a.example"
    11 S smtp activity refused scope=activity 503 out-of-turn says="5.5.1 nested MAIL command"
    12 C smtp turn asked scope=activity RCPT "bert@b.example"
    13 S smtp turn refused scope=activity 452 retryable "bert@b.example" says="4.5.3 too many recipients"
    14 C smtp turn asked scope=activity RSET
    15 S smtp turn granted scope=activity 250
    15 C smtp activity refused scope=activity "anna@a.example"
    "#);
}

#[test]
fn a_server_hangs_up() {
    assert_snapshot!(after_hello(&[S(b"421 4.4.2 mx.example.org Error: timeout exceeded\r\n"), Fin(Side::Server)]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 S smtp interrupt told 421 fatal retryable timer says="4.4.2 mx.example.org Error: timeout exceeded"
    "#);
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<anna@a.example>\r\n"),
        S(b"421 4.3.2 Service shutting down\r\n"),
        Fin(Side::Server),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp activity refused scope=activity 421 fatal retryable shutdown says="4.3.2 Service shutting down"
    5 S smtp interrupt told fatal retryable shutdown
    "#);
}

#[test]
fn a_mail_is_cut() {
    let cut = [&MAIL[..6], &[C(b"Message-ID: <1@a.example>\r\n\r\nHel"), Reset(Side::Client)]].concat();
    assert_snapshot!(after_hello(&cut), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp turn granted scope=activity 250
    6 C smtp turn asked scope=activity RCPT "bert@b.example"
    7 S smtp checkpoint granted scope=activity minor 250 at=1recipients "bert@b.example"
    8 C smtp turn asked scope=activity DATA
    9 S smtp turn asked scope=activity 354
    10 C smtp interrupt told scope=activity partial at=32bytes "anna@a.example"
    "#);
}

#[test]
fn parts_of_announced_size() {
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<anna@a.example>\r\n"),
        S(b"250 ok\r\n"),
        C(b"RCPT TO:<bert@b.example>\r\n"),
        S(b"250 ok\r\n"),
        C(b"BDAT 8\r\nX: y\r\n\r\n"),
        S(b"250 8 octets\r\n"),
        C(b"BDAT 5 LAST\r\n.\r\n\r\nQUIT\r\n"),
        S(b"250 queued as 2\r\n221 bye\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp turn granted scope=activity 250
    6 C smtp turn asked scope=activity RCPT "bert@b.example"
    7 S smtp checkpoint granted scope=activity minor 250 at=1recipients "bert@b.example"
    8 C smtp turn asked scope=activity BDAT
    9 S smtp checkpoint granted scope=activity minor 250 at=8bytes
    10 C smtp turn asked scope=activity BDAT
    8-10 C smtp checkpoint asked scope=activity major at=1recipients "anna@a.example" unsafe
    10 C smtp release asked QUIT
    8-11 S smtp checkpoint granted scope=activity major 250 at=1recipients says="queued as 2"
    8-11 S smtp activity granted scope=activity "anna@a.example"
    11 S smtp release granted 221
    "#);
    assert_snapshot!(after_hello(&[
        C(b"BDAT x\r\n"),
        S(b"501 5.5.4 Syntax\r\n"),
        C(b"BDAT 0 LAST\r\n"),
        S(b"503 5.5.1 no mail\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp turn asked scope=activity BDAT
    5 S smtp turn refused scope=activity 501 says="5.5.4 Syntax"
    6 C smtp turn asked scope=activity BDAT
    6 C smtp checkpoint asked scope=activity major at=0recipients unsafe
    6-7 S smtp activity refused scope=activity 503 out-of-turn says="5.5.1 no mail"
    "#);
}

#[test]
fn local_delivery_answers_for_each_recipient() {
    assert_snapshot!(told(&[
        S(b"220 mda LMTP\r\n"),
        C(b"LHLO a\r\n"),
        S(b"250-mda\r\n250 PIPELINING\r\n"),
        C(b"MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\nDATA\r\n"),
        S(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        C(b"x\r\n.\r\nQUIT\r\n"),
        S(b"250 delivered\r\n452 full\r\n221 bye\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mda LMTP"
    2 C smtp turn asked LHLO "a"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "a@a"
    4 C smtp turn asked scope=activity RCPT "b@b"
    4 C smtp turn asked scope=activity RCPT "c@b"
    4 C smtp turn asked scope=activity DATA
    5 S smtp turn granted scope=activity 250
    5 S smtp checkpoint granted scope=activity minor 250 at=1recipients "b@b"
    5 S smtp checkpoint granted scope=activity minor 250 at=2recipients "c@b"
    5 S smtp turn asked scope=activity 354
    6 C smtp checkpoint asked scope=activity major nameless at=2recipients "a@a" unsafe
    6 C smtp release asked QUIT
    7 S smtp turn told scope=activity 250
    7 S smtp checkpoint granted scope=activity minor
    6-7 S smtp activity refused scope=activity 452 retryable says="full"
    7 S smtp release granted 221
    "#);
}

#[test]
fn a_protected_connection_is_left_alone() {
    assert_snapshot!(after_hello(&[C(b"STARTTLS\r\n"), S(b"220 2.0.0 Ready to start TLS\r\n")]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp establish asked scope=security STARTTLS
    5 S smtp establish granted scope=security 220 says="2.0.0 Ready to start TLS"
    "#);
}

#[test]
fn early_talkers_and_those_who_were_not_told_that_they_may() {
    assert_snapshot!(told(&[
        C(b"HELO a\r\nMAIL FROM:<a@a>\r\n"),
        S(b"220 mx SMTP\r\n250 mx\r\n250 ok\r\n"),
        C(b"RCPT TO:<b@b>\r\nDATA\r\n"),
        S(b"250 ok\r\n354 go\r\n"),
    ]), @r#"
    1 C smtp turn asked HELO out-of-turn "a"
    1 C smtp activity asked scope=activity MAIL "a@a"
    2 S smtp establish granted 220 says="mx SMTP"
    2 S smtp turn granted 250
    2 S smtp turn granted scope=activity 250
    3 C smtp turn asked scope=activity RCPT "b@b"
    3 C smtp turn asked scope=activity DATA out-of-turn
    4 S smtp checkpoint granted scope=activity minor 250 at=1recipients "b@b"
    4 S smtp turn asked scope=activity 354
    "#);
}

#[test]
fn talk_goes_on_behind_a_gap() {
    assert_snapshot!(after_hello(&[
        &MAIL[..6],
        &[
            C(b"Subject: a\r\n\r\n"),
            Gap(Side::Client, 5_000),
            S(b"250 queued as 3\r\n"),
            C(b"QUIT\r\n"),
            S(b"221 bye\r\n"),
        ],
    ].concat()), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "anna@a.example"
    5 S smtp turn granted scope=activity 250
    6 C smtp turn asked scope=activity RCPT "bert@b.example"
    7 S smtp checkpoint granted scope=activity minor 250 at=1recipients "bert@b.example"
    8 C smtp turn asked scope=activity DATA
    9 S smtp turn asked scope=activity 354
    10-12 S smtp checkpoint granted scope=activity major 250 at=1recipients says="queued as 3"
    10-12 S smtp activity granted scope=activity "anna@a.example"
    13 C smtp release asked QUIT
    14 S smtp release granted 221
    "#);
    assert_snapshot!(after_hello(&[
        C(b"MAIL FROM:<a@a>\r\n"),
        Gap(Side::Server, 8),
        C(b"RCPT TO:<b@b>\r\n"),
        S(b"250 ok\r\n"),
    ]), @r#"
    1 S smtp establish granted 220 says="mx.example.org ESMTP"
    2 C smtp turn asked EHLO "client.example"
    3 S smtp turn granted 250
    4 C smtp activity asked scope=activity MAIL "a@a"
    6 C smtp turn asked scope=activity RCPT "b@b"
    7 S smtp checkpoint granted scope=activity minor 250 at=1recipients "b@b"
    "#);
}

#[test]
fn a_client_alone() {
    assert_snapshot!(told(&[
        C(b"EHLO a\r\n"),
        C(b"MAIL FROM:<a@a>\r\n"),
        C(b"RCPT TO:<b@b>\r\n"),
        C(b"DATA\r\n"),
        C(b"x\r\n.\r\n"),
        C(b"QUIT\r\n"),
    ]), @r#"
    1 C smtp turn asked EHLO out-of-turn "a"
    2 C smtp activity asked scope=activity MAIL "a@a"
    3 C smtp turn asked scope=activity RCPT "b@b"
    4 C smtp turn asked scope=activity DATA
    5 C smtp checkpoint asked scope=activity major nameless at=0recipients "a@a" unsafe
    6 C smtp release asked QUIT
    "#);
}

/// Key and token of the mails that the script hands over, and their identities.
fn mails(script: &[Act<'_>]) -> Vec<(Hash128, Option<Hash128>)> {
    let keys = |event: &Event| event.details().action.map(|action| (action.key, action.token));
    play(25, script, usize::MAX)
        .iter()
        .filter(|event| event.marks.has(Marks::NAMELESS))
        .filter_map(keys)
        .collect()
}

#[test]
fn a_mail_sent_twice_is_known_again() {
    let mail = |to: &[u8], content: &[u8]| {
        let bytes =
            [b"EHLO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<c@c>\r\nRCPT TO:<".as_slice(), to, b">\r\nDATA\r\n"]
                .concat();
        let answers = b"220 mx SMTP\r\n250 mx\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";
        let found = mails(&[C(&bytes), S(answers), C(content)]);
        assert_eq!(found.len(), 1);
        found[0]
    };
    let first = mail(b"b@b", b"Date: 1\r\nMessage-ID: <1@a>\r\n\r\nx\r\n.\r\n");
    assert_eq!(first, mail(b"b@b", b"Date: 2\r\nMessage-ID: <1@a>\r\n\r\nx\r\n.\r\n"));
    assert_ne!(first, mail(b"d@b", b"Date: 1\r\nMessage-ID: <1@a>\r\n\r\nx\r\n.\r\n"));
    assert_ne!(first, mail(b"b@b", b"Date: 1\r\nMessage-ID: <2@a>\r\n\r\nx\r\n.\r\n"));
    assert!(first.1.is_some());
    let nameless = mail(b"b@b", b"Date: 1\r\n\r\nx\r\n.\r\n");
    assert_eq!(nameless, mail(b"b@b", b"Date: 2\r\n\r\nx\r\n.\r\n"));
    assert_ne!(nameless, mail(b"b@b", b"Date: 1\r\n\r\ny\r\n.\r\n"));
    assert_eq!(nameless.1, None);
    let script = [&HELLO[..], &MAIL[..]].concat();
    let shown: Vec<_> = play(25, &script, usize::MAX)
        .iter()
        .flat_map(|event| event.details().identities.clone())
        .map(|identity| identity.kind)
        .collect();
    assert_eq!(shown, [IdentityKind::Message]);
}

#[test]
fn first_bytes() {
    use Side::{Client, Server};
    for (side, bytes, verdict) in [
        (Server, &b"220 mx ESMTP\r\n"[..], Verdict::Certain),
        (Server, b"220-spam disliked\r\n", Verdict::Likely),
        (Server, b"220 ProFTPD\r\n", Verdict::No),
        (Server, b"354 go\r\n", Verdict::Likely),
        (Server, b"22", Verdict::Unsure),
        (Server, b"* OK\r\n", Verdict::No),
        (Client, b"EHLO a\r\n", Verdict::Certain),
        (Client, b"NOOP\r\nMAIL FROM:<a>\r\n", Verdict::Likely),
        (Client, b"DATA\r\nSubject: x\r\n", Verdict::Likely),
        (Client, b"QUIT\r\n", Verdict::Unsure),
        (Client, b"AUTH PLAIN x\r\n", Verdict::Unsure),
        (Client, b"AUTH TLS\r\n", Verdict::No),
        (Client, b"USER anna\r\n", Verdict::No),
        (Client, b"POST / HTTP/1.1\r\n", Verdict::No),
        (Client, b"\x16\x03\x01\x02\x00\x01", Verdict::No),
    ] {
        assert_eq!((PROTOCOL.probe)(side, bytes), verdict, "{side:?} {bytes:?}");
    }
}

#[test]
fn hostile_bytes_do_no_harm() {
    let scripts = [
        S(b"220 mx SMTP\r\n250 mx\r\n"),
        C(b"EHLO a\r\nAUTH LOGIN YQ==\r\nMAIL FROM:<a>\r\nRCPT TO:<b\r\nBDAT 18446744073709551615\r\nx\r\n"),
        S(b"334 x\r\n250 ok\r\n354 go\r\n250-x\r\n250 y\r\n421 \r\n"),
        Reset(Side::Client),
    ];
    for act in 0..3 {
        let (S(bytes) | C(bytes)) = scripts[act] else { continue };
        for at in 0..bytes.len() {
            for flip in [0xFF, 0x01, 0x20, 0x2D] {
                let mut changed = bytes.to_vec();
                changed[at] ^= flip;
                let mut script = scripts.to_vec();
                script[act] = if act == 1 { C(&changed) } else { S(&changed) };
                play(25, &script, 5);
                script[act] = if act == 1 { C(&changed[..at]) } else { S(&changed[..at]) };
                play(25, &script, usize::MAX);
            }
        }
    }
    let endless = vec![b'a'; 200_000];
    play(25, &[&MAIL[..6], &[C(&endless), S(&endless)]].concat(), 1_000);
    let many = b"RCPT TO:<a@a>\r\n".repeat(10_000);
    let events = play(25, &[&HELLO[..], &[C(&many)]].concat(), usize::MAX);
    assert_eq!(events.len(), 10_003);
}
