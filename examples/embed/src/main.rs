//! A poll: an ordinary HTTP program, with the relay running inside it.
//!
//! The program counts votes and says the result in the room `poll`; every page that is open shows it at once.
//! `PORT` and `RELAY_PORT` say where it listens.

mod poll;

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use poll::Poll;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use switchboard::{Handle, Rooms, Server};
use tiny_http::{Header, Method, Request, Response};

fn main() -> Result<(), Box<dyn Error>> {
    let relay = Server::builder()
        .listen(([127, 0, 0, 1], port("RELAY_PORT", 8000)?).into())
        .rooms(Rooms::matching("poll").history(1).client_publish(false))
        .build()? // has its port from here on
        .spawn()?; // serves on threads of its own, as long as `relay` is there
    let handle = relay.handle();
    let address = format!("http://{}", relay.local_addrs()[0]);

    let app = tiny_http::Server::http(("127.0.0.1", port("PORT", 8080)?))
        .map_err(|error| error as Box<dyn Error>)?;
    println!("The relay is at {address}");
    println!("The poll is at http://localhost:{}", app.server_addr().to_ip().ok_or("no address")?.port());
    let app = Arc::new(app);
    stop_on_signal(app.clone())?;

    let mut poll = Poll::new(
        "Where shall the team meet in May?",
        &[
            "Lisbon, by the river",
            "Ghent, everywhere by bike",
            "Trieste, with the wind",
            "At home, on camera",
        ],
    );
    handle.publish("poll", &poll)?;
    for request in app.incoming_requests() {
        answer(request, &mut poll, &handle, &address)?;
    }
    Ok(relay.shutdown(Duration::from_secs(1))?) // every page is told when to come back
}

fn port(variable: &str, default: u16) -> Result<u16, Box<dyn Error>> {
    env::var(variable).map_or(Ok(default), |port| Ok(port.parse()?))
}

/// Answers a request of the app's own: its page, or `POST /votes/2`, after which everybody sees the new result.
fn answer(request: Request, poll: &mut Poll, relay: &Handle, address: &str) -> Result<(), Box<dyn Error>> {
    let vote = request.url().strip_prefix("/votes/").and_then(|number| number.parse().ok());
    let sent = match (request.method(), request.url(), vote) {
        (Method::Post, _, Some(number)) if poll.vote(number) => {
            relay.publish("poll", &*poll)?;
            request.respond(Response::empty(204))
        }
        (Method::Get, "/", _) => {
            let page = include_str!("page.html").replace("http://127.0.0.1:8000", address);
            let html = Header::from_bytes("Content-Type", "text/html; charset=utf-8")
                .map_err(|()| "a bad header")?;
            request.respond(Response::from_string(page).with_header(html))
        }
        _ => request.respond(Response::empty(404)),
    };
    if let Err(error) = sent {
        eprintln!("a browser did not wait for its answer: {error}");
    }
    Ok(())
}

/// Ends the loop over requests at Ctrl-C or SIGTERM.
fn stop_on_signal(app: Arc<tiny_http::Server>) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().next().map(|_| app.unblock()));
    Ok(())
}
