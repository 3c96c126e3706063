//! The console (a page to try rooms and watch the server live) and the browser client. The binary contains all of it.
//!
//! There is no build step: files are served as they are in the repository. A browser asks each time whether a file has
//! changed.

mod page;

pub use page::Page;

/// The modules and pictures of the console by name, below `/console/`.
macro_rules! console {
    ($($kind:ident $name:literal)*) => {
        [$(Page::$kind(&["console", $name], include_str!(concat!("pages/", $name)))),*]
    };
}

static CONSOLE: [Page; 32] = console! {
    style "style.css"
    style "controls.css"
    style "desk.css"
    style "talk.css"
    style "frames.css"
    style "watch.css"
    picture "icon.svg"
    script "theme.js"
    script "app.js"
    script "element.js"
    script "tail.js"
    script "format.js"
    script "kept.js"
    script "identity.js"
    script "link.js"
    script "stream.js"
    script "room.js"
    script "inbox.js"
    script "rooms.js"
    script "members.js"
    script "messages.js"
    script "composer.js"
    script "desk.js"
    script "talk.js"
    script "frames.js"
    script "clipboard.js"
    script "command.js"
    script "watch.js"
    script "figures.js"
    script "chart.js"
    script "scale.js"
    script "busiest.js"
};

static INDEX: Page = Page::document(&[], include_str!("pages/index.html"));

static CLIENT: Page =
    Page::script(&["switchboard.js"], include_str!("../../clients/js/switchboard.js")).for_everybody();

/// The page at the path of these segments. `console` says whether the console is served besides the client.
pub fn find(segments: &[&str], console: bool) -> Option<&'static Page> {
    let page = match segments {
        [] => Some(&INDEX),
        ["console", ..] => CONSOLE.iter().find(|page| page.path() == segments),
        _ => None,
    };
    page.filter(|_| console).or_else(|| (CLIENT.path() == segments).then_some(&CLIENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_can_be_off_and_the_client_cannot() {
        for (path, off) in [(&["switchboard.js"][..], true), (&[], false), (&["console", "app.js"], false)] {
            assert!(find(path, true).is_some(), "{path:?}");
            assert_eq!(find(path, false).is_some(), off, "{path:?}");
        }
        for path in [&["console"][..], &["console", ""], &["console", "index.html"], &["app.js"], &[""]] {
            assert!(find(path, true).is_none(), "{path:?}");
        }
    }

    /// Every file that the page, its style and its modules name is served, and every file that is served is named.
    #[test]
    fn what_the_pages_name_is_what_is_served() {
        let all: String = CONSOLE.iter().chain([&INDEX]).map(Page::text).collect();
        for page in &CONSOLE {
            let name = page.path()[1];
            let named = [format!("\"console/{name}\""), format!("'./{name}'")];
            assert!(named.iter().any(|name| all.contains(name)), "nothing names {name}");
        }
        for module in CONSOLE.iter().filter(|page| page.path()[1].ends_with(".js")) {
            for line in module.text().lines().filter(|line| line.contains(" from './")) {
                let name = line.split("from './").nth(1).and_then(|rest| rest.split('\'').next());
                assert!(find(&["console", name.unwrap_or_default()], true).is_some(), "{line}");
            }
        }
    }
}
