//! Every key: its name, its kind, its bounds and the setting it fills.
//!
//! The bounds refuse values that cannot work (a message of no bytes), and typing mistakes that would exhaust the machine
//! (10,000 shards, a thread each). Zero is allowed only where it has a meaning.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::access;
use super::kinds::{self, LONGEST, MOST_BYTES};
use super::listen;
use super::patterns;
use super::problem::Source;
use super::section::Section;
use super::{Config, Log, LogFormat};
use crate::settings::{
    Accept, Heartbeat, Inbox, KIB, Limits, MIB, MOST_SHARDS, RoomRule, RoomSettings, Settings, Slow, TooMany,
};

/// Any size but zero.
const SIZE: RangeInclusive<usize> = 1..=MOST_BYTES;
/// More than any peer can do in a second, and small enough to count exactly.
const MOST_A_SECOND: u32 = 1_000_000;
/// Any time but zero.
const TIME: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;
/// Any time at all.
const TIME_OR_NONE: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;

/// Who accepts connections.
const ACCEPT: &[(&str, Accept)] = &[("each", Accept::Each), ("first", Accept::First)];

/// The keys outside any table, and the tables.
pub(super) fn root(section: &mut Section<'_>, config: &mut Config) {
    let Settings {
        listen: listen_on,
        shards,
        accept,
        drain,
        console,
        insecure,
        auth,
        api,
        origins,
        proxies,
        metrics,
        limits,
        heartbeat,
        inbox,
        direct,
        rooms,
    } = &mut config.settings;
    let mut given = Vec::new();
    section.set_list("listen", &mut given, listen::addresses);
    if !given.is_empty() {
        *listen_on = given.concat();
    }
    section.set("shards", shards, kinds::count(0..=MOST_SHARDS));
    section.set("accept", accept, kinds::word(ACCEPT));
    section.set("drain", drain, kinds::duration(TIME_OR_NONE));
    section.set("console", console, kinds::console);
    section.set_at_start("insecure", insecure, kinds::boolean);
    section.set("direct", direct, |found| kinds::boolean(found).map(Some));
    log(section, &mut config.log);
    section.table("auth", |section| access::auth_table(section, auth));
    section.table("api", |section| access::api_table(section, api));
    section.table("origins", |section| section.set_list("allow", origins, kinds::origin));
    section.table("proxies", |section| access::proxies_table(section, proxies));
    section.table("metrics", |section| section.set("public", &mut metrics.public, kinds::boolean));
    section.table("limits", |section| limits_table(section, limits));
    section.table("heartbeat", |section| heartbeat_table(section, heartbeat));
    section.table("inbox", |section| inbox_table(section, inbox));
    if let Some(found) = section.tables("rooms", room_table) {
        *rooms = patterns::reachable(section, found);
    }
}

fn log(section: &mut Section<'_>, log: &mut Log) {
    const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
    section.set_at_start("log", &mut log.level, kinds::level);
    section.set_at_start("log_format", &mut log.format, kinds::word(FORMATS));
}

fn limits_table(section: &mut Section<'_>, limits: &mut Limits) {
    const TOO_MANY: &[(&str, TooMany)] =
        &[("refuse", TooMany::Refuse), ("evict-oldest", TooMany::EvictOldest)];
    section.set("connections", &mut limits.connections, kinds::count(0..=u32::MAX as usize));
    section.set("connections_per_ip", &mut limits.connections_per_ip, kinds::count(0..=u32::MAX as usize));
    let handshakes = &mut limits.handshakes_per_second_per_ip;
    section.set("handshakes_per_second_per_ip", handshakes, kinds::count(0..=MOST_A_SECOND));
    section.set(
        "connections_per_user",
        &mut limits.connections_per_user,
        kinds::count(0..=u32::MAX as usize),
    );
    section.set("too_many", &mut limits.too_many, kinds::word(TOO_MANY));
    section.set(
        "rooms_per_connection",
        &mut limits.rooms_per_connection,
        kinds::count(1..=u16::MAX as usize),
    );
    section.set("rooms_per_second", &mut limits.rooms_per_second, kinds::count(0..=MOST_A_SECOND));
    let rooms = &mut limits.rooms_per_second_per_ip;
    section.set("rooms_per_second_per_ip", rooms, kinds::count(0..=MOST_A_SECOND));
    section.set("rooms_per_ip", &mut limits.rooms_per_ip, kinds::count(0..=u32::MAX as usize));
    section.set("rooms_total", &mut limits.rooms_total, kinds::size(SIZE));
    section.set("message", &mut limits.message, kinds::size(SIZE));
    section.set("echo_message", &mut limits.echo_message, kinds::size(SIZE));
    section.set("api_body", &mut limits.api_body, kinds::size(SIZE));
    section.set("api_per_second", &mut limits.api_per_second, kinds::count(0..=MOST_A_SECOND));
    section.set("messages_per_second", &mut limits.messages_per_second, kinds::count(0..=MOST_A_SECOND));
    section.set("messages_burst", &mut limits.messages_burst, kinds::count(0..=MOST_A_SECOND));
    let user = &mut limits.user_messages_per_second;
    section.set("user_messages_per_second", user, kinds::count(0..=MOST_A_SECOND));
    section.set("bytes_per_second", &mut limits.bytes_per_second, kinds::size(0..=MOST_BYTES));
    section.set("queue", &mut limits.queue, kinds::size(SIZE));
    section.set("stall", &mut limits.stall, kinds::duration(TIME));
    section.set("queue_total", &mut limits.queue_total, kinds::size(SIZE));
    section.set("history_total", &mut limits.history_total, kinds::size(SIZE));
    section.set("keys_total", &mut limits.keys_total, kinds::size(SIZE));
    // Less would refuse what every browser sends. More would give memory to any client before it authenticates.
    section.set("header", &mut limits.header, kinds::size(512..=MIB));
    section.set("headers", &mut limits.headers, kinds::count(8..=KIB));
    section.set("handshake", &mut limits.handshake, kinds::duration(TIME));
    section.set("body", &mut limits.body, kinds::duration(TIME));
    section.set("http_idle", &mut limits.http_idle, kinds::duration(TIME));
    section.set("close", &mut limits.close, kinds::duration(TIME));
}

fn inbox_table(section: &mut Section<'_>, inbox: &mut Inbox) {
    section.set("history", &mut inbox.history, kinds::count(0..=u32::MAX));
    section.set("ttl", &mut inbox.ttl, kinds::duration(TIME_OR_NONE));
}

fn heartbeat_table(section: &mut Section<'_>, heartbeat: &mut Heartbeat) {
    // `welcome` has the interval in whole seconds.
    section.set("interval", &mut heartbeat.interval, kinds::duration(Duration::from_secs(1)..=LONGEST));
    section.set("timeout", &mut heartbeat.timeout, kinds::duration(TIME));
}

/// Reads one `[[rooms]]` table, which is at `source`; `None` if it has no valid pattern.
fn room_table(section: &mut Section<'_>, source: Source) -> Option<RoomRule> {
    const SLOW: &[(&str, Slow)] = &[("disconnect", Slow::Disconnect), ("skip", Slow::Skip)];
    let mut room = RoomSettings::default();
    let mut pattern = None;
    if !section.has("pattern") {
        section.report(
            source,
            "pattern",
            "missing; write which rooms are meant, like pattern = \"chat:*\"".to_owned(),
        );
    }
    section.set("pattern", &mut pattern, |found| patterns::pattern(found).map(Some));
    section.set("history", &mut room.history, kinds::count(0..=u32::MAX));
    section.set("history_bytes", &mut room.history_bytes, kinds::size(SIZE));
    section.set("ttl", &mut room.ttl, kinds::duration(TIME_OR_NONE));
    section.set("presence", &mut room.presence, kinds::boolean);
    section.set("presence_limit", &mut room.presence_limit, kinds::count(0..=u32::MAX));
    section.set("presence_grace", &mut room.presence_grace, kinds::duration(TIME_OR_NONE));
    section.set("client_publish", &mut room.client_publish, kinds::boolean);
    section.set("typing", &mut room.typing, kinds::boolean);
    section.set("anonymous", &mut room.anonymous, kinds::boolean);
    section.set("private", &mut room.private, kinds::boolean);
    section.set("max_members", &mut room.max_members, kinds::count(0..=u32::MAX));
    section.set("slow", &mut room.slow, kinds::word(SLOW));
    pattern.map(|pattern| RoomRule { pattern, room })
}
