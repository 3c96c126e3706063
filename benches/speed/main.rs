//! How long the parts of the server take, each alone. `benches/README.md` explains them.

#[path = "../house.rs"]
mod house;

mod envelope;
mod fanout;
mod frame;
mod head;
mod room;
mod timers;
mod token;
mod unmask;
mod utf8;

use std::time::Duration;

use criterion::{Criterion, criterion_main};

fn all() {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .nresamples(10_000)
        .configure_from_args();
    let parts = [
        token::bench,
        frame::bench,
        unmask::bench,
        utf8::bench,
        envelope::bench,
        head::bench,
        timers::bench,
        room::bench,
    ];
    let mut criterion = criterion;
    for bench in parts {
        bench(&mut criterion);
    }
    fanout::bench(&mut criterion);
    criterion.final_summary();
}

criterion_main!(all);
