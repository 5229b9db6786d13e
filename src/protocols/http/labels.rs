//! The fields of HTTP/1, by Wireshark's names.

use std::borrow::Cow;
use std::ops::Range;

use super::head::{Head, Start, decimal};
use crate::protocols::labels::{LabelValue, Labeller, MASK};
use crate::protocols::lines::line;

pub(super) const TITLE: &str = "Hypertext Transfer Protocol";

/// Header fields that Wireshark knows by a name of their own, in order of theirs.
const FIELDS: [(&str, &str); 32] = [
    ("accept", "http.accept"),
    ("accept-encoding", "http.accept_encoding"),
    ("accept-language", "http.accept_language"),
    ("authorization", "http.authorization"),
    ("cache-control", "http.cache_control"),
    ("connection", "http.connection"),
    ("content-encoding", "http.content_encoding"),
    ("content-length", "http.content_length_header"),
    ("content-type", "http.content_type"),
    ("cookie", "http.cookie"),
    ("date", "http.date"),
    ("host", "http.host"),
    ("http2-settings", "http.http2_settings"),
    ("last-modified", "http.last_modified"),
    ("location", "http.location"),
    ("proxy-authenticate", "http.proxy_authenticate"),
    ("proxy-authorization", "http.proxy_authorization"),
    ("proxy-connect-host", "http.proxy_connect_host"),
    ("proxy-connect-port", "http.proxy_connect_port"),
    ("referer", "http.referer"),
    ("sec-websocket-accept", "http.sec_websocket_accept"),
    ("sec-websocket-extensions", "http.sec_websocket_extensions"),
    ("sec-websocket-key", "http.sec_websocket_key"),
    ("sec-websocket-protocol", "http.sec_websocket_protocol"),
    ("sec-websocket-version", "http.sec_websocket_version"),
    ("server", "http.server"),
    ("set-cookie", "http.set_cookie"),
    ("transfer-encoding", "http.transfer_encoding"),
    ("upgrade", "http.upgrade"),
    ("user-agent", "http.user_agent"),
    ("www-authenticate", "http.www_authenticate"),
    ("x-forwarded-for", "http.x_forwarded_for"),
];

/// Header fields whose value is a secret.
const SECRETS: [&str; 8] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
];

/// The head of a message, `length` bytes of these.
pub(super) fn head(mut labels: Labeller<'_>, head: &Head<'_>, bytes: &[u8]) {
    labels.protocol("http", TITLE, 0..head.length);
    let whole = bytes.get(..head.length).unwrap_or(bytes);
    let Some((first, mut at)) = line(whole) else { return };
    let is_request = matches!(head.start, Start::Request { .. });
    start_line(&mut labels, head, first);
    let host = head.all("host").next();
    while let Some((field, taken)) = whole.get(at..).and_then(line) {
        if field.is_empty() {
            labels.line("", "End of the head", at..at + taken);
        } else {
            header(&mut labels, field, at, taken, is_request);
        }
        at += taken;
    }
    if let (Start::Request { target, .. }, Some(host)) = (head.start, host)
        && target.starts_with(b"/")
    {
        let uri = format!("http://{}{}", String::from_utf8_lossy(host), String::from_utf8_lossy(target));
        labels.computed("http.request.full_uri", "Full request URI", LabelValue::Text(uri));
    }
}

fn start_line(labels: &mut Labeller<'_>, head: &Head<'_>, first: &[u8]) {
    match head.start {
        Start::Request { method, target } => {
            labels.line("", format!("Request: {}", String::from_utf8_lossy(method)), 0..first.len());
            labels.open();
            labels.text("http.request.method", "Request Method", method, 0..method.len());
            let behind = first.get(method.len()..).unwrap_or_default();
            let at = method.len() + memchr::memmem::find(behind, target).unwrap_or(0);
            let end = at + target.len();
            labels.text("http.request.uri", "Request URI", target, at..end);
            if let Some(mark) = memchr::memchr(b'?', target) {
                let (path, query) = target.split_at(mark);
                labels.text("http.request.uri.path", "Request URI Path", path, at..at + mark);
                let query = query.get(1..).unwrap_or_default();
                labels.text("http.request.uri.query", "Request URI Query", query, at + mark + 1..end);
            }
            if let Some(at) = memchr::memmem::rfind(first, b"HTTP/") {
                let version = first.get(at..).unwrap_or_default();
                labels.text("http.request.version", "Request Version", version, at..first.len());
            }
            labels.close();
            labels.computed("http.request", "Request", LabelValue::Boolean(true));
        }
        Start::Status { code, reason } => {
            labels.line("", format!("Response: {code}"), 0..first.len());
            labels.open();
            let space = memchr::memchr(b' ', first).unwrap_or(first.len());
            let version = first.get(..space).unwrap_or_default();
            labels.text("http.response.version", "Response Version", version, 0..space);
            let at = (space + 1).min(first.len());
            labels.number(
                "http.response.code",
                "Status Code",
                u64::from(code),
                at..(at + 3).min(first.len()),
            );
            labels.computed(
                "http.response.code.desc",
                "Status Code Description",
                LabelValue::Text(description(code).to_owned()),
            );
            if !reason.is_empty() {
                labels.text(
                    "http.response.phrase",
                    "Response Phrase",
                    reason,
                    first.len() - reason.len().min(first.len())..first.len(),
                );
            }
            labels.close();
            labels.computed("http.response", "Response", LabelValue::Boolean(true));
        }
    }
}

/// One header field: `field` without its end, at this place, `taken` bytes with it.
fn header(labels: &mut Labeller<'_>, field: &[u8], at: usize, taken: usize, is_request: bool) {
    let whole = at..at + taken;
    let colon = memchr::memchr(b':', field).unwrap_or(field.len());
    let (name, rest) = field.split_at(colon);
    let value = rest.get(1..).unwrap_or_default();
    let lead = value.len() - value.trim_ascii_start().len();
    let value = value.trim_ascii();
    let lower = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
    let known = FIELDS.binary_search_by_key(&lower.as_str(), |(name, _)| *name).ok();
    let filter = known.and_then(|at| FIELDS.get(at)).map_or("", |(_, filter)| *filter);
    let start = at + colon + 1 + lead;
    let bytes = start..(start + value.len()).min(at + field.len());
    let label: Cow<'static, str> = Cow::Owned(String::from_utf8_lossy(name).into_owned());
    let is_secret = SECRETS.contains(&lower.as_str());
    if is_secret {
        labels.secret(filter, label, whole.clone());
    } else if field.starts_with(b" ") || field.starts_with(b"\t") || colon == field.len() {
        // A folded line may go on with a secret.
        labels.secret("", "Folded line", whole.clone());
        return;
    } else {
        labels.text(filter, label, value, bytes);
    }
    if let ("content-length", Some(length)) = (lower.as_str(), decimal(value)) {
        labels.computed("http.content_length", "Content length", LabelValue::Unsigned(length));
    }
    let shown = if is_secret { MASK.as_bytes() } else { value };
    let text = [name, b": ", shown, b"\r\n"].concat();
    // The whole line, for filters that look for a header by its name.
    labels.text(if is_request { "http.request.line" } else { "http.response.line" }, "", &text, whole);
}

/// A part of the content.
pub(super) fn content(mut labels: Labeller<'_>, bytes: Range<usize>) {
    labels.line("http.file_data", format!("File Data: {} bytes", bytes.len()), bytes);
}

/// What frames the content: the size of a chunk, its end, trailers.
pub(super) fn framing(mut labels: Labeller<'_>, bytes: &[u8], taken: usize) {
    let text = bytes.get(..taken).unwrap_or(bytes).trim_ascii();
    match str::from_utf8(text).ok().and_then(|text| u32::from_str_radix(text.split(';').next()?, 16).ok()) {
        Some(size) => labels.number("http.chunk_size", "Chunk size", u64::from(size), 0..taken),
        None if text.is_empty() => labels.line("http.chunk_boundary", "Chunk boundary", 0..taken),
        None => labels.line("http.chunked_trailer_part", "Trailer", 0..taken),
    }
}

/// Bytes that are no message.
pub(super) fn other(mut labels: Labeller<'_>, length: usize) {
    labels.protocol("http", TITLE, 0..length);
    labels.line("", format!("{length} bytes before the next message"), 0..length);
}

/// The phrases of RFC 9110 §15.
fn description(code: u16) -> &'static str {
    match code {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Time-out",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        416 => "Requested range not satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_header_fields_is_sorted() {
        assert!(FIELDS.is_sorted_by_key(|(name, _)| *name));
    }
}
