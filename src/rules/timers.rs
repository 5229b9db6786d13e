//! Idle timers of TCP sessions that products are shipped with (`domain.md` D.2): candidates for a time that was measured, never a fact.

use crate::time::Span;

/// A time and who closes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownTimer {
    /// The time in seconds.
    pub seconds: u32,
    /// Products and their settings, for people.
    pub who: &'static str,
    /// Whether a box between the two does it, rather than an end.
    pub middlebox: bool,
    /// Whether it is a wait for an answer that is owed, and no idleness.
    pub answer: bool,
}

const fn end(seconds: u32, who: &'static str) -> KnownTimer {
    KnownTimer { seconds, who, middlebox: false, answer: false }
}

const fn middle(seconds: u32, who: &'static str) -> KnownTimer {
    KnownTimer { seconds, who, middlebox: true, answer: false }
}

const fn answer(seconds: u32, who: &'static str) -> KnownTimer {
    KnownTimer { seconds, who, middlebox: true, answer: true }
}

/// The table, in order of time.
pub static KNOWN: &[KnownTimer] = &[
    end(2, "gunicorn keepalive"),
    end(5, "Apache httpd 2.4 KeepAliveTimeout, Node.js http keepAliveTimeout, uvicorn timeout_keep_alive"),
    end(10, "MySQL connect_timeout (login phase)"),
    answer(15, "Envoy route timeout"),
    end(20, "Tomcat connectionTimeout as shipped"),
    end(30, "Jetty idle timeout"),
    answer(30, "Google Cloud backend service timeout"),
    middle(50, "HAProxy timeout client and server in Debian's configuration"),
    middle(60, "AWS ALB and CLB idle timeout"),
    end(
        60,
        "nginx client_header_timeout, client_body_timeout and upstream keepalive_timeout, Apache Timeout, PostgreSQL authentication_timeout, Windows SMB request timeout",
    ),
    middle(65, "Oracle cloud load balancer, client side"),
    end(75, "nginx keepalive_timeout"),
    end(90, "Go http.Transport IdleConnTimeout, BGP hold time, NFS lease on Linux"),
    answer(100, "Cloudflare origin response"),
    end(120, "IIS connectionTimeout, sshd LoginGraceTime"),
    end(130, "Kestrel KeepAliveTimeout"),
    middle(230, "Azure App Service front end"),
    middle(240, "Azure load balancer and NAT gateway (4 minutes)"),
    middle(300, "F5 BIG-IP TCP profile, Oracle cloud load balancer backend side"),
    end(
        300,
        "vsftpd idle_session_timeout and data_connection_timeout, Postfix smtpd_timeout, Envoy stream idle timeout",
    ),
    middle(350, "AWS NLB, NAT gateway, Gateway LB and Network Firewall"),
    end(540, "Kafka client connections.max.idle.ms"),
    end(
        600,
        "Kafka broker connections.max.idle.ms, ProFTPD TimeoutIdle, PgBouncer server_idle_timeout, POP3 autologout minimum",
    ),
    middle(600, "Google Cloud firewall connection tracking and LB backend keep-alive, Cisco ASA half-closed"),
    middle(610, "Google Cloud external HTTP load balancer client keep-alive"),
    end(900, "Active Directory LDAP MaxConnIdleTime, Windows SMB autodisconnect"),
    middle(1200, "Google Cloud NAT established, Huawei USG TCP"),
    end(1200, "IIS application pool and ASP.NET session"),
    middle(1800, "Juniper SRX TCP"),
    end(
        1800,
        "IMAP autologout minimum, Java servlet session, SIP Session-Expires, RabbitMQ consumer ack timeout",
    ),
    middle(
        3600,
        "Cisco ASA, Palo Alto, FortiGate and Check Point TCP, Envoy idle timeout, AWS ALB client keep-alive age",
    ),
    end(7200, "TCP keep-alive of the operating system (first probe)"),
    end(28_800, "MySQL wait_timeout and interactive_timeout"),
    middle(86_400, "OpenBSD pf and pfSense established"),
    middle(432_000, "Linux conntrack established (5 days)"),
];

/// Who is shipped with an idle timer of about this long: within one in a hundred, at least 0.3 s.
pub fn candidates(span: Span) -> impl Iterator<Item = &'static KnownTimer> {
    let seconds = span.as_secs();
    KNOWN.iter().filter(|known| !known.answer).filter(move |known| {
        let wanted = f64::from(known.seconds);
        (seconds - wanted).abs() <= (wanted / 100.0).max(0.3)
    })
}

/// Boxes between the two that are shipped with a timer longer than `low` and not longer than `high`.
pub fn between(low: Span, high: Span) -> Option<String> {
    let names: Vec<&str> = KNOWN
        .iter()
        .filter(|known| {
            let seconds = f64::from(known.seconds);
            known.middlebox && !known.answer && seconds > low.as_secs() && seconds <= high.as_secs()
        })
        .map(|known| known.who)
        .collect();
    (!names.is_empty()).then(|| names.join("; "))
}

/// The candidates for a sentence: `nginx keepalive_timeout`; nothing where none fits.
pub fn named(span: Span) -> Option<String> {
    let names: Vec<&str> = candidates(span).map(|known| known.who).collect();
    (!names.is_empty()).then(|| names.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_known_within_a_hundredth() {
        assert!(KNOWN.is_sorted_by_key(|known| known.seconds));
        let names = |seconds: f64| named(Span((seconds * 1e9) as i64));
        assert_eq!(names(75.4).as_deref(), Some("nginx keepalive_timeout"));
        assert_eq!(names(77.0), None);
        assert!(names(350.0).unwrap().contains("NAT gateway"));
    }
}
