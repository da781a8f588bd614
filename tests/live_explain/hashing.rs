//! `sh`, `dh` and `mh`: every client goes where it is predicted to go.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipvs_netlink::explain::{Answer, Attempt, Missing, TableSizes, View};
use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{
    AddressFamily, Change, Destination, DestinationId, Scheduler, Service, ServiceFlags, ServiceId,
    Tunnel,
};

use crate::Score;
use crate::harness::{Budget, Random};
use crate::traffic::{Call, Clients, Town, some_servers};

const SCHEDULERS: [Scheduler; 3] =
    [Scheduler::SOURCE_HASHING, Scheduler::DESTINATION_HASHING, Scheduler::MAGLEV_HASHING];
const WEIGHTS: [u32; 12] = [0, 0, 1, 1, 1, 2, 3, 5, 10, 100, 65_535, 2_147_483_647];
const MARK: u32 = 5;

/// A service with random destinations after random changes, and what the kernel does not show.
struct Scene {
    service: Service,
    last_weights: BTreeMap<DestinationId, u32>,
}

impl Scene {
    fn new(town: &mut Town, random: &mut Random, scheduler: Scheduler) -> Self {
        let family = *random.one_of(&[AddressFamily::Ipv4, AddressFamily::Ipv6]);
        let flags = [ServiceFlags::SCHED_1, ServiceFlags::SCHED_2];
        let flags = flags.into_iter().filter(|_| random.below(2) == 0).collect::<ServiceFlags>();
        let id = match random.below(2) {
            0 => ServiceId::fwmark(MARK, family),
            _ => ServiceId::tcp(virtual_address(random, family)),
        };
        let service = Service::new(id).scheduler(scheduler).flags(flags);
        town.ipvs.add_service(&service).unwrap();
        let mut scene = Self { service, last_weights: BTreeMap::new() };
        let servers = some_servers(random, family);
        for server in &servers {
            scene.add(town, random, server);
        }
        for _ in 0..random.below(6) {
            let server = random.one_of(&servers);
            scene.change(town, random, server);
        }
        scene
    }

    fn add(&mut self, town: &mut Town, random: &mut Random, server: &Destination) {
        let weight = *random.one_of(&WEIGHTS);
        let server = server.clone().weight(weight);
        town.ipvs.add_destination(self.service.id, &server).unwrap();
        self.last_weights.insert(server.id, weight);
    }

    fn change(&mut self, town: &mut Town, random: &mut Random, server: &Destination) {
        let there = town.ipvs.destinations(self.service.id).unwrap();
        let there = there.iter().any(|entry| entry.id() == server.id);
        match (there, random.below(3)) {
            (true, 0) => town.ipvs.delete_destination(self.service.id, server.id).unwrap(),
            (true, _) => {
                let weight = *random.one_of(&WEIGHTS);
                town.ipvs.set_weight(self.service.id, server.id, weight).unwrap();
                if weight != 0 {
                    self.last_weights.insert(server.id, weight);
                }
            }
            (false, _) => self.add(town, random, server),
        }
    }

    /// What a client reads, without inputs.
    fn shown(&self, town: &mut Town) -> View {
        let destinations = town.ipvs.destinations(self.service.id).unwrap().into_vec();
        View::new(&self.service, destinations)
            .table_sizes(TableSizes::DEFAULT_BUILD)
            .address_is_local(Some(true))
            .connections(Vec::new())
    }

    /// The same with all inputs.
    fn view(&self, town: &mut Town) -> View {
        let inputs = self.last_weights.iter();
        inputs.fold(self.shown(town), |view, (id, weight)| view.last_weight(*id, *weight))
    }

    fn call(&self, random: &mut Random, clients: &mut Clients) -> (Call, Attempt) {
        let family = self.service.id.family();
        let from = clients.next(random, family);
        let (to, mark) = match self.service.id {
            ServiceId::Address { address, .. } => (address, None),
            ServiceId::Fwmark { mark, .. } => (virtual_address(random, family), Some(mark)),
        };
        let attempt = Attempt::new(from.ip(), self.service.id).client_port(from.port()).address(to);
        (Call { from, to, mark }, attempt)
    }
}

/// One of many addresses of the services.
fn virtual_address(random: &mut Random, family: AddressFamily) -> SocketAddr {
    let low = u16::try_from(random.below(65_536)).unwrap();
    let [high, low_byte] = low.to_be_bytes();
    let ip: IpAddr = match family {
        AddressFamily::Ipv4 => [127, 9, high, low_byte].into(),
        AddressFamily::Ipv6 => Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, high.into(), low).into(),
    };
    SocketAddr::new(ip, 80)
}

/// Predicts in `rounds` random services where so many clients go, and lets them go.
fn check(rounds: usize, clients_of_each: usize) {
    let Budget { seed, .. } = Budget::new(0);
    let mut random = Random::new(seed);
    let mut town = Town::new();
    let mut scores = [Score::default(), Score::default(), Score::default()];
    let mut without_inputs = Score::default();
    let mut clients = Clients::new();
    for round in 0..rounds {
        let scheduler = SCHEDULERS[round % SCHEDULERS.len()];
        let scene = Scene::new(&mut town, &mut random, scheduler);
        let (view, shown) = (scene.view(&mut town), scene.shown(&mut town));
        let calls: Vec<_> =
            (0..clients_of_each).map(|_| scene.call(&mut random, &mut clients)).collect();
        let (calls, attempts): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        for (attempt, server) in attempts.iter().zip(town.visit(&calls)) {
            let told = view.explain(attempt);
            let determined = !matches!(told.answer, Answer::Undetermined { .. });
            assert!(determined, "nothing is unknown: {told}");
            scores[round % SCHEDULERS.len()].count(&told, server);

            let told = shown.explain(attempt);
            if let Answer::Undetermined { missing, .. } = &told.answer {
                let by_weight = |it: &Missing| matches!(it, Missing::LastWeight(_));
                assert!(scheduler == Scheduler::MAGLEV_HASHING && missing.iter().all(by_weight));
                without_inputs.count(&told, server);
            }
        }
        town.ipvs.delete_service(scene.service.id).unwrap();
    }
    for (scheduler, score) in SCHEDULERS.into_iter().zip(scores) {
        score.pass(&scheduler.to_string());
    }
    without_inputs.pass("mh without the last weights");
}

#[test]
fn every_client_goes_where_the_hash_says() {
    check(36, 64);
}

#[test]
#[ignore = "takes minutes: run it by hand on each kernel"]
fn many_clients_go_where_the_hash_says() {
    check(Budget::new(200).count, 256);
}

/// A change moves exactly the clients whose slots it moves.
#[test]
fn changes_move_the_clients_that_they_are_said_to_move() {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let mut clients = Clients::new();
    for scheduler in SCHEDULERS {
        let service = Service::fwmark(MARK, AddressFamily::Ipv4).scheduler(scheduler);
        town.ipvs.add_service(&service).unwrap();
        for n in 0..4 {
            let server = Destination::masquerade(crate::traffic::server(AddressFamily::Ipv4, n));
            town.ipvs.add_destination(service.id, &server).unwrap();
        }
        let server = |n| Destination::masquerade(crate::traffic::server(AddressFamily::Ipv4, n));
        let changes = [
            Change::AddDestination(service.id, server(5)),
            Change::UpdateDestination(service.id, server(1).weight(3)),
            Change::UpdateDestination(service.id, server(2).weight(0)),
            Change::DeleteDestination(service.id, server(0).id),
            Change::AddDestination(service.id, server(0).weight(2)),
        ];
        let scene = Scene { service, last_weights: BTreeMap::new() };
        let mut view = scene.shown(&mut town);
        for change in changes {
            let after = view.after(&change);
            town.ipvs.submit(std::slice::from_ref(&change)).into_result().unwrap();
            let read = town.ipvs.destinations(scene.service.id).unwrap();
            let order = |view: &View| -> Vec<_> {
                view.destinations().iter().map(|entry| entry.destination.clone()).collect()
            };
            let read_order: Vec<_> = read.iter().map(|entry| entry.destination.clone()).collect();
            assert_eq!(order(&after), read_order, "{change}");
            let mut score = Score::default();
            let (calls, attempts): (Vec<_>, Vec<_>) =
                (0..64).map(|_| scene.call(&mut random, &mut clients)).unzip();
            for (attempt, server) in attempts.iter().zip(town.visit(&calls)) {
                score.count(&after.explain(attempt), server);
            }
            score.pass(&format!("{scheduler} after {change}"));
            let moves = view.moves(&after).unwrap();
            let counted = moves.stay + moves.moved + moves.lost + moves.gained + moves.refused;
            assert_eq!((counted, moves.depend), (moves.slots, 0), "{moves}");
            view = after;
        }
        town.ipvs.delete_service(scene.service.id).unwrap();
    }
}

/// Destinations of the other family: the table of `mh` reads their addresses by the family of the
/// service. The kernel's own list of connections shows where they went.
#[test]
fn destinations_of_the_other_family_have_their_slots() {
    let mut random = Random::new(Budget::new(0).seed);
    let mut town = Town::new();
    let mut clients = Clients::new();
    for scheduler in [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING] {
        for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
            let service = Service::fwmark(MARK, family).scheduler(scheduler);
            town.ipvs.add_service(&service).unwrap();
            for n in 0..3 {
                let v4 = SocketAddr::from(([10, 200, 0, 1 + n], 80));
                let v6 = format!("[fd00:200::{}]:80", 1 + n).parse().unwrap();
                for address in [v4, v6] {
                    let server =
                        Destination::tunnel(address, Tunnel::Ipip).weight(1 + u32::from(n));
                    town.ipvs.add_destination(service.id, &server).unwrap();
                }
            }
            let scene = Scene { service, last_weights: BTreeMap::new() };
            let view = scene.shown(&mut town);
            let (calls, attempts): (Vec<_>, Vec<_>) =
                (0..64).map(|_| scene.call(&mut random, &mut clients)).unzip();
            town.visit(&calls);
            let rows: Vec<_> =
                Procfs::open().unwrap().connections().unwrap().map(Result::unwrap).collect();
            let mut score = Score::default();
            for (call, attempt) in calls.iter().zip(&attempts) {
                let row = rows.iter().find(|row| row.client == call.from);
                score.count(&view.explain(attempt), row.map(|row| row.destination));
            }
            score.pass(&format!("{scheduler} with both families, {family:?}"));
            town.ipvs.delete_service(scene.service.id).unwrap();
        }
    }
}
