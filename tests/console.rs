//! The console and the browser client, as the binary serves them.

mod harness;

use harness::Server;
use harness::wire::Response;

const CLIENT: &str = include_str!("../clients/js/switchboard.js");

/// Files of the page, with the types that a browser needs.
const FILES: [(&str, &str); 5] = [
    ("/", "text/html; charset=utf-8"),
    ("/console/style.css", "text/css; charset=utf-8"),
    ("/console/icon.svg", "image/svg+xml"),
    ("/console/theme.js", "text/javascript; charset=utf-8"),
    ("/console/app.js", "text/javascript; charset=utf-8"),
];

fn asked(server: &Server, path: &str, fields: &str) -> Response {
    server.wire().request("GET", path, fields, "")
}

#[test]
fn the_page_is_served_with_its_policy() {
    let server = Server::start();
    for (path, content_type) in FILES {
        let page = server.get(path);
        assert_eq!((page.status, page.field("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(page.field("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(page.field("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(page.field("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(page.field("access-control-allow-origin"), None, "{path}");
        let policy = page.field("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self' ws: wss:",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    assert!(server.get("/").body.starts_with("<!doctype html>"));
}

#[test]
fn a_browser_that_has_a_file_is_not_sent_it_again() {
    let server = Server::start();
    for path in FILES.map(|(path, _)| path).into_iter().chain(["/switchboard.js"]) {
        let tag = server.get(path).field("etag").expect("a tag").to_owned();
        assert!(tag.len() > 8 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let answer = asked(&server, path, &format!("If-None-Match: {known}\r\n"));
            assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{path} with {known}");
            assert_eq!(answer.field("etag"), Some(tag.as_str()), "{path}");
            assert_eq!(answer.field("cache-control"), Some("no-cache"), "{path}");
        }
        for unknown in ["\"other\"".to_owned(), tag.trim_matches('"').to_owned()] {
            let answer = asked(&server, path, &format!("If-None-Match: {unknown}\r\n"));
            assert_eq!(answer.status, 200, "{path} with {unknown}");
        }
    }
    assert_ne!(server.get("/").field("etag"), server.get("/switchboard.js").field("etag"));
}

#[test]
fn pages_are_read_and_nothing_else() {
    let server = Server::start();
    for path in ["/", "/console/app.js", "/switchboard.js"] {
        let mut wire = server.wire();
        wire.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let (head, get) = (wire.head(), server.get(path));
        assert_eq!(head.field("content-length"), get.field("content-length"), "{path}");
        assert_eq!((head.status, head.field("etag")), (200, get.field("etag")), "{path}");
        let post = server.post(path, "x");
        assert_eq!((post.status, post.field("allow")), (405, Some("GET, HEAD")), "{path}");
        assert_eq!(post.code(), "method_not_allowed");
    }
    for path in ["/console", "/console/", "/console/index.html", "/index.html", "/favicon.ico"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let mut wire = server.wire();
    let first = wire.request("GET", "/", "", "");
    assert_eq!((first.status, wire.request("GET", "/healthz", "", "").status), (200, 200), "kept alive");
}

#[test]
fn without_the_console_there_is_the_client_alone() {
    let server = Server::with("console = false");
    for (path, _) in FILES.iter().filter(|(path, _)| *path != "/") {
        assert_eq!((server.get(path).status, server.get(path).code().as_str()), (404, "not_found"), "{path}");
    }
    // Balancers ask at this path.
    assert_eq!(server.get("/").body, r#"{"status":"ready"}"#);
    let client = server.get("/switchboard.js");
    assert_eq!((client.status, client.body.as_str()), (200, CLIENT));
    assert_eq!(client.field("content-type"), Some("text/javascript; charset=utf-8"));
}

#[test]
fn the_console_is_off_where_others_can_reach_it() {
    for (config, status) in [("", 404), ("console = true", 200)] {
        let server = Server::listening("0.0.0.0:0", &["--insecure"], config);
        assert_eq!(server.get("/console/app.js").status, status, "{config}");
        assert_eq!(server.get("/").body.contains("<html"), status == 200, "{config}");
        assert_eq!(server.get("/switchboard.js").status, 200);
    }
}

#[test]
fn pages_of_every_origin_may_load_the_client_and_none_the_console() {
    let server = Server::start();
    for origin in ["https://example.com", "null", "http://localhost:3000"] {
        let client = asked(&server, "/switchboard.js", &format!("Origin: {origin}\r\n"));
        assert_eq!(client.status, 200, "{origin}");
        let allowed: Vec<_> = client
            .fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("access-control-allow-origin"))
            .collect();
        assert_eq!(allowed.len(), 1, "{origin}: {:?}", client.fields);
        assert_eq!(client.field("access-control-allow-origin"), Some("*"), "{origin}");
    }
    assert_eq!(asked(&server, "/", "Origin: https://example.com\r\n").status, 403);
    let rebound = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let mut wire = server.wire();
    wire.send(rebound);
    assert_eq!(wire.response().status, 403, "a name that its owner points at this machine");
}
