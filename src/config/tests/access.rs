//! Who may come in: each key of the configuration for it, and each mistake.

use super::*;
use crate::settings::{Api, ApiKey, Auth, Calls, KeySource, Reject, Secret};

#[test]
fn every_key_of_access_reaches_its_setting() {
    let file = std::env::temp_dir().join(format!("switchboard-config-{}", std::process::id()));
    std::fs::write(&file, "from a file\r\n").unwrap();
    let path = file.display();
    let read = settings(&format!(
        "[auth]\nsecret = \"s\"\nsecret_file = \"{path}\"\naudience = \"a\"\nissuer = \"i\"\nleeway = \"1s\"\n\
         timeout = \"2s\"\ncookie = \"c\"\nanonymous = true\nunique_names = true\nreject = \"http\"\n\
         [api]\nkey = \"k\"\nkeys = [{{ name = \"shop\", key = \"x\", rooms = [\"shop:*\"], calls = \"publish\" }}]\n\
         [origins]\nallow = [\"https://a.com\", \"https://*.b.com\"]\n\
         [proxies]\ntrust = [\"10.0.0.0/8\", \"::1\"]\nproxy_protocol = true\n"
    ));
    let auth = Auth {
        unique_names: true,
        secret: Some(Secret::new("s")),
        secret_file: Some(file.clone()),
        public_key_file: None,
        jwks_file: None,
        audience: Some("a".into()),
        issuer: Some("i".into()),
        leeway: Duration::from_secs(1),
        timeout: Duration::from_secs(2),
        cookie: Some("c".into()),
        anonymous: true,
        reject: Reject::Http,
    };
    assert_eq!(read.auth, auth);
    let key = ApiKey {
        name: "shop".into(),
        key: KeySource::Given(Secret::new("x")),
        rooms: Some(vec!["shop:*".into()]),
        calls: Calls { publish: true, ..Calls::NONE },
    };
    let api = Api { key: Some(KeySource::Given(Secret::new("k"))), keys: vec![key] };
    assert_eq!(read.api, api);
    let origins: Vec<_> = read.origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://a.com", "https://*.b.com"]);
    let trust: Vec<_> = read.proxies.trust.iter().map(ToString::to_string).collect();
    assert_eq!(trust, ["10.0.0.0/8", "::1/128"]);
    assert!(read.proxies.proxy_protocol && !read.is_open());
    let sources = credentials::sources(&read).unwrap();
    let secrets: Vec<_> = sources.secrets.iter().map(|(_, secret)| secret.as_slice()).collect();
    assert_eq!(secrets, [&b"s"[..], b"from a file"]);
    assert_eq!(credentials::files(&read), std::slice::from_ref(&file));
    assert_eq!(credentials::warnings(&read).len(), 4);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_key_that_is_wrong_now_stays_what_it_was() {
    let directory = std::env::temp_dir().join(format!("switchboard-renewed-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let names = ["secret", "only", "shop", "till"];
    let paths = names.map(|name| directory.join(name));
    let write = |texts: [&str; 4]| {
        paths.iter().zip(texts).for_each(|(path, text)| std::fs::write(path, text).unwrap())
    };
    let [secret, only, shop, till] = paths.each_ref();
    write(["s1", "o1", "s1", "t1"]);
    let settings = settings(&format!(
        "[auth]\nsecret_file = {secret:?}\n[api]\nkey_file = {only:?}\nkeys = [{{ name = \"shop\", key_file = {shop:?} }}, \
         {{ name = \"till\", key_file = {till:?} }}]\n"
    ));
    let before = credentials::access(&settings).unwrap();
    write(["", "o2", "s2", "t\u{fc}2"]);
    std::fs::remove_file(shop).unwrap();
    let (access, bad) = credentials::renewed(&settings, before.sources()).unwrap();
    let bad: Vec<_> = bad.iter().map(|bad| bad.setting).collect();
    assert_eq!(bad, ["auth.secret_file", "api.keys", "api.keys"]);
    assert_eq!(access.signing(), Some(&b"s1"[..]));
    let name = |key| access.api_key(key).map(|key| key.name.to_string());
    assert_eq!(
        ["o1", "o2", "s1", "t1"].map(name),
        [None, Some("api".into()), Some("shop".into()), Some("till".into())]
    );
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn mistakes_about_access() {
    for (text, problem) in [
        ("[auth]\nsecret = \"\"", ":2: auth.secret: is empty; make one with: switchboard key"),
        ("[auth]\nsecret = 12345", ":2: auth.secret: is not text; put it in quotes"),
        (
            "[auth]\ncookie = \"c\"",
            ":2: auth.cookie: needs origins.allow: without it any page could use its visitors' cookies",
        ),
        ("[auth]\nreject = \"no\"", ":2: auth.reject: \"no\" is not one of \"close\", \"http\""),
        (
            "[auth]\njwks_file = \"/nowhere/keys\"",
            ":2: auth.jwks_file: /nowhere/keys cannot be read: No such file or directory (os error 2)",
        ),
        (
            "[auth]\npublic_key_file = \"Cargo.toml\"",
            ":2: auth.public_key_file: is not a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----",
        ),
        (
            "[api]\nkey = \"a b\"",
            ":2: api.key: the key \"api\" has characters that no header can carry; make one with: switchboard key",
        ),
        ("[api]\nkey = \"a\"\nkey_file = \"b\"", ":3: api.key_file: `key` is set as well; keep one of them"),
        ("[api]\nkeys = [{ key = \"a\" }]", ":2: api.keys.name: missing; give the key a name for the log"),
        (
            "[api]\nkeys = [{ name = \"a\" }]",
            ":2: api.keys.key: missing; give the key, or its file in key_file",
        ),
        ("[api]\nkeys = \"hunter2\"", ":2: api.keys: is not a list of tables; begin each with [[api.keys]]"),
        (
            "[api]\nkeys = [{ name = \"a\", key = \"1\" },\n{ name = \"a\", key = \"2\" }]",
            ":3: api.keys: there are two keys called \"a\"; give each a name of its own",
        ),
        (
            "[api]\nkeys = [{ name = \"a\", key = \"1\", calls = [\"x\"] }]",
            ":2: api.keys.calls: \"x\" is not one of \"publish\", \"read\", \"remove\"",
        ),
        ("[origins]\nallow = \"*\"", ":2: origins.allow: to allow any page, leave `allow` out"),
        (
            "[origins]\nallow = [\"example.com\"]",
            ":2: origins.allow: \"example.com\" is not an origin; write scheme, host and, if it is not the usual one, \
             port, like \"https://example.com\"",
        ),
        (
            "[proxies]\ntrust = [\"10.0.0.0/33\"]",
            ":2: proxies.trust: \"10.0.0.0/33\" is not a network; write it like \"10.0.0.0/8\" or \"::1\"",
        ),
        (
            "[proxies]\nproxy_protocol = true",
            ":2: proxies.proxy_protocol: needs proxies.trust: the addresses whose header is believed",
        ),
    ] {
        assert_eq!(problems(text), [format!("switchboard.toml{problem}")], "{text}");
    }
    let cookie = problems("[auth]\ncookie = \"c=\"\n[origins]\nallow = \"https://a.com\"");
    assert_eq!(cookie, ["switchboard.toml:2: auth.cookie: \"c=\" is not the name of a cookie"]);
}

#[test]
fn keys_let_a_server_listen_anywhere() {
    let keys = |key: &str| {
        [
            format!("[auth]\nsecret = \"{key}\""),
            format!("[api]\nkey = \"{key}\""),
            format!("[[api.keys]]\nname = \"a\"\nkey = \"{key}\""),
        ]
    };
    let (long, short) = ("0123456789abcdef", "0123456789abcde");
    for keys in keys(long) {
        assert!(layered(&format!("listen = \"0.0.0.0:80\"\n{keys}\n"), &[], &[]).is_ok(), "{keys}");
    }
    let variables = [("SWITCHBOARD_LISTEN", "0.0.0.0:80"), ("SWITCHBOARD_API__KEY", long)];
    assert!(layered("", &variables, &[]).is_ok());
    for keys in keys(short) {
        for listen in ["listen = \"[::]:80\"", "listen = [\"127.0.0.1:80\", \"10.0.0.7:80\"]"] {
            let why = problems(&format!("{listen}\n{keys}\n"));
            let told = why.len() == 1 && why[0].contains("has 15 bytes, and others can reach");
            assert!(told, "{keys}: {why:?}");
        }
        assert!(layered(&format!("listen = \"[::1]:80\"\n{keys}\n"), &[], &[]).is_ok(), "{keys}");
        let trusted = [("SWITCHBOARD_INSECURE", "true")];
        assert!(layered(&format!("listen = \"0.0.0.0:80\"\n{keys}\n"), &trusted, &[]).is_ok(), "{keys}");
    }
}

#[test]
fn what_stands_around_a_secret_is_said_or_is_no_part_of_it() {
    let long = "0123456789abcdef0123456789abcdef";
    let file = std::env::temp_dir().join(format!("switchboard-surrounded-{}", std::process::id()));
    let of_file = |text: &str, settings: &str| {
        std::fs::write(&file, text).unwrap();
        super::settings(&format!("{settings} = {:?}\n", file.display().to_string()))
    };
    let given = |variable: &str, text: &str| layered("", &[(variable, text)], &[]).unwrap().settings;
    for (text, word) in [
        (format!("\"{long}\""), "quotation marks"),
        (format!("'{long}'"), "quotation marks"),
        (format!(" {long}"), "a blank or a line break"),
        (format!("{long}\n"), "a blank or a line break"),
        (format!("{long}\r\n\r\n"), "a blank or a line break"),
        (format!("\u{feff}{long}"), "a byte order mark"),
    ] {
        let said = credentials::warnings(&given("SWITCHBOARD_AUTH__SECRET", &text));
        assert!(said.len() == 1 && said[0].contains(word), "{text:?}: {said:?}");
        assert!(!said[0].contains(long), "{said:?}");
        let said = credentials::warnings(&of_file(&text, "[auth]\nsecret_file"));
        let trimmed = text == format!("{long}\n");
        assert!(trimmed && said.is_empty() || said[0].contains(word), "{text:?}: {said:?}");
        for settings in [given("SWITCHBOARD_API__KEY", &text), of_file(&text, "[api]\nkey_file")] {
            let said = credentials::warnings(&settings);
            let key = &credentials::sources(&settings).unwrap().api_keys[0].2;
            assert!(
                key == long.as_bytes() && said.is_empty() || said[0].contains("quotation"),
                "{text:?}: {said:?}"
            );
        }
    }
    std::fs::remove_file(file).unwrap();
}
