//! Timers: a sweep over every connection four times per second, and a store for each new deadline.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use switchboard::time::{Deadlines, Tick};

/// A sweep that finds one due entry, and the setting of every deadline.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    for count in [10_000_u32, 1_000_000] {
        group.throughput(Throughput::Elements(u64::from(count)));
        let (mut deadlines, mut due, mut now) = (filled(count), Vec::new(), 0);
        group.bench_function(BenchmarkId::new("sweep", count), |bencher| {
            bencher.iter(|| {
                now += 1;
                due.clear();
                deadlines.set(count / 2, Tick(now));
                deadlines.sweep(Tick(now), usize::MAX, &mut due);
                assert_eq!(due, [count / 2]);
            });
        });
        group.bench_function(BenchmarkId::new("set", count), |bencher| {
            let set =
                |deadlines: &mut Deadlines| (0..count).for_each(|key| deadlines.set(key, Tick(9 + key)));
            bencher.iter_batched_ref(|| filled(count), set, BatchSize::LargeInput);
        });
    }
    group.finish();
}

/// Deadlines that never come.
fn filled(count: u32) -> Deadlines {
    let mut deadlines = Deadlines::default();
    for key in 0..count {
        deadlines.set(key, Tick(u32::MAX - 1));
    }
    deadlines
}
