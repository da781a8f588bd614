//! The values in requests. There are few of each, so that requests often meet the same objects.

use crate::harness::Random;
use crate::message::Attribute;

/// How many services and destinations there are, and how often something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Universe {
    pub(crate) ports: u16,
    pub(crate) hosts: u8,
    /// Half of the requests are about three services, which follow from this number.
    pub(crate) favourites: u64,
}

/// Whether something happens that happens once in `times`.
pub(crate) fn rarely(random: &mut Random, times: usize) -> bool {
    random.below(times) == 0
}

const V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SCHEDULERS: &[&str] = &[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "none",
];
/// The kernel looks for a module for each of these, which takes its time.
const ODD_SCHEDULERS: &[&str] = &["twos", "nosuch", "RR", "", "fifteen_letters"];
const WEIGHTS: &[u32] = &[0, 1, 2, 100, 65_535, 65_536, 0x7fff_ffff];
const ODD_WEIGHTS: &[u32] = &[0x8000_0000, 0xffff_ffff];
const THRESHOLDS: &[u32] = &[0, 1, 5, 100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const SECONDS: &[u32] = &[
    0,
    1,
    59,
    60,
    300,
    2_147_483,
    2_147_484,
    8_589_934,
    8_589_935,
    17_179_869,
    17_179_870,
    21_474_836,
    21_474_837,
    42_949_672,
    42_949_673,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
];
const FLAGS: &[u32] = &[0, 1, 2, 3, 4, 5, 8, 0x10, 0x18, 0x20, 0x39, 0x8000_0040, 0xffff_ffff];

fn v4(address: [u8; 4], random: &mut Random) -> Vec<u8> {
    let mut bytes = address.to_vec();
    match random.below(4) {
        0 => {}
        // The rest is to be ignored.
        1 => bytes.resize(16, 0xee),
        _ => bytes.resize(16, 0),
    }
    bytes
}

fn v6(group: u8, host: u8) -> Vec<u8> {
    let mut address = V6;
    address[11] = group;
    address[15] = host;
    address.to_vec()
}

fn u16_of(kind: u16, value: u16) -> Attribute {
    Attribute::bytes(kind, &value.to_ne_bytes())
}

fn u32_of(kind: u16, value: u32) -> Attribute {
    Attribute::bytes(kind, &value.to_ne_bytes())
}

fn text(kind: u16, text: &str) -> Attribute {
    Attribute::bytes(kind, &[text.as_bytes(), b"\0"].concat())
}

/// The name of a service, and its family.
pub(crate) fn service_id(random: &mut Random, universe: Universe) -> (Vec<Attribute>, u16) {
    let favourite = universe.favourites.wrapping_add(random.below(3) as u64);
    match rarely(random, 2) {
        true => some_service_id(&mut Random::new(favourite), universe),
        false => some_service_id(random, universe),
    }
}

fn some_service_id(random: &mut Random, universe: Universe) -> (Vec<Attribute>, u16) {
    let family = if rarely(random, 3) { 10 } else { 2 };
    if rarely(random, 5) {
        let mark = 1 + u32::try_from(random.below(1 + usize::from(universe.ports) / 4)).unwrap();
        let mark = if rarely(random, 30) { 0 } else { mark };
        return (vec![u16_of(1, family), u32_of(5, mark)], family);
    }
    let protocol = match random.below(20) {
        0..10 => 6,
        10..16 => 17,
        16..19 => 132,
        _ => *random.one_of(&[0, 1, 50, 255, 256, 65_535]),
    };
    let host = u8::try_from(1 + random.below(2)).unwrap();
    let address = if family == 2 { v4([10, 0, 0, host], random) } else { v6(0, host) };
    let port = u16::try_from(random.below(usize::from(universe.ports))).unwrap() * 79;
    let attributes = vec![
        u16_of(1, family),
        u16_of(2, protocol),
        Attribute::bytes(3, &address),
        Attribute::bytes(4, &port.to_be_bytes()),
    ];
    (attributes, family)
}

/// The settings of a service.
pub(crate) fn service_settings(random: &mut Random, family: u16) -> Vec<Attribute> {
    let scheduler =
        if rarely(random, 60) { random.one_of(ODD_SCHEDULERS) } else { random.one_of(SCHEDULERS) };
    let mask = *random.one_of(&[0, 1, 0x18, u32::MAX, u32::MAX, u32::MAX]);
    let flags = [random.one_of(FLAGS).to_ne_bytes(), mask.to_ne_bytes()].concat();
    let netmask = match family {
        2 => *random.one_of(&[u32::MAX, u32::MAX.to_be() << 8, 0, 0x1234_5678]),
        _ if rarely(random, 12) => *random.one_of(&[0, 129, 255, u32::MAX, 64_u32.swap_bytes()]),
        _ => *random.one_of(&[1, 64, 127, 128]),
    };
    let mut settings = vec![
        text(6, scheduler),
        Attribute::bytes(7, &flags),
        u32_of(8, *random.one_of(SECONDS)),
        u32_of(9, netmask),
    ];
    match random.below(40) {
        0..8 => settings.push(text(11, "sip")),
        8 => settings.push(text(11, "")),
        9 if rarely(random, 4) => settings.push(text(11, "nosuch")),
        9 => settings.push(text(11, "sixteen__letters")),
        _ => {}
    }
    settings
}

const ODD_V4: &[[u8; 4]] = &[
    [0, 0, 0, 0],
    [0, 1, 2, 3],
    [127, 0, 0, 1],
    [127, 255, 255, 255],
    [224, 0, 0, 1],
    [239, 255, 255, 255],
    [240, 0, 0, 1],
    [255, 255, 255, 254],
    [255, 255, 255, 255],
];
const ODD_V6: &[&str] = &[
    "::",
    "::1",
    "::1.2.3.4",
    "::ffff:10.0.0.1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2002::1",
    "64:ff9b::1",
    "4000::1",
];

/// The name of a destination.
pub(crate) fn destination_id(
    random: &mut Random,
    universe: Universe,
    service: u16,
) -> Vec<Attribute> {
    let other = rarely(random, 6);
    let family = if other { 12 - service } else { service };
    let host = u8::try_from(1 + random.below(usize::from(universe.hosts))).unwrap();
    let address = match (family, rarely(random, 12)) {
        (2, false) => v4([10, 1, 0, host], random),
        (2, true) => v4(*random.one_of(ODD_V4), random),
        (_, false) => v6(1, host),
        (_, true) => {
            let address: std::net::Ipv6Addr = random.one_of(ODD_V6).parse().unwrap();
            address.octets().to_vec()
        }
    };
    let port: u16 = *random.one_of(&[0, 80, 8080]);
    let mut id = vec![Attribute::bytes(1, &address), Attribute::bytes(2, &port.to_be_bytes())];
    match random.below(20) {
        0 => id.push(u16_of(11, *random.one_of(&[0, 2, 10, 3, 65_535]))),
        1..10 => id.push(u16_of(11, family)),
        _ if other => id.push(u16_of(11, family)),
        _ => {}
    }
    id
}

/// The name of a destination with the broadcast address of `lo`.
pub(crate) fn broadcast(random: &mut Random) -> Vec<Attribute> {
    let port: u16 = *random.one_of(&[0, 80, 8080]);
    let address = v4([127, 255, 255, 255], random);
    vec![Attribute::bytes(1, &address), Attribute::bytes(2, &port.to_be_bytes())]
}

/// The settings of a destination.
pub(crate) fn destination_settings(random: &mut Random, mixed: bool) -> Vec<Attribute> {
    let method = match random.below(10) {
        0 => *random.one_of(&[4, 5, 6, 7, 8, 10, 0xff, 0x8000_0002]),
        _ if mixed => 2,
        1..5 => 0,
        5..8 => 2,
        _ => *random.one_of(&[1, 3]),
    };
    let weight =
        if rarely(random, 20) { random.one_of(ODD_WEIGHTS) } else { random.one_of(WEIGHTS) };
    let (upper, lower) = match random.below(10) {
        0..7 => (0, 0),
        7 | 8 => *random.one_of(&[(5, 1), (100, 100), (0x7fff_ffff, 0), (1, 0)]),
        _ => (*random.one_of(THRESHOLDS), *random.one_of(THRESHOLDS)),
    };
    let mut settings =
        vec![u32_of(3, method), u32_of(4, *weight), u32_of(5, upper), u32_of(6, lower)];
    if rarely(random, 3) {
        settings.push(Attribute::bytes(13, &[*random.one_of(&[0, 1, 1, 2, 3, 255])]));
        if !rarely(random, 4) {
            let port: u16 = *random.one_of(&[0, 6080, 6080, 6080]);
            settings.push(Attribute::bytes(14, &port.to_be_bytes()));
        }
        if !rarely(random, 4) {
            settings.push(u16_of(15, *random.one_of(&[0, 1, 2, 3, 0xffff])));
        }
    }
    settings
}

/// The settings of a daemon.
pub(crate) fn daemon(random: &mut Random) -> Vec<Attribute> {
    let state = if rarely(random, 10) { random.one_of(&[0, 3]) } else { random.one_of(&[1, 2]) };
    let interface = if rarely(random, 8) { random.one_of(&["nosuch", ""]) } else { "lo" };
    let id = *random.one_of(&[0, 1, 255, 300, u32::MAX]);
    let mut daemon = vec![u32_of(1, *state), text(2, interface), u32_of(3, id)];
    if rarely(random, 3) {
        daemon.push(u16_of(4, *random.one_of(&[0, 1, 500, 1024, 1400, 1500, 65_535])));
    }
    if rarely(random, 3) {
        let group = *random.one_of(&[[224, 0, 0, 81], [239, 1, 2, 3], [10, 0, 0, 1], [0, 0, 0, 0]]);
        daemon.push(Attribute::bytes(5, &group));
    }
    if rarely(random, 4) {
        let mut group = [0; 16];
        (group[0], group[1], group[15]) =
            *random.one_of(&[(0xff, 2, 0x81), (0xff, 0x0e, 1), (0x20, 1, 1)]);
        daemon.push(Attribute::bytes(6, &group));
    }
    if rarely(random, 3) {
        daemon.push(u16_of(7, *random.one_of(&[0, 8848, 9000])));
    }
    if rarely(random, 3) {
        daemon.push(Attribute::bytes(8, &[*random.one_of(&[0, 1, 255])]));
    }
    daemon
}

/// The timeouts.
pub(crate) fn timeouts(random: &mut Random) -> Vec<Attribute> {
    let mut timeouts = Vec::new();
    for kind in 4..=6 {
        if !rarely(random, 3) {
            timeouts.push(u32_of(kind, *random.one_of(SECONDS)));
        }
    }
    timeouts
}

/// A request for the id of a family.
pub(crate) fn family(random: &mut Random) -> Vec<Attribute> {
    match random.below(8) {
        0 => vec![Attribute::bytes(1, &0xfff_u16.to_ne_bytes())],
        1 => vec![],
        2 => vec![Attribute { kind: 1, value: crate::message::Value::Family, length: None }],
        3 if rarely(random, 4) => vec![text(2, "nosuch")],
        _ => vec![text(2, "IPVS")],
    }
}
