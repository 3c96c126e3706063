//! The opening handshake: is this request an upgrade to WebSocket, and what answers it (RFC 6455 section
//! 4.2)?

use tungstenite::handshake::derive_accept_key;

/// A request's header fields, as the handshake reads them. Names are compared without regard to case.
pub trait Fields {
    /// The value of the first field called `name`, without white space around it.
    fn field(&self, name: &str) -> Option<&str>;
    /// Whether a field called `name` lists `token`, compared without regard to case (RFC 9110 section 5.6.1).
    fn has_token(&self, name: &str, token: &str) -> bool;
    /// How many fields are called `name`.
    fn count(&self, name: &str) -> usize;
}

/// The contents of a 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The value of `Sec-WebSocket-Accept`.
    pub accept: String,
    /// The subprotocol that was chosen, if the client offered one of ours.
    pub protocol: Option<&'static str>,
}

/// Why a request is no WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The method is not GET.
    Method,
    /// The request is HTTP/1.0.
    HttpVersion,
    /// `Upgrade` does not ask for WebSocket: a plain GET.
    NoUpgrade,
    /// `Connection` does not list `upgrade`.
    NoConnection,
    /// `Sec-WebSocket-Version` is missing, or there twice.
    NoVersion,
    /// `Sec-WebSocket-Version` is not 13.
    OtherVersion,
    /// `Sec-WebSocket-Key` is missing, there twice, or not the base64 of 16 bytes.
    Key,
}

impl Refused {
    /// The status of the answer: 400, 405 or 426.
    pub fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            // RFC 6455 section 4.2.2: "an appropriate HTTP error code (such as 426 Upgrade Required)".
            Self::NoUpgrade | Self::OtherVersion => 426,
            Self::HttpVersion | Self::NoConnection | Self::NoVersion | Self::Key => 400,
        }
    }

    /// The message for the client: one line of ASCII.
    pub fn message(self) -> &'static str {
        match self {
            Self::Method => "a WebSocket handshake is a GET",
            Self::HttpVersion => "a WebSocket handshake needs HTTP/1.1",
            Self::NoUpgrade => "this is a WebSocket endpoint: Upgrade: websocket is missing",
            Self::NoConnection => "Connection: Upgrade is missing",
            Self::NoVersion => "Sec-WebSocket-Version is missing or doubled",
            Self::OtherVersion => "Sec-WebSocket-Version must be 13",
            Self::Key => "Sec-WebSocket-Key must be there once, as the base64 of 16 bytes",
        }
    }

    /// The header fields that the answer must have because of its status.
    pub fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self.status() {
            // RFC 9110 section 15.5.6: a 405 says what is allowed.
            405 => &[("Allow", "GET")],
            // RFC 9110 section 15.5.22: a 426 says what to upgrade to; RFC 6455 section 4.4: and in which
            // version.
            426 => &[("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")],
            _ => &[],
        }
    }
}

/// Checks a request by RFC 6455 section 4.2.1. Of `protocols`, ours in order of preference, it chooses the first that the
/// client offers; if the client offers none of them, none.
///
/// `http11` is false for HTTP/1.0. The request's parser checks `Host`, as for any request.
///
/// # Errors
///
/// The first reason found not to upgrade.
pub fn judge(
    method_is_get: bool,
    http11: bool,
    fields: &impl Fields,
    protocols: &[&'static str],
) -> Result<Upgrade, Refused> {
    if !method_is_get {
        return Err(Refused::Method);
    }
    if !http11 {
        return Err(Refused::HttpVersion);
    }
    if !fields.has_token("upgrade", "websocket") {
        return Err(Refused::NoUpgrade);
    }
    if !fields.has_token("connection", "upgrade") {
        return Err(Refused::NoConnection);
    }
    let version = only(fields, "sec-websocket-version").ok_or(Refused::NoVersion)?;
    if version != "13" {
        return Err(Refused::OtherVersion);
    }
    let key = only(fields, "sec-websocket-key").ok_or(Refused::Key)?;
    if !is_key(key) {
        return Err(Refused::Key);
    }
    let offered = |protocol: &&str| fields.has_token("sec-websocket-protocol", protocol);
    Ok(Upgrade {
        accept: derive_accept_key(key.as_bytes()),
        protocol: protocols.iter().copied().find(offered),
    })
}

/// Appends the 101 that accepts `upgrade` (RFC 6455 section 4.2.2).
pub fn response(upgrade: &Upgrade, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    );
    field("Sec-WebSocket-Accept", &upgrade.accept, out);
    if let Some(protocol) = upgrade.protocol {
        field("Sec-WebSocket-Protocol", protocol, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    for part in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The value of a field that RFC 6455 section 11.3 allows only once.
fn only<'a>(fields: &'a impl Fields, name: &str) -> Option<&'a str> {
    fields.field(name).filter(|_| fields.count(name) == 1)
}

/// Whether `key` is the base64 of 16 bytes: 22 digits and two of padding (RFC 4648 section 4).
///
/// The last digit has four bits without a meaning, which may be anything: by RFC 6455 section 4.2.1 the server need not
/// decode the key.
fn is_key(key: &str) -> bool {
    key.strip_suffix("==").is_some_and(|digits| {
        digits.len() == 22
            && digits.bytes().all(|digit| digit.is_ascii_alphanumeric() || matches!(digit, b'+' | b'/'))
    })
}

#[cfg(test)]
mod tests;
