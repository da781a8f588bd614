//! One server of each service fails, each in its way, and comes back. The program is stopped and
//! started meanwhile.

use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::DestinationId;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Pace, PoolPolicy, Watched, WhenDead};

use crate::bound;
use crate::certificates::Certificates;
use crate::crowd::Crowd;
use crate::director::{Director, Form};
use crate::lab::{Lab, TIMEOUT, at, failed_meanwhile, http, https, id, ms, pace, service, vip};
use crate::server::{Manner, Manners, Process, SLOW};

/// What befalls the last server of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    BlackHoled,
    Manner(Manner),
}

/// A service, whose last server fails.
struct Case {
    name: &'static str,
    port: u16,
    fault: Fault,
    form: Form,
    policy: PoolPolicy,
    /// The host of the last server.
    host: u8,
}

impl Case {
    fn is_tls(&self) -> bool {
        self.fault == Fault::Manner(Manner::Expired)
    }

    fn watched(&self, certificates: &Certificates) -> Watched<Probe> {
        let probe = if self.is_tls() { https(certificates) } else { http() };
        Watched::new(service(self.port, &[0, 1, self.host]))
            .policy(self.policy.clone())
            .check(probe, self.pace())
    }

    /// Handshakes cost much.
    fn pace(&self) -> Pace {
        match self.is_tls() {
            true => pace().interval(ms(500)).changing(ms(250)).down(ms(500)),
            false => pace(),
        }
    }

    fn victim(&self) -> DestinationId {
        at(self.host, self.port).into()
    }

    /// How long a check of the faulty server takes.
    fn answer(&self) -> Duration {
        match self.fault {
            Fault::BlackHoled | Fault::Manner(Manner::Silent) => TIMEOUT,
            Fault::Manner(Manner::Slow) => TIMEOUT.min(SLOW),
            _ => Duration::ZERO,
        }
    }
}

fn cases() -> Vec<Case> {
    let case = |name, port, fault, form| {
        let host = if fault == Fault::BlackHoled { 3 } else { 2 };
        Case { name, port, fault, form, policy: PoolPolicy::new(), host }
    };
    let mut deleted = case("killed, and deleted", 8002, Fault::Killed, Form::Blocking);
    deleted.policy = PoolPolicy::new().when_dead(WhenDead::Delete);
    vec![
        case("killed", 8001, Fault::Killed, Form::Blocking),
        deleted,
        case("black-holed", 8003, Fault::BlackHoled, Form::Blocking),
        case("accepts and hangs", 8004, Fault::Manner(Manner::Silent), Form::Blocking),
        case("answers 500", 8005, Fault::Manner(Manner::Error), Form::Blocking),
        case("answers slowly", 8006, Fault::Manner(Manner::Slow), Form::Blocking),
        case("certificate expired", TLS, Fault::Manner(Manner::Expired), Form::Blocking),
        case("killed, on tokio", 8007, Fault::Killed, Form::Tokio),
        case("killed, on smol", 8008, Fault::Killed, Form::Smol),
    ]
}

/// The port of the service with TLS.
const TLS: u16 = 8009;

/// A server that fails.
enum Victim {
    Process(Option<Process>),
    Manners(Manners),
}

impl Victim {
    fn start(lab: &Lab, case: &Case, certificates: &Certificates) -> Self {
        match case.fault {
            Fault::Killed => Self::Process(Some(lab.process(case.port, case.host))),
            _ if case.is_tls() => {
                Self::Manners(lab.serve_tls(case.port, &[case.host], certificates).remove(0))
            }
            _ => Self::Manners(lab.serve(case.port, &[case.host]).remove(0)),
        }
    }

    fn fail(&mut self, lab: &Lab, case: &Case) {
        match (case.fault, self) {
            (Fault::Killed, Self::Process(process)) => process.take().unwrap().kill(),
            (Fault::Manner(manner), Self::Manners(manners)) => manners.set(manner),
            _ => black_holes(lab, case.host, "add"),
        }
    }

    fn recover(&mut self, lab: &Lab, case: &Case) {
        match (case.fault, &mut *self) {
            (Fault::Killed, _) => *self = Self::Process(Some(lab.process(case.port, case.host))),
            (_, Self::Manners(manners)) => {
                manners.set(Manner::Well);
                if case.fault == Fault::BlackHoled {
                    black_holes(lab, case.host, "del");
                }
            }
            _ => {}
        }
    }
}

/// Routes all answers of a host into nothing.
fn black_holes(lab: &Lab, host: u8, verb: &str) {
    let director = format!("10.2.{}.1", host + 1);
    for network in ["10.1.0.0/24", &director] {
        lab.ip(host, &format!("route {verb} blackhole {network}"));
    }
}

#[test]
fn a_server_that_fails_leaves_and_comes_back() {
    let lab = Lab::with_hosts(4);
    let (cases, certificates) = (cases(), Certificates::new());
    let mut victims = Vec::new();
    for case in &cases {
        match case.is_tls() {
            false => lab.serve(case.port, &[0, 1]),
            true => lab.serve_tls(case.port, &[0, 1], &certificates),
        };
        victims.push(Victim::start(&lab, case, &certificates));
    }
    for case in cases.iter().filter(|case| case.fault == Fault::Killed) {
        lab.wait_for(case.host, case.port);
    }
    let start = |form| {
        let of = cases.iter().filter(|case| case.form == form);
        let watched = of.map(|case| case.watched(&certificates)).collect();
        Director::start(form, &lab.network.director, &lab.log, watched)
    };
    let all: Vec<_> = cases.iter().map(|case| case.watched(&certificates)).collect();
    let forms = [Form::Blocking, Form::Tokio, Form::Smol];
    let begin = Instant::now();
    let directors = forms.map(start);
    all.iter().for_each(|watched| lab.all_back(watched, begin));
    let full = lab.table();
    let ports: Vec<_> = cases.iter().filter(|case| !case.is_tls()).map(|case| case.port).collect();
    let crowds = [
        lab.crowd(&ports, 15),
        Crowd::start(&lab.network.client, &[vip(TLS)], 5, Some(certificates.client.clone())),
    ];
    sleep(ms(700));
    lab.wait_for_rotation(&full);

    let mut fault = |(case, victim): (&Case, &mut Victim)| {
        let begin = Instant::now();
        victim.fail(&lab, case);
        (begin, Instant::now())
    };
    let faults: Vec<_> = cases.iter().zip(&mut victims).map(&mut fault).collect();
    let out = |(case, (begin, _)): (&Case, &(Instant, Instant))| {
        lab.out(id(case.port), case.victim(), *begin)
    };
    let outs: Vec<_> = cases.iter().zip(&faults).map(out).collect();
    sleep(ms(300));

    // The program is stopped and started.
    let (held, stopped) = (lab.table(), Instant::now());
    directors.into_iter().for_each(Director::stop);
    sleep(ms(100));
    let restarted = Instant::now();
    let directors = forms.map(start);
    lab.wait_for_verdicts(&all, restarted);
    sleep(ms(300));
    assert_eq!(lab.log.written(stopped), []);
    assert_eq!(lab.table(), held);

    let mut recover = |(case, victim): (&Case, &mut Victim)| {
        victim.recover(&lab, case);
        if case.fault == Fault::Killed {
            // A process takes a moment to start.
            lab.wait_for(case.host, case.port);
        }
        Instant::now()
    };
    let recoveries: Vec<_> = cases.iter().zip(&mut victims).map(&mut recover).collect();
    let back = |case: &Case| lab.back(id(case.port), case.victim(), restarted);
    let backs: Vec<_> = cases.iter().map(back).collect();
    sleep(ms(700));
    let [visits, by_tls] = crowds.map(Crowd::stop);
    directors.into_iter().for_each(Director::stop);

    for (n, case) in cases.iter().enumerate() {
        let pace = case.pace();
        let bounds = [bound::to_down(pace, case.answer()), bound::to_up(pace, case.answer())];
        let (begin, fault) = faults[n];
        let visits = if case.is_tls() { &by_tls } else { &visits };
        let took = [
            outs[n].saturating_duration_since(fault),
            backs[n].saturating_duration_since(recoveries[n]),
        ];
        let failed = failed_meanwhile(visits, vip(case.port), begin, outs[n]);
        println!(
            "{:20} out after {:.2} s of {:.2}, back after {:.2} s of {:.2}, failed {failed} of {}",
            case.name,
            took[0].as_secs_f64(),
            bounds[0].as_secs_f64(),
            took[1].as_secs_f64(),
            bounds[1].as_secs_f64(),
            visits.to(vip(case.port)).len(),
        );
        lab.assert_within(case.name, fault, outs[n], bounds[0]);
        lab.assert_within(case.name, recoveries[n], backs[n], bounds[1]);
        // A check after a late one begins half the time after it at the soonest.
        let soonest = pace.changing * (pace.fall - 1) / 2;
        assert!(outs[n] - begin >= soonest, "{}: {:?} is too soon", case.name, outs[n] - begin);
    }
}
