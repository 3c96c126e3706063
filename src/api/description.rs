//! The calls as an OpenAPI document, for programs that read the API by themselves.

const TEXT: &str = include_str!("openapi.json");

/// How the document says that a key is needed: first for every call, then for the metrics alone.
const KEY: &str = r#""security": [{"apiKey": []}]"#;
const NO_KEY: &str = r#""security": []"#;

/// The document for a server that is `open` or not, and whose metrics are `public` or not.
pub fn json(open: bool, public: bool) -> String {
    match TEXT.rsplit_once(KEY) {
        _ if open => TEXT.replace(KEY, NO_KEY),
        Some((before, after)) if public => [before, NO_KEY, after].concat(),
        _ => TEXT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;
    use crate::api::route::{Offers, Route, route};
    use crate::auth::access::Access;
    use crate::http::{Head, Limits, Reader, Step};
    use crate::settings::Settings;

    type Paths = BTreeMap<String, BTreeSet<String>>;

    fn document(open: bool, public: bool) -> Value {
        serde_json::from_str(&json(open, public)).unwrap()
    }

    /// The methods of each path.
    fn documented() -> Paths {
        let document = document(false, false);
        let paths = document["paths"].as_object().unwrap().iter();
        let methods = |item: &Value| {
            let names = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
            names.map(|name| name.to_uppercase()).collect()
        };
        paths.map(|(path, item)| (path.clone(), methods(item))).collect()
    }

    fn head(method: &str, path: &str) -> Head {
        let path = path.replace("{room}", "a").replace("{user}", "u");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        match Reader::new().read(request.as_bytes(), &Limits::from(&Settings::default().limits)).1 {
            Ok(Step::Head(head)) => head,
            other => panic!("no head but {other:?}"),
        }
    }

    /// The paths of the calls that `route.rs` knows, by the patterns that it matches.
    fn routed() -> BTreeSet<String> {
        let source = include_str!("route.rs");
        let (_, calls) = source.split_once("fn call(").unwrap();
        let arms = calls.lines().filter_map(|line| line.trim().strip_prefix('[')?.split_once(']'));
        let path = |pattern: &str| {
            let parts = pattern.split(", ").map(|part| match part.strip_prefix('"') {
                Some(word) => word.trim_end_matches('"').to_owned(),
                None => format!("{{{part}}}"),
            });
            format!("/{}", parts.collect::<Vec<_>>().join("/"))
        };
        arms.map(|(pattern, _)| path(pattern)).filter(|path| !path.starts_with("/sse/")).collect()
    }

    #[test]
    fn the_document_has_the_routes_that_there_are() {
        let documented = documented();
        assert_eq!(routed(), documented.keys().cloned().collect());
        let access = Access::default();
        let offers = Offers { console: true, draining: false, access: &access, foreign: None };
        for (path, methods) in documented {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
                // What answers GET answers HEAD, and the document says so once.
                let expected = methods.contains(if method == "HEAD" { "GET" } else { method });
                match route(&head(method, &path), offers) {
                    Ok(Route::Call(_)) => assert!(expected, "{method} {path} is not documented"),
                    Ok(other) => panic!("{method} {path} is no call but {other:?}"),
                    Err(response) => {
                        assert!(!expected, "{method} {path} is documented");
                        // Balancers ask so.
                        let asked = method == "OPTIONS" && path.ends_with('z');
                        assert_eq!(response.status(), if asked { 204 } else { 405 }, "{method} {path}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_document_says_what_needs_a_key() {
        let needs = |open, public| {
            let document = document(open, public);
            let all = document["security"].as_array().unwrap().len();
            let metrics = document["paths"]["/metrics"]["get"]["security"].as_array().unwrap().len();
            (all, metrics)
        };
        assert_eq!(
            [needs(false, false), needs(false, true), needs(true, false), needs(true, true)],
            [(1, 1), (1, 0), (0, 0), (0, 0)]
        );
        assert_eq!(document(false, false)["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn answers_are_closed_and_errors_have_the_one_form() {
        let document = document(false, false);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas.iter().filter(|(_, schema)| schema["type"] == "object") {
            // What is asked may say more than is known; what is answered does not.
            let asked = schema["description"].as_str().is_some_and(|text| text.contains("are ignored"));
            assert_eq!(schema.get("additionalProperties"), (!asked).then_some(&Value::Bool(false)), "{name}");
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters")
            {
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.contains_key("200"), "{method} {path}");
                for (status, response) in responses.iter().filter(|(status, _)| *status != "200") {
                    let name = response["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                    let json = &document["components"]["responses"][name]["content"]["application/json"];
                    assert_eq!(
                        json["schema"]["$ref"], "#/components/schemas/Error",
                        "{method} {path} {status}"
                    );
                }
            }
        }
    }
}
