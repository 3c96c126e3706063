//! The kinds of values that keys take: how each is written, and within which bounds.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use super::value::{Located, Value};
use crate::origin::OriginRule;
use crate::settings::{Console, KIB, MIB, Secret};

/// The most that any size may be: far above any machine, and far from overflow in sums.
pub(super) const MOST_BYTES: usize = MIB.saturating_mul(MIB);
/// The longest time that any duration may be, for the same two reasons: what humantime calls a year.
pub(super) const LONGEST: Duration = Duration::from_secs(31_557_600);

/// A number of bytes: an integer, or text with a unit.
pub(super) fn size(bounds: RangeInclusive<usize>) -> impl Fn(&Located) -> Result<usize, String> {
    move |found| {
        let bytes = match (found.text(), &found.value) {
            (Some(text), _) => text.trim().parse::<ByteSize>().ok().map(|size| size.as_u64()),
            (None, Value::Integer(integer)) => u64::try_from(*integer).ok(),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| format!("{} is not a size; write it like \"64KiB\"", found.value))?;
        within(usize::try_from(bytes).unwrap_or(usize::MAX), &bounds, Bytes)
    }
}

/// A length of time: text with units, or a plain 0.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&Located) -> Result<Duration, String> {
    move |found| {
        let time = match (found.text(), &found.value) {
            (Some(text), _) => humantime::parse_duration(text).ok(),
            (None, Value::Integer(0)) => Some(Duration::ZERO),
            _ => None,
        };
        let wrong =
            || format!("{} is not a duration; write it like \"10s\", \"250ms\" or \"5m\"", found.value);
        within(time.ok_or_else(wrong)?, &bounds, humantime::format_duration)
    }
}

/// A whole number.
pub(super) fn count<T>(bounds: RangeInclusive<T>) -> impl Fn(&Located) -> Result<T, String>
where
    T: TryFrom<i64> + PartialOrd + Copy + fmt::Display,
{
    move |found| {
        let Value::Integer(integer) = found.typed() else {
            return Err(format!("{} is not a whole number", found.value));
        };
        let (least, most) = (*bounds.start(), *bounds.end());
        let outside = || format!("{integer} is not between {least} and {most}");
        let number = T::try_from(integer).map_err(|_| outside())?;
        if bounds.contains(&number) { Ok(number) } else { Err(outside()) }
    }
}

/// `true` or `false`.
pub(super) fn boolean(found: &Located) -> Result<bool, String> {
    match found.typed() {
        Value::Boolean(boolean) => Ok(boolean),
        value => Err(format!("{value} is neither true nor false")),
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Located) -> Result<T, String> {
    move |found| {
        let chosen = found.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            format!("{} is not one of {}", found.value, words.join(", "))
        })
    }
}

/// `"auto"`, `true` or `false`.
pub(super) fn console(found: &Located) -> Result<Console, String> {
    match found.typed() {
        Value::Text(text) if text == "auto" => Ok(Console::Auto),
        Value::Boolean(true) => Ok(Console::On),
        Value::Boolean(false) => Ok(Console::Off),
        value => Err(format!("{value} is not one of \"auto\", true, false")),
    }
}

/// An IP address and a port.
pub(super) fn address(found: &Located) -> Result<SocketAddr, String> {
    found.text().and_then(|text| text.parse().ok()).ok_or_else(|| {
        let advice = "write it like \"127.0.0.1:8000\" or \"[::1]:8000\"";
        format!("{} is not an IP address and a port; {advice}", found.value)
    })
}

/// Any text but none.
pub(super) fn text(found: &Located) -> Result<String, String> {
    match found.text() {
        Some("") => Err("is empty".to_owned()),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{} is not text; put it in quotes", found.value)),
    }
}

/// Text that no message may repeat.
pub(super) fn secret(found: &Located) -> Result<Secret, String> {
    match found.text() {
        Some("") => Err("is empty; make one with: switchboard key".to_owned()),
        Some(text) => Ok(Secret::new(text)),
        None => Err("is not text; put it in quotes".to_owned()),
    }
}

/// The path of a file.
pub(super) fn path(found: &Located) -> Result<PathBuf, String> {
    text(found).map(PathBuf::from)
}

/// The name of a cookie: a token (RFC 6265 section 4.1.1).
pub(super) fn cookie(found: &Located) -> Result<String, String> {
    let name = text(found)?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.chars().all(is_token) {
        Ok(name)
    } else {
        Err(format!("{} is not the name of a cookie", found.value))
    }
}

/// An origin, or `*.` for all below it.
pub(super) fn origin(found: &Located) -> Result<OriginRule, String> {
    let text = text(found)?;
    if text == "*" {
        return Err("to allow any page, leave `allow` out".to_owned());
    }
    OriginRule::parse(&text).map_err(|advice| format!("{} is not an origin; {advice}", found.value))
}

/// Addresses: a network, or one address.
pub(super) fn network(found: &Located) -> Result<IpNet, String> {
    let parse = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    found
        .text()
        .and_then(parse)
        .ok_or_else(|| format!("{} is not a network; write it like \"10.0.0.0/8\" or \"::1\"", found.value))
}

/// How important a line of the log must be.
pub(super) fn level(found: &Located) -> Result<LevelFilter, String> {
    const LEVELS: &[(&str, LevelFilter)] = &[
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    word(LEVELS)(found)
}

fn within<T, S>(value: T, bounds: &RangeInclusive<T>, shown: impl Fn(T) -> S) -> Result<T, String>
where
    T: PartialOrd + Copy + Default,
    S: fmt::Display,
{
    if bounds.contains(&value) {
        return Ok(value);
    }
    Err(if value > *bounds.end() {
        format!("{} is more than the most allowed, {}", shown(value), shown(*bounds.end()))
    } else if value == T::default() {
        format!("0 is not allowed; give at least {}", shown(*bounds.start()))
    } else {
        format!("{} is less than the least allowed, {}", shown(value), shown(*bounds.start()))
    })
}

/// A size in the largest unit that says it exactly.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub(super) usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(usize, &str); 4] =
            [(MIB * MIB, "TiB"), (MIB * KIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
        match UNITS.iter().find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None if self.0 == 1 => f.write_str("1 byte"),
            None => write!(f, "{} bytes", self.0),
        }
    }
}
