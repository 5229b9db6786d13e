//! Scripts of conversations in, what is said of them out.

use crate::events::Side;
use crate::protocols::rehearsal::Act::{self, C, Fin, Gap, Reset, S};
use crate::protocols::rehearsal::{play, rehearse, rehearse_in_pieces};

/// Plays a script whole and in pieces, and compares what is said.
fn check(script: &[Act<'_>], expected: &str) {
    let told = rehearse(80, script);
    let wanted: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
    for piece in [1, 7] {
        assert_eq!(rehearse_in_pieces(80, script, piece), told, "in pieces of {piece}");
    }
}

#[test]
fn requests_and_answers_in_a_pipeline() {
    check(
        &[
            C(b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b?token=x HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nno"),
            C(b"POST /c HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
            S(b"HTTP/1.1 100 Continue\r\n\r\n"),
            C(b"abc"),
            S(b"HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Fin(Side::Server),
        ],
        r#"
            1 C http turn asked HEAD "/a" safe
            1 C http turn asked GET "/b?token=*" safe
            2 S http turn granted 200
            2 S http turn refused 404 idle=5s says="Not Found"
            3 C http turn asked POST "/c" unsafe
            4 S http turn told 100
            6 S http turn refused 503 retryable retry-after=30s says="Busy"
            6 S http release told scope=channel
        "#,
    );
}

#[test]
fn content_in_chunks_that_breaks_off() {
    check(
        &[
            C(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x\r\nabcd\r\n0\r\nX: 1\r\n\r\n"),
            C(b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabcd"),
            Fin(Side::Server),
        ],
        r#"
            1 C http turn asked GET "/a" safe
            2 S http turn granted 200
            3 C http turn asked GET "/b" safe
            4 S http interrupt told partial nameless at=4bytes "/b" says="200"
        "#,
    );
}

#[test]
fn a_download_breaks_off_and_is_taken_up_again() {
    let body = vec![b'x'; 70_000];
    let head = b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\nContent-Length: 200000\r\n\r\n";
    check(
        &[C(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n"), S(head), S(&body), Reset(Side::Client)],
        r#"
            1 C http turn asked GET "/big" safe
            2 S http activity asked scope=activity at=0bytes/200000 "/big"
            2 S http resume offered by=http-range "/big"
            2-3 S http interrupt told partial nameless at=70000bytes/200000 Issues:object(P) "/big" says="200"
            2-3 S http checkpoint granted minor at=70000bytes/200000 "/big"
            2-3 S http activity refused scope=activity partial at=70000bytes/200000 "/big"
        "#,
    );
    let rest = vec![b'x'; 130_000];
    check(
        &[
            C(b"GET /big HTTP/1.1\r\nHost: h\r\nRange: bytes=70000-\r\nIf-Range: \"v1\"\r\n\r\n"),
            S(b"HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 70000-199999/200000\r\nContent-Length: 130000\r\n\r\n"),
            S(&rest),
            C(b"GET /big HTTP/1.1\r\nHost: h\r\nRange: bytes=200000-\r\n\r\n"),
            S(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */200000\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /big HTTP/1.1\r\nHost: h\r\nRange: bytes=70000-\r\nIf-Range: \"v1\"\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nETag: \"v2\"\r\nContent-Length: 5\r\n\r\nabcde"),
            C(b"GET /big HTTP/1.1\r\nHost: h\r\nRange: bytes=3-\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"),
        ],
        r#"
            1 C http turn asked GET "/big" safe
            1 C http resume asked at=70000bytes by=http-range Shows:object(P) "/big"
            2 S http resume granted at=70000bytes/200000 by=http-range "/big"
            2 S http activity asked scope=activity at=70000bytes/200000 "/big"
            2-3 S http turn granted 206 Issues:object(P)
            2-3 S http checkpoint granted major at=200000bytes/200000 "/big"
            2-3 S http activity granted scope=activity at=200000bytes/200000 "/big"
            4 C http turn asked GET "/big" safe
            4 C http resume asked at=200000bytes by=http-range "/big"
            5 S http turn refused 416 says="Range Not Satisfiable"
            5 S http resume refused at=200000bytes/200000 by=http-range "/big"
            6 C http turn asked GET "/big" safe
            6 C http resume asked at=70000bytes by=http-range Shows:object(P) "/big"
            7 S http resume refused state-lost at=0bytes/5 by=http-range "/big"
            7 S http activity asked scope=activity at=0bytes/5 "/big"
            7 S http turn granted 200 Issues:object(P)
            7 S http checkpoint granted major at=5bytes/5 "/big"
            7 S http activity granted scope=activity at=5bytes/5 "/big"
            8 C http turn asked GET "/big" safe
            8 C http resume asked at=3bytes by=http-range "/big"
            9 S http resume refused silent at=0bytes/5 by=http-range "/big"
            9 S http activity asked scope=activity at=0bytes/5 "/big"
            9 S http turn granted 200
            9 S http checkpoint granted major at=5bytes/5 "/big"
            9 S http activity granted scope=activity at=5bytes/5 "/big"
        "#,
    );
}

#[test]
fn logins_by_credentials() {
    check(
        &[
            C(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YW5uYTpib2d1cw==\r\n\r\n"),
            S(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /b HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\n\r\n"),
            S(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer abc\r\n\r\n"),
            S(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /n HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM TlRMTVNTUAABAAAA\r\n\r\n"),
            S(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM TlRMTVNTUAACAAAA\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /n HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM TlRMTVNTUAADAAAA\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ],
        r#"
            1 C http turn asked GET "/a" safe
            2 S http turn refused 401 says="Unauthorized"
            2 S http authenticate asked by=basic
            3 C http turn asked GET "/a" safe
            3 C http authenticate asked by=basic Shows:user(P) who=anna
            4 S http authenticate refused 401 by=basic Shows:user(P) who=anna says="Unauthorized"
            5 C http turn asked GET "/a" safe
            5 C http authenticate asked by=bearer Shows:token(K)
            6 S http turn granted 200
            6 S http authenticate granted by=bearer
            7 C http turn asked GET Shows:token(K) "/b" safe
            8 S http authorize refused 403 says="Forbidden"
            9 C http turn asked GET Shows:token(K) "/a" safe
            10 S http authenticate refused 401 state-lost by=bearer Shows:token(K) says="Unauthorized"
            11 C http turn asked GET "/n" safe
            11 C http authenticate asked by=ntlm
            12 S http turn refused 401 says="Unauthorized"
            12 S http authenticate asked by=ntlm
            13 C http turn asked GET "/n" safe
            13 C http authenticate asked by=ntlm
            14 S http turn granted 200
            14 S http authenticate granted by=ntlm
        "#,
    );
}

#[test]
fn a_login_form_work_an_expired_cookie_and_a_logout() {
    let form = b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\n";
    check(
        &[
            C(form),
            C(b"user=anna&pw=oops"),
            S(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\n\r\n<input type=\"password\">"),
            C(form),
            C(b"user=anna&pw=good"),
            S(b"HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: sid=8f14e45fceea167a5a36dedd4bea2543; HttpOnly; Max-Age=60\r\nContent-Length: 0\r\n\r\n"),
            C(b"POST /cart HTTP/1.1\r\nHost: h\r\nCookie: sid=8f14e45fceea167a5a36dedd4bea2543\r\nContent-Length: 3\r\n\r\na=1"),
            S(b"HTTP/1.1 201 Created\r\nLocation: /cart/1\r\nContent-Length: 0\r\n\r\n"),
            C(b"POST /cart HTTP/1.1\r\nHost: h\r\nCookie: sid=8f14e45fceea167a5a36dedd4bea2543\r\nContent-Length: 3\r\n\r\na=2"),
            S(b"HTTP/1.1 302 Found\r\nLocation: /login?next=/cart\r\nContent-Length: 0\r\n\r\n"),
            C(b"GET /logout HTTP/1.1\r\nHost: h\r\nCookie: sid=8f14e45fceea167a5a36dedd4bea2543\r\n\r\n"),
            S(b"HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: sid=; Max-Age=0\r\nContent-Length: 0\r\n\r\n"),
        ],
        r#"
            1-2 C http turn asked POST "/login" unsafe
            1-2 C http authenticate asked by=form who=anna
            3 S http turn granted 200
            3 S http authenticate refused by=form who=anna
            4-5 C http turn asked POST "/login" unsafe
            4-5 C http authenticate asked by=form who=anna
            6 S http turn granted 302 Issues:cookie(K) lifetime=60s
            6 S http authenticate granted by=form who=anna
            7 C http turn asked POST Shows:cookie(K) "/cart" unsafe
            8 S http turn granted 201 "/cart/1"
            8 S http checkpoint granted minor "/cart"
            9 C http turn asked POST Shows:cookie(K) "/cart" unsafe
            10 S http turn granted 302
            10 S http authenticate offered by=form "/cart"
            10 S http authenticate refused state-lost by=cookie Shows:cookie(K) "/cart"
            11 C http turn asked GET Shows:cookie(K) "/logout" safe
            11 C http release asked Drops:cookie(K)
            12 S http turn granted 302
            12 S http release granted Drops:cookie(K)
        "#,
    );
}

#[test]
fn uploads_by_tus() {
    check(
        &[
            C(b"POST /files HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\nContent-Length: 0\r\n\r\n"),
            S(b"HTTP/1.1 201 Created\r\nLocation: http://h/files/1\r\nUpload-Expires: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: Sun, 06 Nov 1994 08:48:37 GMT\r\nContent-Length: 0\r\n\r\n"),
            C(b"PATCH /files/1 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Length: 4\r\n\r\nabcd"),
            S(b"HTTP/1.1 204 No Content\r\nUpload-Offset: 4\r\n\r\n"),
            C(b"HEAD /files/1 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nUpload-Offset: 4\r\nUpload-Length: 10\r\n\r\n"),
            C(b"PATCH /files/1 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 4\r\nContent-Length: 6\r\n\r\nefghij"),
            S(b"HTTP/1.1 204 No Content\r\nUpload-Offset: 10\r\n\r\n"),
            C(b"PATCH /files/1 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 4\r\nContent-Length: 1\r\n\r\nx"),
            S(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"),
            C(b"HEAD /files/2 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\n\r\n"),
            S(b"HTTP/1.1 404 Not Found\r\n\r\n"),
            C(b"PATCH /files/1 HTTP/1.1\r\nHost: h\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 4\r\nContent-Length: 100000\r\n\r\nxyz"),
            Fin(Side::Client),
        ],
        r#"
            1 C http turn asked POST "/files" unsafe
            2 S http turn granted 201 "http://h/files/1"
            2 S http establish granted scope=activity at=0bytes/10 "/files/1"
            2 S http resume offered by=tus Issues:upload(K) hold=60s
            3 C http turn asked PATCH Shows:upload(K) "/files/1" unsafe
            3 C http activity asked scope=activity at=0bytes/10 "/files/1"
            4 S http turn granted 204
            4 S http checkpoint granted minor at=4bytes/10 "/files/1"
            4 S http activity granted scope=activity at=4bytes/10 "/files/1"
            5 C http turn asked HEAD Shows:upload(K) "/files/1" safe
            5 C http resume asked by=tus "/files/1"
            6 S http turn granted 200
            6 S http resume granted at=4bytes/10 by=tus Shows:upload(K) "/files/1"
            6 S http checkpoint granted minor at=4bytes/10 "/files/1"
            7 C http turn asked PATCH Shows:upload(K) "/files/1" unsafe
            7 C http activity asked scope=activity at=4bytes/10 "/files/1"
            8 S http turn granted 204
            8 S http checkpoint granted major at=10bytes/10 "/files/1"
            8 S http activity granted scope=activity at=10bytes/10 "/files/1"
            9 C http turn asked PATCH Shows:upload(K) "/files/1" unsafe
            9 C http activity asked scope=activity at=4bytes/10 "/files/1"
            10 S http turn refused 409 says="Conflict"
            10 S http resume refused at=4bytes by=tus Shows:upload(K) "/files/1"
            10 S http activity refused scope=activity "/files/1"
            11 C http turn asked HEAD Shows:upload(K) "/files/2" safe
            11 C http resume asked by=tus "/files/2"
            12 S http turn refused 404 says="Not Found"
            12 S http resume refused state-lost by=tus Shows:upload(K) "/files/2"
            13 C http turn asked PATCH Shows:upload(K) "/files/1" unsafe
            13 C http activity asked scope=activity at=4bytes/10 "/files/1"
            13 C http interrupt told partial at=3bytes/100000 "/files/1"
            13 C http activity refused scope=activity partial at=7bytes/10 "/files/1"
        "#,
    );
}

#[test]
fn uploads_in_parts() {
    let part = vec![b'x'; 300];
    let rest = vec![b'x'; 400];
    check(
        &[
            C(b"POST /u?uploadType=resumable HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"),
            S(b"HTTP/1.1 200 OK\r\nLocation: http://h/u?upload_id=abc\r\nContent-Length: 0\r\n\r\n"),
            C(b"PUT /u?upload_id=abc HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 0-299/600\r\nContent-Length: 300\r\n\r\n"),
            C(&part),
            S(b"HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-199\r\nContent-Length: 0\r\n\r\n"),
            C(b"PUT /u?upload_id=abc HTTP/1.1\r\nHost: h\r\nContent-Range: bytes */600\r\nContent-Length: 0\r\n\r\n"),
            S(b"HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-199\r\nContent-Length: 0\r\n\r\n"),
            C(b"PUT /u?upload_id=abc HTTP/1.1\r\nHost: h\r\nContent-Range: bytes 200-599/600\r\nContent-Length: 400\r\n\r\n"),
            C(&rest),
            S(b"HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 500\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ],
        r#"
            1 C http turn asked POST "/u?uploadType=resumable" unsafe
            2 S http turn granted 200 Issues:upload(K)
            2 S http checkpoint granted minor "/u?uploadType=resumable"
            3-4 C http turn asked PUT Shows:upload(K) "/u?upload_id=*" idempotent
            3-4 C http activity asked scope=activity at=0bytes/600 "/u?upload_id=*"
            5 S http turn granted 308
            5 S http checkpoint granted minor at=200bytes/600 "/u?upload_id=*"
            5 S http activity refused scope=activity partial at=200bytes/600 "/u?upload_id=*"
            6 C http turn asked PUT Shows:upload(K) "/u?upload_id=*" idempotent
            6 C http resume asked by=other "/u?upload_id=*"
            7 S http turn granted 308
            7 S http resume granted at=200bytes/600 by=other "/u?upload_id=*"
            7 S http checkpoint granted minor at=200bytes/600 "/u?upload_id=*"
            8-9 C http turn asked PUT Shows:upload(K) "/u?upload_id=*" idempotent
            8-9 C http activity asked scope=activity at=200bytes/600 "/u?upload_id=*"
            10 S http turn told 104
            10 S http checkpoint granted minor at=500bytes "/u?upload_id=*"
            11 S http turn granted 200
            11 S http checkpoint granted major at=600bytes/600 "/u?upload_id=*"
            11 S http activity granted scope=activity at=600bytes/600 "/u?upload_id=*"
        "#,
    );
}

#[test]
fn a_stream_of_events() {
    check(
        &[
            C(b"GET /e HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 500\n\nid: 8\nda"),
            S(b"ta: x\n\n: alive\n\nid:9\ndata: y\n\n"),
            Reset(Side::Server),
        ],
        r#"
            1 C http turn asked GET patient "/e" safe
            1 C http resume asked at=7serial by=other Shows:event-stream(P) "/e"
            2 S http turn granted 200 patient
            2 S http resume offered by=other retry-after=0.5s
            3 S http resume granted at=7serial by=other "/e"
            3 S http checkpoint granted minor at=8serial "/e"
            3 S http keep-alive told app-ping
            3 S http checkpoint granted minor at=9serial "/e"
            2-3 S http interrupt told partial at=50bytes "/e"
        "#,
    );
    let mut many = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_vec();
    for id in 1..=500 {
        many.extend_from_slice(format!("id: {id}\ndata: x\n\n").as_bytes());
    }
    let script = [C(b"GET /e HTTP/1.1\r\nHost: h\r\n\r\n"), S(&many), Fin(Side::Server)];
    let ids = rehearse(80, &script).lines().filter(|line| line.contains("checkpoint")).count();
    assert_eq!(ids, 16 + 7 + 1, "the first ones, one in 64, and the last");
}

#[test]
fn a_websocket_after_its_handshake() {
    let ask = b"GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    check(
        &[
            C(ask),
            S(answer),
            C(b"\x81\x85\0\0\0\0hello"),
            S(b"\x81\x02hi"),
            S(b"\x89\x01p"),
            C(b"\x8a\x81\0\0\0\0p"),
            C(b"\x88\x82\x01\x02\x03\x04\x02\xea"),
            S(b"\x88\x02\x03\xe8"),
            Fin(Side::Server),
        ],
        r#"
            1 C http establish asked GET "/chat" safe
            2 S http establish granted 101
            3 C websocket turn told TEXT
            4 S websocket turn told TEXT
            5 S websocket keep-alive asked PING
            6 C websocket keep-alive granted PONG
            7 C websocket release asked CLOSE 1000
            8 S websocket release granted CLOSE 1000
        "#,
    );
    check(
        &[C(ask), S(answer), S(b"\x88\x05\x03\xf3bye"), Fin(Side::Server)],
        r#"
            1 C http establish asked GET "/chat" safe
            2 S http establish granted 101
            3 S websocket abort told CLOSE 1011 fatal says="bye"
        "#,
    );
    check(
        &[C(ask), S(answer), C(b"\x81\x85\0\0\0\0hel"), Reset(Side::Server)],
        r#"
            1 C http establish asked GET "/chat" safe
            2 S http establish granted 101
            3 C websocket interrupt told partial says="in the middle of a frame"
        "#,
    );
    check(
        &[C(ask), S(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")],
        r#"
            1 C http establish asked GET "/chat" safe
            2 S http establish refused 403 says="Forbidden"
        "#,
    );
}

#[test]
fn an_engine_behind_a_websocket() {
    let text = |text: &[u8]| [&[0x81, text.len() as u8], text].concat();
    check(
        &[
            C(b"GET /socket.io/?EIO=4&sid=abc HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"),
            S(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n"),
            S(&text(br#"0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#)),
            S(&text(b"2")),
            C(b"\x81\x81\x01\0\0\0\x32"),
        ],
        r#"
            1 C http establish asked GET Shows:session-id(K) "/socket.io/?EIO=4&sid=*" safe
            2 S http establish granted 101
            2 S http error told says="Sec-WebSocket-Accept does not fit the key"
            3 S websocket turn told TEXT Issues:session-id(K) keep-alive=25s
            4 S websocket keep-alive asked PING app-ping
            5 C websocket keep-alive granted PONG app-ping
        "#,
    );
}

#[test]
fn a_tunnel_shows_what_it_carries() {
    check(
        &[
            C(b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
            S(b"HTTP/1.1 200 Connection established\r\n\r\n"),
            C(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 204 No Content\r\n\r\n"),
        ],
        r#"
            1 C http establish asked CONNECT "h:80" safe
            2 S http establish granted 200
            3 C http turn asked GET "/" safe
            4 S http turn granted 204
        "#,
    );
    check(
        &[
            C(b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
            S(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"),
            C(b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n"),
            S(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n"),
        ],
        r#"
            1 C http establish asked CONNECT "h:80" safe
            2 S http turn refused 407 says="Who"
            2 S http authenticate asked by=basic
            3 C http establish asked CONNECT "h:80" safe
            3 C http authenticate asked by=basic Shows:user(P) who=anna
            4 S http establish refused 504 timer upstream says="Gateway Timeout"
        "#,
    );
}

#[test]
fn lost_bytes() {
    check(
        &[
            C(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
            Gap(Side::Server, 97),
            C(b"GET /b HTTP/1.1\r\nHo"),
            Gap(Side::Client, 20),
            C(b"rest: 1\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n"),
            Gap(Side::Server, 500),
            S(b"tail of some contentHTTP/1.1 204 No Content\r\n\r\n"),
        ],
        r#"
            1 C http turn asked GET "/a" safe
            2 S http turn granted 200
            4 C http turn asked GET partial "/b" safe
            6 C http turn asked GET "/c" safe
            8 S http turn granted 204
        "#,
    );
}

#[test]
fn what_nobody_asked_for() {
    check(
        &[
            C(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
            S(b"HTTP/1.1 204 No Content\r\n\r\n"),
            S(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
            Fin(Side::Server),
        ],
        r#"
            1 C http turn asked GET "/a" safe
            2 S http turn granted 204
            3 S http release told 408 timer says="Request Timeout"
        "#,
    );
    check(
        &[C(b"GET /\r\n"), S(b"<html>"), Fin(Side::Server)],
        r#"
            1 C http turn asked GET "/" safe
            2 S http turn granted nameless
        "#,
    );
    check(
        &[
            C(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n"),
            S(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            C(b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"),
            S(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Fin(Side::Server),
            Fin(Side::Client),
        ],
        r#"
            1 C http error told says="contradictory lengths"
            1 C http turn asked POST "/a" unsafe
            2 S http turn refused 400 says="Bad Request"
            3 C http turn asked POST "/b" unsafe
            4 S http turn refused 413 says="Too Large"
            4 S http release told scope=channel
            3 C http interrupt told partial at=3bytes/10 "/b"
        "#,
    );
}

#[test]
fn any_bytes_are_survived() {
    let asked = b"POST /login;jsessionid=A?sid=b HTTP/1.1\r\nHost: h\r\nCookie: sid=8f14e45fceea167a\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\nRange: bytes=5-\r\nContent-Range: bytes 0-3/9\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 9\r\nContent-Length: 4\r\n\r\nab=c";
    let answer = b"HTTP/1.1 206 OK\r\nSet-Cookie: sid=8f14e45fceea167a; Max-Age=5\r\nContent-Range: bytes 5-9/20\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nid: 1\r\n2\r\n\n\n\r\n0\r\n\r\n";
    for at in 0..asked.len().max(answer.len()) {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let broken = |text: &[u8]| {
                let mut text = text.to_vec();
                if let Some(octet) = text.get_mut(at) {
                    *octet ^= flip;
                }
                text
            };
            let cut = |text: &[u8]| text[..at.min(text.len())].to_vec();
            play(80, &[C(&broken(asked)), S(&broken(answer)), C(&broken(asked)), Fin(Side::Client)], 1_000);
            play(
                80,
                &[C(&cut(asked)), S(&cut(answer)), Gap(Side::Client, 9), C(asked), Reset(Side::Server)],
                11,
            );
        }
    }
}
