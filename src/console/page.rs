//! Serves a file that is part of the binary.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use crate::http::{Head, Response};

/// The console's page may load files of this server and connect to servers, nothing else. No page may show it in a frame,
/// which prevents clickjacking.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// A file that is part of the binary.
#[derive(Debug)]
pub struct Page {
    path: &'static [&'static str],
    content_type: &'static str,
    text: &'static str,
    /// Whether pages of any origin may load it.
    public: bool,
    tag: OnceLock<String>,
}

impl Page {
    /// An HTML document at the path of these segments.
    pub(super) const fn document(path: &'static [&'static str], text: &'static str) -> Self {
        Self::new(path, "text/html; charset=utf-8", text)
    }

    /// A style sheet.
    pub(super) const fn style(path: &'static [&'static str], text: &'static str) -> Self {
        Self::new(path, "text/css; charset=utf-8", text)
    }

    /// A script or module.
    pub(super) const fn script(path: &'static [&'static str], text: &'static str) -> Self {
        Self::new(path, "text/javascript; charset=utf-8", text)
    }

    /// A vector picture.
    pub(super) const fn picture(path: &'static [&'static str], text: &'static str) -> Self {
        Self::new(path, "image/svg+xml", text)
    }

    const fn new(path: &'static [&'static str], content_type: &'static str, text: &'static str) -> Self {
        Self { path, content_type, text, public: false, tag: OnceLock::new() }
    }

    /// The same, that pages of any origin may load.
    pub(super) const fn for_everybody(mut self) -> Self {
        self.public = true;
        self
    }

    /// The segments of its path.
    pub fn path(&self) -> &'static [&'static str] {
        self.path
    }

    /// Whether pages of any origin may load it.
    pub fn is_public(&self) -> bool {
        self.public
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    /// The response to `head`: the file, or 304 if the client has it already.
    pub fn answer(&self, head: &Head) -> Response {
        // RFC 9110 15.4.5: a 304 has the fields with which a cache updates its copy.
        let status = if self.is_known(head) { 304 } else { 200 };
        let response = Response::new(status)
            .header("ETag", self.tag().to_owned())
            .header("Cache-Control", "no-cache")
            .header("X-Content-Type-Options", "nosniff")
            .header("Referrer-Policy", "no-referrer");
        let response = if self.public {
            let response = response.header("Access-Control-Allow-Origin", "*");
            response.header("Cross-Origin-Resource-Policy", "cross-origin")
        } else {
            response.header("Content-Security-Policy", POLICY)
        };
        if status == 304 { response } else { response.body(self.content_type, self.text.as_bytes()) }
    }

    /// RFC 9110 13.1.2: tags are compared weakly, since a proxy that compresses makes them weak; `*` is any.
    fn is_known(&self, head: &Head) -> bool {
        head.list("if-none-match").any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.tag())
    }

    /// A tag that changes with the text. It may also change without reason: only browsers' caches depend on it.
    fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.text.hash(&mut hasher);
            format!("\"{:016x}\"", hasher.finish())
        })
    }
}
