//! One scripted client sees the same on 1, 2 and 4 shards, in any order of turns, replies about different rooms excepted.

use std::collections::BTreeMap;

use switchboard::room_key::{RoomKeys, Space};

use super::event::Event;
use super::plan::Plan;
use super::plant::Plant;
use super::random::Random;
use super::script::{Step, script};
use super::socket::Socket;
use super::truth::{Verdict, ensure};
use super::wire::{self, Input};
use super::world::World;

/// What a client heard, by room.
type Transcript = BTreeMap<String, Vec<String>>;

/// A client that carries out a script, and what it hears.
struct Listener {
    world: World,
    input: Input,
    upgraded: bool,
    /// The epoch of each room.
    epochs: BTreeMap<String, String>,
    heard: Vec<String>,
}

impl Listener {
    fn new(seed: u64, plan: Plan, keys: RoomKeys) -> Self {
        let mut world = World::with_plan(Random::seeded(seed), plan, keys);
        world.sockets.push(Socket::new(usize::MAX));
        world.nodes[0].arriving.push(0);
        world.sockets[0].send(&wire::upgrade("/ws?user=ann"));
        let (input, epochs, heard) = Default::default();
        Self { world, input, upgraded: false, epochs, heard }
    }

    fn run(mut self, script: &[Step]) -> Verdict<Transcript> {
        for step in script {
            match step {
                Step::Send(requests) => self.send(requests)?,
                Step::Settle => self.settle()?,
            }
        }
        self.transcript()
    }

    fn send(&mut self, requests: &[String]) -> Verdict {
        let mut bytes = Vec::new();
        for request in requests {
            let known = |request: String, (room, epoch): (&String, &String)| {
                request.replace(&format!("{{{room}}}"), epoch)
            };
            let request = self.epochs.iter().fold(request.clone(), known);
            wire::message(wire::TEXT, request.as_bytes(), &mut self.world.random, &mut bytes);
        }
        self.world.sockets[0].send(&bytes);
        for _ in 0..self.world.random.below(6) {
            let node = self.world.random.below(self.world.nodes.len());
            self.world.turn_of(node, false)?;
        }
        self.read()
    }

    fn settle(&mut self) -> Verdict {
        let busy = |world: &World, node: usize| {
            world.nodes[node].has_work(&world.sockets) || world.office.waits(node)
        };
        while let Some(node) = (0..self.world.nodes.len()).find(|&node| busy(&self.world, node)) {
            self.world.turn_of(node, true)?;
        }
        self.read()
    }

    fn read(&mut self) -> Verdict {
        self.input.push(&self.world.sockets[0].read(usize::MAX));
        self.upgraded = self.upgraded || self.input.answer()?.is_some();
        while self.upgraded
            && let Some((opcode, payload)) = self.input.frame()?
        {
            if opcode == wire::TEXT {
                let json = String::from_utf8(payload).map_err(|error| error.to_string())?;
                let event = Event::read(json.as_bytes())?;
                if let Some(position) = &event.position {
                    self.epochs.insert(place(&event), position[..8].to_owned());
                }
                self.heard.push(json);
            }
        }
        Ok(())
    }

    /// What was heard, without what every run draws anew.
    fn transcript(self) -> Verdict<Transcript> {
        let mut transcript = Transcript::new();
        for json in &self.heard {
            let event = Event::read(json.as_bytes())?;
            let mut line =
                self.epochs.values().fold(json.clone(), |line, epoch| line.replace(epoch, "epoch"));
            if let Some(name) = &event.connection {
                line = line.replace(&**name, "connection");
            }
            transcript.entry(place(&event)).or_default().push(line);
        }
        Ok(transcript)
    }
}

/// The room or the user that something is about, or nothing.
fn place(event: &Event<'_>) -> String {
    match &*event.kind {
        "direct" => "ann".into(),
        _ => event.room.as_deref().or(event.to.as_deref()).unwrap_or_default().to_owned(),
    }
}

/// A plan with a room or two and nobody in them.
fn plan(random: &mut Random, keys: &RoomKeys) -> Plan {
    let plan = Plan::new(random, Plant::Nothing, keys);
    let quota = (0, false);
    Plan { shards: 4, roles: Vec::new(), odds: None, slow: false, cuts: false, quota, guarded: false, ..plan }
}

/// Runs the script of `seed` on one shard and on more with `plant`; says how much was heard, and what differed.
fn compare(seed: u64, plant: Plant) -> Verdict<usize> {
    let (mut random, keys) = (Random::seeded(seed), RoomKeys::default());
    let plan = plan(&mut random, &keys);
    let rooms = plan.rooms.iter().filter(|room| room.space == Space::Native);
    let script = script(&rooms.map(|room| room.name.clone()).collect::<Vec<_>>(), &mut random);
    let run = |shards, schedule| {
        let plan = Plan { shards, plant, ..plan.clone() };
        Listener::new(schedule, plan, keys.clone()).run(&script)
    };
    let alone = run(1, 0)?;
    for (shards, schedule) in [(1, 1), (2, 2), (2, 3), (4, 4), (4, 5)] {
        let heard = run(shards, schedule)?;
        ensure!(heard == alone, "seed {seed}: {alone:#?}\n{shards} shards: {heard:#?}");
    }
    Ok(alone.values().map(Vec::len).sum())
}

#[test]
fn a_client_cannot_tell_how_many_shards_there_are() {
    let heard = (0..150).map(|seed| compare(seed, Plant::Nothing)).sum::<Verdict<usize>>();
    assert!(heard.unwrap_or_else(|error| panic!("{error}")) > 5_000);
}

#[test]
fn a_planted_fault_shows_in_a_transcript() {
    for plant in [Plant::AnswerFirst, Plant::LeaveAtOnce, Plant::Drop, Plant::LetterLost, Plant::NoKeys] {
        assert!((0..150).any(|seed| compare(seed, plant).is_err()), "{plant:?} does not show");
    }
}
