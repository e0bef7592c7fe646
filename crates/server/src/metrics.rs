//! What the process counts, in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters; every label is one of a few fixed words, so that nobody can make the table grow.
#[derive(Default)]
pub struct Metrics {
    answered: [AtomicU64; 5],
    refreshes: AtomicU64,
    sign_ins: AtomicU64,
    refused_sign_ins: AtomicU64,
    revoked: AtomicU64,
    reuses: AtomicU64,
    rejected_tokens: AtomicU64,
    faults: AtomicU64,
    connections: AtomicU64,
    revocations: AtomicU64,
    feed_streams: AtomicU64,
    audit_breaks: AtomicU64,
    mail_sent: AtomicU64,
    mail_failures: AtomicU64,
    mail_dead: AtomicU64,
    mail_waiting: AtomicU64,
    logouts_told: AtomicU64,
    logout_failures: AtomicU64,
    logouts_dropped: AtomicU64,
    logouts_waiting: AtomicU64,
}

/// Something worth counting.
#[derive(Clone, Copy)]
pub enum Count {
    /// A refresh was answered with tokens.
    Refresh,
    /// A person signed in.
    SignIn,
    /// Somebody tried to sign in and could not.
    RefusedSignIn,
    /// A refresh token was reused and its session ended.
    Reuse,
    /// An access token was refused.
    RejectedToken,
    /// A request failed by a fault of ours.
    Fault,
    /// The audit log was found to be changed or cut.
    AuditBreak,
    /// A mail was accepted.
    MailSent,
    /// A mail was not accepted.
    MailFailed,
    /// A mail was given up.
    MailDead,
    /// A client was told that a session has ended.
    LogoutTold,
    /// A client could not be told that a session has ended.
    LogoutFailed,
}

impl Metrics {
    /// Counts one `what`.
    pub fn count(&self, what: Count) {
        let counter = match what {
            Count::Refresh => &self.refreshes,
            Count::SignIn => &self.sign_ins,
            Count::RefusedSignIn => &self.refused_sign_ins,
            Count::Reuse => &self.reuses,
            Count::RejectedToken => &self.rejected_tokens,
            Count::Fault => &self.faults,
            Count::AuditBreak => &self.audit_breaks,
            Count::MailSent => &self.mail_sent,
            Count::MailFailed => &self.mail_failures,
            Count::MailDead => &self.mail_dead,
            Count::LogoutTold => &self.logouts_told,
            Count::LogoutFailed => &self.logout_failures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer by the class of its status (2 for 2xx).
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.answered[class].fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how many connections are open.
    pub fn connections(&self, open: u64) {
        self.connections.store(open, Ordering::Relaxed);
    }

    /// Counts revocations that this process made.
    pub fn revoked(&self, made: u64) {
        self.revoked.fetch_add(made, Ordering::Relaxed);
    }

    /// What is kept by the hour: sign-ins, refused ones, refreshes, revocations that this process made.
    pub fn totals(&self) -> [(&'static str, u64); 4] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("sign_ins", of(&self.sign_ins)),
            ("refusals", of(&self.refused_sign_ins)),
            ("refreshes", of(&self.refreshes)),
            ("revocations", of(&self.revoked)),
        ]
    }

    /// Counts revocations that were published.
    pub fn revocations(&self, published: u64) {
        self.revocations.fetch_add(published, Ordering::Relaxed);
    }

    /// Notes how many streams of the feed are open.
    pub fn feed_streams(&self, open: u64) {
        self.feed_streams.store(open, Ordering::Relaxed);
    }

    /// Notes how many mails wait.
    pub fn mail_waits(&self, waiting: u64) {
        self.mail_waiting.store(waiting, Ordering::Relaxed);
    }

    /// How many mails waited when they were counted last.
    pub fn mail_waiting(&self) -> u64 {
        self.mail_waiting.load(Ordering::Relaxed)
    }

    /// Counts ended sessions that their clients are not told of any more.
    pub fn logouts_dropped(&self, dropped: u64) {
        self.logouts_dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Notes of how many ended sessions clients are still to be told.
    pub fn logouts_wait(&self, waiting: u64) {
        self.logouts_waiting.store(waiting, Ordering::Relaxed);
    }

    /// The counters as text.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(1024);
        text.push_str("# HELP symbolon_http_responses_total Answers by class of status.\n");
        text.push_str("# TYPE symbolon_http_responses_total counter\n");
        for (class, counter) in self.answered.iter().enumerate() {
            let value = counter.load(Ordering::Relaxed);
            let _infallible = writeln!(
                text,
                "symbolon_http_responses_total{{class=\"{}xx\"}} {value}",
                class + 1
            );
        }
        let all = self.single().into_iter().chain(self.hourly());
        let all = all.chain(self.mail());
        for (name, kind, help, counter) in all.chain(self.logouts()) {
            let value = counter.load(Ordering::Relaxed);
            let _infallible = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
        text
    }

    /// Those that an administrator sees by the hour, beside the others.
    fn hourly(&self) -> [(&'static str, &'static str, &'static str, &AtomicU64); 2] {
        [
            (
                "symbolon_refused_sign_ins_total",
                "counter",
                "Tries to sign in that were refused.",
                &self.refused_sign_ins,
            ),
            (
                "symbolon_revocations_made_total",
                "counter",
                "Revocations that this process made.",
                &self.revoked,
            ),
        ]
    }

    /// Those of mail.
    fn mail(&self) -> [(&'static str, &'static str, &'static str, &AtomicU64); 4] {
        [
            (
                "symbolon_mails_sent_total",
                "counter",
                "Mails that were accepted.",
                &self.mail_sent,
            ),
            (
                "symbolon_mail_failures_total",
                "counter",
                "Tries to hand in a mail that failed.",
                &self.mail_failures,
            ),
            (
                "symbolon_mails_given_up_total",
                "counter",
                "Mails that were given up.",
                &self.mail_dead,
            ),
            (
                "symbolon_mails_waiting",
                "gauge",
                "Mails that wait to be handed in.",
                &self.mail_waiting,
            ),
        ]
    }

    /// Those of back-channel logout.
    fn logouts(&self) -> [(&'static str, &'static str, &'static str, &AtomicU64); 4] {
        [
            (
                "symbolon_logouts_told_total",
                "counter",
                "Ended sessions that their clients were told of.",
                &self.logouts_told,
            ),
            (
                "symbolon_logout_failures_total",
                "counter",
                "Tries to tell a client of an ended session that failed.",
                &self.logout_failures,
            ),
            (
                "symbolon_logouts_dropped_total",
                "counter",
                "Ended sessions that their clients are not told of any more.",
                &self.logouts_dropped,
            ),
            (
                "symbolon_logouts_waiting",
                "gauge",
                "Ended sessions that their clients are still to be told of.",
                &self.logouts_waiting,
            ),
        ]
    }

    /// Name, kind, help and counter of those that have no label.
    fn single(&self) -> [(&'static str, &'static str, &'static str, &AtomicU64); 9] {
        [
            (
                "symbolon_refreshes_total",
                "counter",
                "Refreshes answered with tokens.",
                &self.refreshes,
            ),
            (
                "symbolon_sign_ins_total",
                "counter",
                "Successful sign-ins.",
                &self.sign_ins,
            ),
            (
                "symbolon_refresh_reuses_total",
                "counter",
                "Sessions ended because a refresh token was reused.",
                &self.reuses,
            ),
            (
                "symbolon_rejected_tokens_total",
                "counter",
                "Access tokens refused.",
                &self.rejected_tokens,
            ),
            (
                "symbolon_faults_total",
                "counter",
                "Requests that failed by a fault of the server.",
                &self.faults,
            ),
            (
                "symbolon_connections",
                "gauge",
                "Open connections.",
                &self.connections,
            ),
            (
                "symbolon_revocations_total",
                "counter",
                "Revocations published to guards.",
                &self.revocations,
            ),
            (
                "symbolon_feed_streams",
                "gauge",
                "Open streams of the revocation feed.",
                &self.feed_streams,
            ),
            (
                "symbolon_audit_breaks_total",
                "counter",
                "Times that the audit log was found to be changed or cut.",
                &self.audit_breaks,
            ),
        ]
    }
}
