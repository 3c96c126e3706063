//! Names for what varies from run to run.
//!
//! Connections' names and rooms' epochs are numbered in the order in which they appear. So equal ones still look equal,
//! and a script can send `{connection-1}`. Times have no number, because two of them may be equal or not.

/// Fields whose whole value varies, whatever is in it.
const LINES: [(&str, &str); 2] = [("Date: ", "{date}"), ("ETag: ", "{etag}")];

/// Times as the server writes them in this decade; `#` is a digit.
const TIMES: [&str; 2] = ["202#-##-##T##:##:##.######Z", "202#-##-##T##:##:##.###Z"];

/// Where the program names its version.
const VERSIONS: [&str; 3] = ["Switchboard ", "switchboard ", "\"version\":\""];

/// Characters of a connection's name.
const CONNECTION: usize = 52;

/// Characters of a key.
const KEY: usize = 43;

/// Characters of an epoch.
const EPOCH: usize = 8;

/// The names that were given in one transcript.
#[derive(Default)]
pub(crate) struct Mask {
    connections: Vec<String>,
    epochs: Vec<String>,
    /// Texts that the script has named, to send them.
    pub(crate) given: Vec<(String, String)>,
    /// Where the server listens.
    pub(crate) address: Option<String>,
    /// After these, a number is `{n}`.
    pub(crate) numbers: Vec<String>,
    /// The last word of a line is `{value}`, unless that begins with `#`.
    pub(crate) values: bool,
}

impl Mask {
    /// `line` with names for what varies, and whether its length may vary as well.
    pub(crate) fn hide(&mut self, line: &str) -> (String, bool) {
        let mut line = line.to_owned();
        for (name, mask) in LINES {
            if line.starts_with(name) {
                let end = line.rfind("\\r").unwrap_or(line.len());
                line.replace_range(name.len()..end, mask);
            }
        }
        if let Some(address) = &self.address {
            line = line.replace(address, "{address}");
            if let Some((_, port)) = address.rsplit_once(':') {
                line = line.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:{port}");
            }
        }
        for name in VERSIONS {
            let version = env!("CARGO_PKG_VERSION");
            line = line.replace(&format!("{name}{version}"), &format!("{name}{{version}}"));
        }
        let line = self.random(&modules(&times(&secret(line))));
        let hidden = self.numbers.iter().fold(line.clone(), |line, prefix| number(&line, prefix));
        let varies = hidden != line;
        (if self.values { value(&hidden) } else { hidden }, varies)
    }

    /// `line` with the connections and epochs that its names stand for.
    pub(crate) fn fill(&self, line: &str) -> String {
        let fill = |line: String, name: &str, values: &[String]| {
            values
                .iter()
                .enumerate()
                .fold(line, |line, (index, value)| line.replace(&format!("{{{name}-{}}}", index + 1), value))
        };
        let line = self.given.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
        fill(fill(line, "connection", &self.connections), "epoch", &self.epochs)
    }

    fn random(&mut self, line: &str) -> String {
        let is_hex = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
        let (mut hidden, mut rest) = (String::with_capacity(line.len()), line);
        let mut word = false;
        while let Some(letter) = rest.chars().next() {
            let run = if word { 0 } else { rest.find(|letter| !is_hex(letter)).unwrap_or(rest.len()) };
            let (digits, after) = rest.split_at(run);
            let is_offset =
                |after: &str| after.starts_with(|letter: char| letter.is_ascii_digit() || letter == '{');
            let is_position = after.strip_prefix(':').is_some_and(is_offset);
            if run == CONNECTION {
                hidden.push_str(&named("connection", &mut self.connections, digits));
            } else if run == EPOCH && is_position && digits.bytes().any(|digit| digit != b'0') {
                hidden.push_str(&named("epoch", &mut self.epochs, digits));
            } else {
                let whole = digits.len().max(letter.len_utf8());
                hidden.push_str(&rest[..whole]);
                word = rest[..whole].ends_with(|letter: char| letter.is_ascii_alphanumeric());
                rest = &rest[whole..];
                continue;
            }
            rest = after;
        }
        hidden
    }
}

fn named(name: &str, known: &mut Vec<String>, value: &str) -> String {
    let index = known.iter().position(|known| known == value).unwrap_or_else(|| {
        known.push(value.to_owned());
        known.len() - 1
    });
    format!("{{{name}-{}}}", index + 1)
}

fn times(line: &str) -> String {
    let like = |text: &[u8], form: &str| {
        text.len() >= form.len()
            && text
                .iter()
                .zip(form.bytes())
                .all(|(byte, form)| if form == b'#' { byte.is_ascii_digit() } else { *byte == form })
    };
    let mut hidden = line.to_owned();
    for form in TIMES {
        let mut from = 0;
        while let Some(at) = (from..hidden.len()).find(|at| like(&hidden.as_bytes()[*at..], form)) {
            hidden.replace_range(at..at + form.len(), "{time}");
            from = at;
        }
    }
    hidden
}

/// A key or a token that the program has made, alone on its line.
fn secret(line: String) -> String {
    let is_secret = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    match line.chars().all(is_secret) {
        true if line.starts_with("eyJ") => "{token}".to_owned(),
        true if line.len() == KEY => "{key}".to_owned(),
        _ => line,
    }
}

/// The module that logs a line is not part of the contract.
fn modules(line: &str) -> String {
    let is_path = |letter: char| letter.is_ascii_lowercase() || letter == '_' || letter == ':';
    let mut parts = line.split("switchboard::");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |hidden, part| {
        let rest = part.trim_start_matches(is_path);
        let colon = if part[..part.len() - rest.len()].ends_with(':') { ":" } else { "" };
        format!("{hidden}{{module}}{colon}{rest}")
    })
}

fn number(line: &str, prefix: &str) -> String {
    let mut parts = line.split(prefix);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |hidden, part| {
        let digits = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let mask = if digits.len() < part.len() { "{n}" } else { "" };
        format!("{hidden}{prefix}{mask}{digits}")
    })
}

fn value(line: &str) -> String {
    let number = |word: &str| word.trim_end_matches("\\n").parse::<f64>().is_ok();
    match line.rsplit_once(' ') {
        Some((name, last)) if !line.starts_with('#') && number(last) => format!("{name} {{value}}\\n"),
        _ => line.to_owned(),
    }
}

#[test]
fn what_varies_has_a_name_and_equal_things_the_same() {
    let mut mask =
        Mask { address: Some("127.0.0.1:4000".into()), numbers: vec!["in ".into()], ..Mask::default() };
    let name = "0123456789abc".repeat(4);
    let line = format!("\"{name}\" 0000beef:7,0000feed:8 0000beef:9 00000000:0 é 2026-01-02T03:04:05.678Z");
    let (hidden, varies) = mask.hide(&line);
    assert_eq!(hidden, "\"{connection-1}\" {epoch-1}:7,{epoch-2}:8 {epoch-1}:9 00000000:0 é {time}");
    assert!(!varies);
    assert_eq!(mask.fill("{connection-1} {epoch-2}:1 {epoch-9}"), format!("{name} 0000feed:1 {{epoch-9}}"));
    assert_eq!(mask.hide("retry in 17 ms"), ("retry in {n} ms".to_owned(), true));
    assert_eq!(mask.hide("http://127.0.0.1:4000/").0, "http://{address}/");
    assert_eq!(mask.hide("INFO switchboard::a_b::c: said").0, "INFO {module}: said");
    assert_eq!(mask.hide("Date: today\\r\\n").0, "Date: {date}\\r\\n");
}
