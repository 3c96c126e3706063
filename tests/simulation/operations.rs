//! Broker operations for a fuzzer: the bytes choose the cast, the weather and every step of a schedule, and the model
//! judges it as it judges seeds.

use super::plant::Plant;
use super::random::Random;
use super::world::World;

/// Carries out what `bytes` spell.
///
/// # Panics
///
/// If a client sees what it must not see, or anything is left when all have gone.
pub fn broker_operations(bytes: &[u8]) {
    let mut world = World::new(Random::spelled(bytes), Plant::Nothing);
    if let Err(error) = world.run().and_then(|()| world.finish()) {
        panic!("{error}\n{:?}", world.plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that a seed makes up, with long runs of the same, as fuzzers like them.
    fn bytes(seed: u64) -> Vec<u8> {
        let mut random = Random::seeded(seed);
        let mut bytes = Vec::new();
        while bytes.len() < 40 * (seed as usize % 40) {
            let byte = random.below(256) as u8;
            let run = if random.chance(5) { random.below(40) } else { 1 };
            bytes.resize(bytes.len() + run, byte);
        }
        bytes
    }

    #[test]
    fn no_bytes_spell_a_fault() {
        for seed in 0..400 {
            broker_operations(&bytes(seed));
        }
    }
}
