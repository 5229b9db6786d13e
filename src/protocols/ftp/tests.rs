//! Scripts of control connections, and what is told of them.

use insta::assert_snapshot;

use super::PROTOCOL;
use crate::events::{Side, Stage, Word};
use crate::protocols::Verdict;
use crate::protocols::rehearsal::{
    Act::{self, C, Fin, Gap, Reset, S},
    play, rehearse, rehearse_in_pieces,
};

/// What is told, the same however the bytes are cut.
fn told(script: &[Act<'_>]) -> String {
    let told = rehearse(21, script);
    for piece in [1, 7] {
        assert_eq!(rehearse_in_pieces(21, script, piece), told, "in pieces of {piece}");
    }
    told
}

const LOGIN: [Act<'static>; 5] = [
    S(b"220 ftp.example.org FTP server ready\r\n"),
    C(b"USER anna\r\n"),
    S(b"331 Password required for anna\r\n"),
    C(b"PASS secret\r\n"),
    S(b"230 Logged in\r\n"),
];

fn after_login(script: &[Act<'_>]) -> String {
    told(&[&LOGIN[..], script].concat())
}

#[test]
fn a_download_from_login_to_quit() {
    let script = [
        S(b"220-Pure-FTPd\r\n220 You will be disconnected after 15 minutes of inactivity.\r\n"),
        C(b"USER anna\r\n"),
        S(b"331 Password required for anna\r\n"),
        C(b"PASS secret\r\n"),
        S(b"230 Logged in\r\n"),
        C(b"FEAT\r\n"),
        S(b"211-Features:\r\n MDTM\r\n REST STREAM\r\n SIZE\r\n211 End\r\n"),
        C(b"TYPE I\r\n"),
        S(b"200 Switching to Binary mode.\r\n"),
        C(b"CWD charts\r\n"),
        S(b"250 Directory changed\r\n"),
        C(b"PASV\r\n"),
        S(b"227 Entering Passive Mode (10,0,0,2,195,80).\r\n"),
        C(b"RETR sound.bin\r\n"),
        S(b"150 Opening BINARY mode data connection for sound.bin (41000 bytes).\r\n"),
        S(b"226 Transfer complete.\r\n"),
        C(b"NOOP\r\n"),
        S(b"200 Zzz\r\n"),
        C(b"QUIT\r\n"),
        S(b"221 Goodbye.\r\n"),
    ];
    assert_snapshot!(told(&script), @r#"
    1 S ftp establish granted 220 idle=900s says="Pure-FTPd"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp turn asked FEAT
    7 S ftp turn granted 211
    7 S ftp resume offered scope=activity by=ftp-rest
    8 C ftp turn asked TYPE says="I"
    9 S ftp turn granted 200
    10 C ftp turn asked CWD "charts"
    11 S ftp turn granted 250
    12 C ftp turn asked PASV
    13 S ftp turn granted 227
    14 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "sound.bin" safe
    14-15 S ftp activity told scope=activity 150 patient at=0bytes/41000 "sound.bin"
    14-16 S ftp activity granted scope=activity 226 "sound.bin"
    14-16 S ftp checkpoint granted scope=activity major at=41000bytes/41000 "sound.bin"
    17 C ftp keep-alive asked NOOP app-ping
    18 S ftp keep-alive granted 200 app-ping
    19 C ftp release asked QUIT
    20 S ftp release granted 221
    "#);
    let events = play(21, &script, usize::MAX);
    let expected: Vec<_> = events.iter().filter_map(|event| event.details().expects).collect();
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].listener, ("10.0.0.2".parse().unwrap(), 50_000));
    assert_eq!(expected[0].role, "ftp-data");
    let secret = events.iter().any(|event| format!("{event:?}").contains("secret"));
    assert!(!secret, "the password is nowhere");
}

#[test]
fn restarts_asked_granted_and_refused() {
    assert_snapshot!(after_login(&[
        C(b"TYPE I\r\n"),
        S(b"200 ok\r\n"),
        C(b"SIZE /pub/a.bin\r\n"),
        S(b"213 250000\r\n"),
        C(b"REST 131072\r\n"),
        S(b"350 Restart position accepted (131072).\r\n"),
        C(b"RETR /pub/a.bin\r\n"),
        S(b"150 Opening BINARY mode data connection for /pub/a.bin (118928 bytes).\r\n"),
        S(b"226 Transfer complete.\r\n"),
        C(b"REST 4096\r\n"),
        S(b"502 Command not implemented.\r\n"),
        C(b"REST 0\r\n"),
        S(b"350 Restart position accepted (0).\r\n"),
        C(b"STOR b.bin\r\n"),
        S(b"150 Ok to send data.\r\n"),
        S(b"451 Failure writing to local file.\r\n"),
        C(b"SIZE b.bin\r\n"),
        S(b"213 9000\r\n"),
        C(b"APPE b.bin\r\n"),
        S(b"150 Ok to send data.\r\n"),
        S(b"226 Transfer complete.\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp turn asked TYPE says="I"
    7 S ftp turn granted 200
    8 C ftp turn asked SIZE Shows:object(P) "/pub/a.bin"
    9 S ftp turn granted 213 at=250000bytes/250000 "/pub/a.bin"
    10 C ftp resume asked scope=activity REST at=131072bytes by=ftp-rest
    11 S ftp resume granted scope=activity 350 at=131072bytes by=ftp-rest
    12 C ftp activity asked scope=activity RETR at=131072bytes/250000 Shows:object(P) "/pub/a.bin" safe
    12-13 S ftp activity told scope=activity 150 patient at=131072bytes/250000 "/pub/a.bin"
    12-14 S ftp activity granted scope=activity 226 "/pub/a.bin"
    12-14 S ftp checkpoint granted scope=activity major at=250000bytes/250000 "/pub/a.bin"
    15 C ftp resume asked scope=activity REST at=4096bytes by=ftp-rest
    16 S ftp resume refused scope=activity 502 at=4096bytes by=ftp-rest says="Command not implemented."
    17 C ftp turn asked REST
    18 S ftp turn granted 350
    19 C ftp activity asked scope=activity STOR at=0bytes Shows:object(P) "b.bin" idempotent
    19-20 S ftp activity told scope=activity 150 patient at=0bytes "b.bin"
    19-21 S ftp activity refused scope=activity 451 partial retryable "b.bin" says="Failure writing to local file."
    22 C ftp turn asked SIZE Shows:object(P) "b.bin"
    23 S ftp turn granted 213 at=9000bytes/9000 "b.bin"
    24 C ftp activity asked scope=activity APPE at=9000bytes Shows:object(P) "b.bin" unsafe
    24 C ftp resume asked scope=activity at=9000bytes by=ftp-appe "b.bin"
    24-25 S ftp activity told scope=activity 150 patient at=9000bytes "b.bin"
    25 S ftp resume granted scope=activity at=9000bytes by=ftp-appe "b.bin"
    24-26 S ftp activity granted scope=activity 226 "b.bin"
    24-26 S ftp checkpoint granted scope=activity major "b.bin"
    "#);
}

#[test]
fn markers_of_a_block_mode_transfer() {
    assert_snapshot!(after_login(&[
        C(b"MODE B\r\n"),
        S(b"200 ok\r\n"),
        C(b"STOR a\r\n"),
        S(b"150 ok\r\n"),
        S(b"110 MARK 4096 = 8192\r\n"),
        S(b"250 done\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp turn asked MODE
    7 S ftp turn granted 200
    8 C ftp activity asked scope=activity STOR at=0bytes Shows:object(P) "a" idempotent
    8-9 S ftp activity told scope=activity 150 patient at=0bytes "a"
    8-10 S ftp checkpoint granted scope=activity minor 110 at=4096cookie "a" says="MARK 4096 = 8192"
    8-11 S ftp activity granted scope=activity 250 "a"
    8-11 S ftp checkpoint granted scope=activity major "a"
    "#);
}

#[test]
fn an_abort_goes_before_everything() {
    assert_snapshot!(after_login(&[
        C(b"RETR a\r\n"),
        S(b"150 go\r\n"),
        C(b"PWD\r\n"),
        C(b"\xFF\xF4\xFF\xF2ABOR\r\n"),
        S(b"426 Failure writing network stream.\r\n"),
        S(b"257 \"/\"\r\n"),
        S(b"226 ABOR successful.\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "a" safe
    6-7 S ftp activity told scope=activity 150 patient at=0bytes "a"
    8 C ftp turn asked PWD out-of-turn
    9 C ftp interrupt asked scope=activity ABOR
    6-10 S ftp activity refused scope=activity 426 partial retryable "a" says="Failure writing network stream."
    11 S ftp turn granted 257
    12 S ftp interrupt granted scope=activity 226
    "#);
}

#[test]
fn refusals_say_why() {
    assert_snapshot!(told(&[S(b"421 There are too many connections from your internet address.\r\n"), Fin(Side::Server)]), @r#"
    1 S ftp establish refused 421 fatal retryable limit says="There are too many connections from your internet address."
    "#);
    assert_snapshot!(told(&[
        S(b"220 FTP\r\n"),
        C(b"USER anna\r\n"),
        S(b"530 Sorry, the maximum number of clients for this user are already connected.\r\n"),
        C(b"LIST\r\n"),
        S(b"530 Please login with USER and PASS.\r\n"),
        C(b"USER anna\r\n"),
        S(b"331 ok\r\n"),
        C(b"PASS wrong\r\n"),
        S(b"530 Login incorrect for anna.\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="FTP"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate refused 530 limit by=password who=anna says="Sorry, the maximum number of clients for this user are already connected."
    4 C ftp activity asked scope=activity LIST safe
    4-5 S ftp activity refused scope=activity 530 says="Please login with USER and PASS."
    5 S ftp authenticate asked
    6 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    7 S ftp authenticate asked 331 by=password who=anna
    8 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    9 S ftp authenticate refused 530 by=password who=anna
    "#);
    assert_snapshot!(after_login(&[
        C(b"STOR /etc/passwd\r\n"),
        S(b"550 Permission denied.\r\n"),
        C(b"RETR nothing\r\n"),
        S(b"550 No such file.\r\n"),
        C(b"RETR a\r\n"),
        S(b"425 Failed to establish connection.\r\n"),
        C(b"DELE a\r\n"),
        S(b"450 File busy.\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp activity asked scope=activity STOR at=0bytes Shows:object(P) "/etc/passwd" idempotent
    6-7 S ftp authorize refused scope=activity 550 "/etc/passwd" says="Permission denied."
    7 S ftp activity refused scope=activity "/etc/passwd"
    8 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "nothing" safe
    8-9 S ftp activity refused scope=activity 550 "nothing" says="No such file."
    10 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "a" safe
    10-11 S ftp activity refused scope=activity 425 retryable "a" says="Failed to establish connection."
    12 C ftp turn asked DELE "a" idempotent
    13 S ftp turn refused 450 retryable held "a" says="File busy."
    "#);
}

#[test]
fn a_server_hangs_up() {
    assert_snapshot!(after_login(&[S(b"421 Timeout.\r\n"), Fin(Side::Server)]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 S ftp interrupt told 421 fatal retryable timer says="Timeout."
    "#);
    assert_snapshot!(after_login(&[
        C(b"RETR a\r\n"),
        S(b"150 go\r\n"),
        S(b"421 Data timeout. Reconnect. Sorry.\r\n"),
        Fin(Side::Server),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "a" safe
    6-7 S ftp activity told scope=activity 150 patient at=0bytes "a"
    6-8 S ftp activity refused scope=activity 421 partial fatal retryable timer "a" says="Data timeout. Reconnect. Sorry."
    8 S ftp interrupt told fatal retryable timer
    "#);
}

#[test]
fn commands_sent_ahead_are_answered_in_order() {
    assert_snapshot!(after_login(&[
        C(b"TYPE I\r\nEPSV\r\nREST 10\r\nRETR a\r\n"),
        S(b"200 ok\r\n229 Entering Extended Passive Mode (|||50001|)\r\n350 ok\r\n150 go\r\n226 done\r\n"),
        C(b"EPRT |2|2001:db8::1|6446|\r\nSTOU\r\n"),
        S(b"200 ok\r\n150 FILE: a.1\r\n226 done\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp turn asked TYPE says="I"
    6 C ftp turn asked EPSV
    6 C ftp resume asked scope=activity REST at=10bytes by=ftp-rest
    6 C ftp activity asked scope=activity RETR at=10bytes Shows:object(P) "a" safe
    7 S ftp turn granted 200
    7 S ftp turn granted 229
    7 S ftp resume granted scope=activity 350 at=10bytes by=ftp-rest
    6-7 S ftp activity told scope=activity 150 patient at=10bytes "a"
    6-7 S ftp activity granted scope=activity 226 "a"
    6-7 S ftp checkpoint granted scope=activity major "a"
    8 C ftp turn asked EPRT
    8 C ftp activity asked scope=activity STOU at=0bytes unsafe
    9 S ftp turn granted 200
    8-9 S ftp activity told scope=activity 150 patient at=0bytes "a.1"
    8-9 S ftp activity granted scope=activity 226 "a.1"
    8-9 S ftp checkpoint granted scope=activity major "a.1"
    "#);
}

#[test]
fn a_protected_connection_is_left_alone() {
    assert_snapshot!(told(&[
        S(b"220 Authorized users only\r\n"),
        C(b"AUTH TLS\r\n"),
        S(b"234 Proceed with negotiation.\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="Authorized users only"
    2 C ftp establish asked scope=security AUTH says="TLS"
    3 S ftp establish granted scope=security 234
    "#);
    assert_snapshot!(told(&[S(b"220 FTP\r\n"), C(b"AUTH TLS\r\n"), S(b"504 No.\r\n")]), @r#"
    1 S ftp establish granted 220 says="FTP"
    2 C ftp establish asked scope=security AUTH says="TLS"
    3 S ftp establish refused scope=security 504 says="No."
    "#);
}

#[test]
fn early_talkers_and_broken_answers() {
    assert_snapshot!(told(&[
        C(b"USER anna\r\n"),
        S(b"220 FTP\r\n331 ok\r\n"),
        C(b"SYST\r\n"),
        S(b"SYST not supported\r\n"),
        C(b"nonsense is it\r\n"),
        S(b"500 What?\r\n"),
    ]), @r#"
    1 C ftp authenticate asked USER out-of-turn by=password Shows:user(P) who=anna
    2 S ftp establish granted 220 says="FTP"
    2 S ftp authenticate asked 331 by=password who=anna
    3 C ftp turn asked SYST
    4 S ftp turn granted nameless
    5 C ftp turn asked NONSENSE
    6 S ftp turn refused 500 says="What?"
    "#);
}

#[test]
fn talk_goes_on_behind_a_gap() {
    assert_snapshot!(after_login(&[
        C(b"RETR a\r\n"),
        S(b"150 go\r\n"),
        Gap(Side::Server, 30),
        S(b"plete.\r\n226 done\r\n"),
        C(b"NOOP\r\n"),
        S(b"200 ok\r\n"),
        Gap(Side::Client, 20),
        C(b"QUIT\r\n"),
        S(b"221 bye\r\n"),
    ]), @r#"
    1 S ftp establish granted 220 says="ftp.example.org FTP server ready"
    2 C ftp authenticate asked USER by=password Shows:user(P) who=anna
    3 S ftp authenticate asked 331 by=password who=anna
    4 C ftp authenticate asked PASS by=password Shows:user(P) who=anna
    5 S ftp authenticate granted 230 by=password who=anna
    6 C ftp activity asked scope=activity RETR at=0bytes Shows:object(P) "a" safe
    6-7 S ftp activity told scope=activity 150 patient at=0bytes "a"
    9 S ftp activity granted scope=activity 226
    9 S ftp checkpoint granted scope=activity major
    10 C ftp keep-alive asked NOOP app-ping
    11 S ftp keep-alive granted 200 app-ping
    13 C ftp release asked QUIT
    14 S ftp release granted 221
    "#);
}

#[test]
fn first_bytes() {
    use Side::{Client, Server};
    for (side, bytes, verdict) in [
        (Server, &b"220 (vsFTPd 3.0.3)\r\n"[..], Verdict::Certain),
        (Server, b"220 ready\r\n", Verdict::Likely),
        (Server, b"220 mail ESMTP\r\n", Verdict::No),
        (Server, b"200 news NNTP service\r\n", Verdict::No),
        (Server, b"22", Verdict::Unsure),
        (Server, b"HTTP/1.1 200 OK\r\n", Verdict::No),
        (Server, b"+OK\r\n", Verdict::No),
        (Client, b"USER anna\r\n", Verdict::Likely),
        (Client, b"NOOP\r\nPASV\r\n", Verdict::Likely),
        (Client, b"QUIT\r\n", Verdict::Unsure),
        (Client, b"AUTH PLAIN x\r\n", Verdict::Unsure),
        (Client, b"AUTH TLS\r\n\x16\x03\x01\n", Verdict::Likely),
        (Client, b"MODE READER\r\n", Verdict::Unsure),
        (Client, b"US", Verdict::Unsure),
        (Client, b"EHLO a\r\n", Verdict::No),
        (Client, b"GET / HTTP/1.1\r\n", Verdict::No),
        (Client, b"\x16\x03\x01\x02\x00\x01", Verdict::No),
    ] {
        assert_eq!((PROTOCOL.probe)(side, bytes), verdict, "{side:?} {bytes:?}");
    }
}

#[test]
fn hostile_bytes_do_no_harm() {
    let scripts = [
        S(b"220 FTP\r\n"),
        C(b"USER a\r\nPORT 1,2,3,4,5,6\r\nREST 99999999999999999999\r\nAPPE ../..\r\n"),
        S(b"150 (1 bytes)\r\n110 MARK = \r\n227 (1,2,3,4,5,6)\r\n229 (|||\r\n"),
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
                play(21, &script, 5);
                script[act] = if act == 1 { C(&changed[..at]) } else { S(&changed[..at]) };
                play(21, &script, usize::MAX);
            }
        }
    }
    let endless = vec![b'a'; 200_000];
    play(21, &[S(b"220 FTP\r\n"), C(&endless), S(&endless)], 1_000);
    let many = b"RETR a\r\n".repeat(10_000);
    let events = play(21, &[S(b"220 FTP\r\n"), C(&many)], usize::MAX);
    assert_eq!(events.iter().filter(|event| event.is(Word::Activity, Stage::Asked)).count(), 10_000);
}
