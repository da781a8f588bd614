//! Random requests, most of them right.

use crate::harness::Random;
use crate::message::{Attribute, Body, Kind, Message, Value};
use crate::universe::{self, Universe, rarely};

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;
const CONTROLLER: u16 = 16;
const NOOP: u16 = 1;

/// A source of requests with ascending sequence numbers.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) universe: Universe,
    next: u32,
}

impl Requests {
    pub(crate) fn new(universe: Universe) -> Self {
        Self { universe, next: 0 }
    }

    fn message(
        &mut self,
        kind: Kind,
        flags: u16,
        command: u8,
        attributes: Vec<Attribute>,
    ) -> Message {
        self.next += 1;
        let trailing = Vec::new();
        let body = Body::Command { command, version: 1, reserved: 0, attributes, trailing };
        Message { kind, flags, sequence: self.next, port: 0, body, length: None }
    }

    fn service(&self, random: &mut Random, full: bool) -> (Vec<Attribute>, u16) {
        let (mut service, family) = universe::service_id(random, self.universe);
        if full {
            service.extend(universe::service_settings(random, family));
        }
        (vec![Attribute::nest(1, service)], family)
    }

    fn destination(&self, random: &mut Random, full: bool) -> Vec<Attribute> {
        let settings = rarely(random, 30);
        let (mut attributes, family) = self.service(random, settings);
        let mut destination = universe::destination_id(random, self.universe, family);
        if full {
            let mixed = destination
                .iter()
                .any(|it| it.kind == 11 && it.value != Value::Bytes(family.to_ne_bytes().to_vec()));
            destination.extend(universe::destination_settings(random, mixed));
        }
        attributes.push(Attribute::nest(2, destination));
        attributes
    }

    /// A request that writes, without faults.
    pub(crate) fn write(&mut self, random: &mut Random, flags: u16) -> Message {
        let (command, attributes) = match random.below(100) {
            0..25 => (1, self.service(random, true).0),
            25..33 => (2, self.service(random, true).0),
            33..41 => (3, self.service(random, false).0),
            41..71 => (5, self.destination(random, true)),
            71..81 => (6, self.destination(random, true)),
            81..90 => (7, self.destination(random, false)),
            90..94 => (12, universe::timeouts(random)),
            94..99 => (16, self.service(random, false).0),
            _ => (16, Vec::new()),
        };
        self.message(Kind::Ipvs, flags, command, attributes)
    }

    /// A request that adds.
    pub(crate) fn add(&mut self, random: &mut Random, flags: u16) -> Message {
        let (command, attributes) = match random.below(2) {
            0 => (1, self.service(random, true).0),
            _ => (5, self.destination(random, true)),
        };
        self.message(Kind::Ipvs, flags, command, attributes)
    }

    /// A list of services, or of destinations.
    pub(crate) fn list(&mut self, random: &mut Random) -> Message {
        let (command, attributes) = match random.below(3) {
            0 => (8, self.service(random, false).0),
            _ => (4, Vec::new()),
        };
        self.message(Kind::Ipvs, REQUEST | DUMP, command, attributes)
    }

    /// Requests that add a service, and that add and delete a destination of it with a broadcast
    /// address of `lo`.
    pub(crate) fn broadcast(&mut self, random: &mut Random) -> (Message, Message, Message) {
        let flags = REQUEST | ACKNOWLEDGE;
        let (mut id, mut family) = universe::service_id(random, self.universe);
        while family != 2 {
            (id, family) = universe::service_id(random, self.universe);
        }
        let settings = universe::service_settings(random, family);
        let service = vec![Attribute::nest(1, [id.clone(), settings].concat())];
        let destination = universe::broadcast(random);
        let add = [destination.clone(), universe::destination_settings(random, false)].concat();
        let add = vec![Attribute::nest(1, id.clone()), Attribute::nest(2, add)];
        let delete = vec![Attribute::nest(1, id), Attribute::nest(2, destination)];
        let service = self.message(Kind::Ipvs, flags, 1, service);
        let add = self.message(Kind::Ipvs, flags, 5, add);
        (service, add, self.message(Kind::Ipvs, flags, 7, delete))
    }

    pub(crate) fn flush(&mut self) -> Message {
        self.message(Kind::Ipvs, REQUEST | ACKNOWLEDGE, 17, Vec::new())
    }

    /// Something that is answered by an acknowledgement or an error.
    pub(crate) fn answered(&mut self, random: &mut Random) -> Message {
        match random.below(3) {
            0 => self.fence(),
            1 => {
                let attributes = self.service(random, false).0;
                self.message(Kind::Ipvs, REQUEST | ACKNOWLEDGE, 16, attributes)
            }
            _ => self.message(Kind::Ipvs, REQUEST | ACKNOWLEDGE, 15, Vec::new()),
        }
    }

    fn fence(&mut self) -> Message {
        let mut fence = self.message(Kind::Number(NOOP), REQUEST | ACKNOWLEDGE, 0, Vec::new());
        fence.body = Body::Bytes(Vec::new());
        fence
    }

    /// Any request.
    pub(crate) fn any(&mut self, random: &mut Random) -> Message {
        let flags = match random.below(20) {
            0..14 => REQUEST | ACKNOWLEDGE,
            14..18 => REQUEST,
            18 => ACKNOWLEDGE,
            // NLM_F_ECHO and the flags of additions
            _ => REQUEST | *random.one_of(&[8, 0x100, 0x200, 0x400, 0x800, 0xd00, 0x4, 0x10]),
        };
        let dump = if rarely(random, 10) { flags } else { flags | DUMP };
        let service = |it: &Self, random: &mut Random| it.service(random, false).0;
        let (flags, command, attributes) = match random.below(100) {
            0..40 => return self.spoiled(random, flags, Self::write),
            40..48 => (flags, 4, service(self, random)),
            48..60 => (dump, 4, Vec::new()),
            60..74 => (dump, 8, service(self, random)),
            74..77 => (flags, 9, vec![Attribute::nest(3, universe::daemon(random))]),
            77..79 => {
                let state = *random.one_of(&[1_u32, 2, 1, 2, 1, 2, 0, 3]);
                let daemon = vec![Attribute::bytes(1, &state.to_ne_bytes())];
                (flags, 10, vec![Attribute::nest(3, daemon)])
            }
            79..83 => (dump, 11, Vec::new()),
            83..86 => (flags, 13, Vec::new()),
            86..89 => (flags, 15, Vec::new()),
            89 => (flags, *random.one_of(&[0, 14, 18, 19, 255]), Vec::new()),
            90 if rarely(random, 3) => (flags, 17, Vec::new()),
            90..93 => {
                let attributes = universe::family(random);
                return self.message(Kind::Number(CONTROLLER), flags & !DUMP, 3, attributes);
            }
            93..96 => return self.fence(),
            96 => {
                let attributes = service(self, random);
                let number = *random.one_of(&[0, 1, 2, 3, 4, 15, 0xfff]);
                return self.message(Kind::Number(number), flags, 4, attributes);
            }
            // Commands with attributes that they do not need.
            _ => {
                let command = u8::try_from(random.below(20)).unwrap();
                // Without DEL_DAEMON and without FLUSH, which would be too frequent.
                let command = if matches!(command, 10 | 17) { 4 } else { command };
                let attributes = self.destination(random, true);
                let flags = if rarely(random, 2) { flags | DUMP } else { flags };
                (flags, command, attributes)
            }
        };
        self.spoiled(random, flags, |it, _, flags| {
            it.message(Kind::Ipvs, flags, command, attributes)
        })
    }

    /// Changes some requests, so that most of those are wrong.
    fn spoiled(
        &mut self,
        random: &mut Random,
        flags: u16,
        make: impl FnOnce(&mut Self, &mut Random, u16) -> Message,
    ) -> Message {
        let mut message = make(self, random, flags);
        if rarely(random, 6) {
            spoil(random, &mut message);
        }
        message
    }
}

/// Changes a request in one or more places.
fn spoil(random: &mut Random, message: &mut Message) {
    let Body::Command { version, reserved, attributes, trailing, .. } = &mut message.body else {
        return;
    };
    match random.below(24) {
        0 => *version = *random.one_of(&[0, 2, 99]),
        1 => *reserved = 7,
        2 => trailing.extend(vec![*random.one_of(&[0, 5]); 1 + random.below(6)]),
        3 => message.port = *random.one_of(&[1, 4711]),
        4 => {
            let bytes = vec![0; random.below(5)];
            message.body = Body::Bytes(bytes);
        }
        _ => spoil_attributes(random, attributes),
    }
}

fn spoil_attributes(random: &mut Random, attributes: &mut Vec<Attribute>) {
    // Most faults are within a nest.
    if !rarely(random, 5) {
        let mut nests: Vec<_> = attributes
            .iter_mut()
            .filter_map(|attribute| match &mut attribute.value {
                Value::Nest(inner) => Some(inner),
                _ => None,
            })
            .collect();
        if !nests.is_empty() {
            let chosen = random.below(nests.len());
            return spoil_attributes(random, nests[chosen]);
        }
    }
    if attributes.is_empty() || rarely(random, 10) {
        let kind = *random.one_of(&[0, 1, 2, 3, 4, 7, 10, 12, 16, 40, 0x1fff]);
        let value = vec![0x55; random.below(9)];
        return attributes.push(Attribute::bytes(kind, &value));
    }
    let chosen = random.below(attributes.len());
    match random.below(10) {
        0..3 => drop(attributes.remove(chosen)),
        3 => {
            let again = attributes[chosen].clone();
            attributes.push(again);
            let last = attributes.len() - 1;
            spoil_value(random, &mut attributes[last]);
        }
        4 => {
            let other = random.below(attributes.len());
            attributes.swap(chosen, other);
        }
        5 => attributes[chosen].kind |= *random.one_of(&[0x8000, 0x4000, 0xc000]),
        6 => {
            attributes[chosen].length =
                Some(*random.one_of(&[0, 1, 3, 4, 5, 8, 12, 20, 100, 0xffff]));
        }
        _ => spoil_value(random, &mut attributes[chosen]),
    }
}

fn spoil_value(random: &mut Random, attribute: &mut Attribute) {
    let length = match &attribute.value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Nest(_) | Value::Family => 4,
    };
    let new = match random.below(6) {
        0 => 0,
        1 => length.saturating_sub(1),
        2 => length + 1,
        3 => length * 2,
        4 => random.below(24),
        _ => length,
    };
    let mut bytes = match &attribute.value {
        Value::Bytes(bytes) => bytes.clone(),
        Value::Nest(_) | Value::Family => Vec::new(),
    };
    bytes.resize(new, *random.one_of(&[0, b'a', 0xff]));
    if new == length && !bytes.is_empty() {
        let place = random.below(bytes.len());
        bytes[place] ^= 1 << random.below(8);
    }
    attribute.value = Value::Bytes(bytes);
}
