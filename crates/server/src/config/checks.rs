//! What settings must be, each within its bounds and all together.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Config;
use super::reader::Reader;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// OWASP's cheapest Argon2id: 7168 KiB five times over. Less memory than that, or less work, is too easy to guess.
const LEAST_MEMORY_KIB: u32 = 7_168;
const LEAST_MEMORY_PASSES: u64 = 35_840;
const MOST_MEMORY_KIB: u32 = 1_048_576;

pub(super) fn check(config: &Config, reader: &mut Reader) {
    check_lives(config, reader);
    check_windows(config, reader);
    check_passwords(config, reader);
    within(
        reader,
        "server.drain",
        config.server.drain,
        Duration::ZERO..=5 * MINUTE,
    );
    within(
        reader,
        "audit.retention",
        config.audit.retention,
        DAY..=3650 * DAY,
    );
    let mail = &config.mail;
    reader.require(
        &["mail.url", "mail.from"],
        mail.url.is_none() || mail.from.is_some(),
        || "`mail.url` is set, but not who mail is from: set `mail.from` too".to_owned(),
    );
}

fn check_lives(config: &Config, reader: &mut Reader) {
    let (tokens, refresh) = (&config.tokens, &config.refresh);
    within(
        reader,
        "tokens.access_ttl",
        tokens.access_ttl,
        10 * SECOND..=DAY,
    );
    if !tokens.rotate_keys.is_zero() {
        within(
            reader,
            "tokens.rotate_keys",
            tokens.rotate_keys,
            DAY..=3650 * DAY,
        );
    }
    within(
        reader,
        "refresh.idle_ttl",
        refresh.idle_ttl,
        MINUTE..=365 * DAY,
    );
    within(
        reader,
        "refresh.absolute_ttl",
        refresh.absolute_ttl,
        MINUTE..=365 * DAY,
    );
    within(
        reader,
        "refresh.session_ttl",
        refresh.session_ttl,
        MINUTE..=365 * DAY,
    );
    reader.require(
        &["refresh.idle_ttl", "refresh.absolute_ttl"],
        refresh.idle_ttl <= refresh.absolute_ttl,
        || "`refresh.idle_ttl` must not be longer than `refresh.absolute_ttl`".to_owned(),
    );
    reader.require(
        &["refresh.session_ttl", "refresh.absolute_ttl"],
        refresh.session_ttl <= refresh.absolute_ttl,
        || "`refresh.session_ttl` must not be longer than `refresh.absolute_ttl`".to_owned(),
    );
}

fn check_windows(config: &Config, reader: &mut Reader) {
    let refresh = &config.refresh;
    within(
        reader,
        "refresh.leeway",
        refresh.leeway,
        Duration::ZERO..=MINUTE,
    );
    within(
        reader,
        "refresh.retry_window",
        refresh.retry_window,
        Duration::ZERO..=HOUR,
    );
    reader.require(
        &["refresh.leeway", "refresh.retry_window"],
        refresh.leeway <= refresh.retry_window,
        || "`refresh.leeway` must not be longer than `refresh.retry_window`".to_owned(),
    );
    reader.require(
        &["refresh.retry_window", "refresh.idle_ttl"],
        refresh.retry_window <= refresh.idle_ttl,
        || "`refresh.retry_window` must not be longer than `refresh.idle_ttl`".to_owned(),
    );
}

fn check_passwords(config: &Config, reader: &mut Reader) {
    let password = &config.password;
    within(reader, "password.min_length", password.min_length, 8..=64);
    within(
        reader,
        "password.memory_kib",
        password.memory_kib,
        LEAST_MEMORY_KIB..=MOST_MEMORY_KIB,
    );
    within(reader, "password.iterations", password.iterations, 1..=64);
    within(reader, "password.parallelism", password.parallelism, 1..=64);
    within(
        reader,
        "password.bcrypt_cost",
        password.bcrypt_cost,
        10..=16,
    );
    let work = u64::from(password.memory_kib) * u64::from(password.iterations);
    reader.require(&["password.memory_kib", "password.iterations"], work >= LEAST_MEMORY_PASSES, || {
        format!(
            "`password.memory_kib` × `password.iterations` is {work}: less than {LEAST_MEMORY_PASSES} is too easy to guess \
             (OWASP: 47104 × 1, 19456 × 2, 12288 × 3, 9216 × 4, 7168 × 5)"
        )
    });
}

fn within<T: PartialOrd + Shown>(
    reader: &mut Reader,
    name: &'static str,
    value: T,
    bounds: RangeInclusive<T>,
) {
    reader.require(&[name], bounds.contains(&value), || {
        let (least, most) = (bounds.start().shown(), bounds.end().shown());
        format!(
            "`{name}` is {}: it must be from {least} to {most}",
            value.shown()
        )
    });
}

trait Shown {
    fn shown(&self) -> String;
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for usize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Duration {
    /// In the largest unit that divides it.
    fn shown(&self) -> String {
        let millis = self.as_millis();
        let units = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
        ];
        match units
            .iter()
            .find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit))
        {
            Some((unit, name)) => format!("`{}{name}`", millis / unit),
            None => format!("`{millis}ms`"),
        }
    }
}
