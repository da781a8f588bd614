//! The clients' methods for controllers, on the virtual clock.

use std::future::{Future, pending, poll_fn};
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ipvs_netlink::fake::{Kernel, Version};
use ipvs_netlink::table::controller::{
    Controller, ControllerOptions, Ending, Event, Request, Stepped, Wish,
};
use ipvs_netlink::table::{DrainPolicy, PlanOptions, Table, TableService};
use ipvs_netlink::{
    Client, Destination, DestinationId, ErrorKind, Service, ServiceId, smol, tokio,
};

const SECOND: Duration = Duration::from_secs(1);

fn server(host: u8) -> DestinationId {
    DestinationId::from(std::net::SocketAddr::from(([10, 0, 0, host], 8080)))
}

fn service(port: u16, hosts: &[u8]) -> TableService {
    let servers = hosts.iter().map(|host| Destination::masquerade(server(*host).address));
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    servers.fold(service, TableService::with)
}

fn id(port: u16) -> ServiceId {
    service(port, &[]).id()
}

fn controller() -> Controller {
    Controller::new(ControllerOptions::new())
}

/// Keeps the table until nothing is left to do. Returns the events, as text.
fn settle(ipvs: &mut Client, controller: &mut Controller) -> Vec<String> {
    let mut events = Vec::new();
    ipvs.keep(controller, Duration::MAX, |controller, event| {
        events.extend(event.map(|event| event.to_string()));
        if controller.is_settled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    events.extend(controller.events().map(|event| event.to_string()));
    events
}

/// Lets a client of a kernel with the service 80 and two servers, the second with a connection
/// that lasts, drop the second server.
fn draining(options: ControllerOptions) -> (Kernel, Client, Controller) {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let mut controller = Controller::new(options);
    controller.wish(service(80, &[2, 3]));
    settle(&mut ipvs, &mut controller);
    let hour = 3600 * SECOND;
    kernel.initial().open_connections(id(80), server(3), 1, hour, Duration::ZERO).unwrap();
    controller.wish(service(80, &[2]));
    (kernel, ipvs, controller)
}

#[test]
fn a_step_does_not_wait_for_a_drain_and_says_when_to_look() {
    let (kernel, mut ipvs, mut controller) = draining(ControllerOptions::new());
    let begin = kernel.now();
    let mut looks = 0;
    let mut events = Vec::new();
    while !controller.is_settled() {
        let before = kernel.now();
        let stepped = ipvs.step(&mut controller);
        assert_eq!(kernel.now(), before, "a step never sleeps");
        events.extend(controller.events().map(|event| event.to_string()));
        if let Stepped::Until(time) = stepped {
            looks += 1;
            // Another wish meanwhile is carried out at once.
            if looks == 10 {
                controller.wish(service(81, &[2]));
            }
            if looks == 11 {
                assert!(kernel.initial().service(id(81)).is_some());
                assert_eq!(controller.drains().count(), 1);
            }
            kernel.advance(time - kernel.now());
        }
    }
    // The deadline is 30 s, and the connection lasts longer.
    assert_eq!((kernel.now() - begin).as_secs(), 30, "{events:?}");
    assert!(looks > 30);
    assert!(events.iter().any(|event| event.contains("cut connections")), "{events:?}");
}

#[test]
fn the_callback_is_called_before_each_step_and_for_each_event() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let mut controller = controller();
    let (mut steps, mut events) = (0, 0);
    let begin = kernel.now();
    let result = ipvs.keep(&mut controller, SECOND / 2, |controller, event| {
        match event {
            // The clock moves by the pauses alone.
            None if steps == 0 => assert_eq!(kernel.now(), begin),
            None => assert!(kernel.now() <= begin + steps * SECOND / 2),
            Some(_) => events += 1,
        }
        steps += u32::from(event.is_none());
        match steps {
            1 => controller.wish(service(80, &[2])),
            30 => return ControlFlow::Break("enough"),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert_eq!((result, steps), ("enough", 30));
    // Two changes, serving, settled, and the reading of the whole table.
    assert_eq!(events, 5);
    assert!(kernel.now() > begin + 5 * SECOND);
}

#[test]
fn a_callback_that_breaks_loses_no_event() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let mut controller = controller();
    controller.wish(service(80, &[2]));
    let mut events = Vec::new();
    while !events.contains(&Event::Settled(id(80))) {
        let event = ipvs.keep(&mut controller, SECOND, |_, event| match event {
            Some(event) => ControlFlow::Break(event),
            None => ControlFlow::Continue(()),
        });
        events.push(event);
    }
    assert!(events.contains(&Event::Serving(id(80))), "{events:?}");
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Done(_))).count(), 2);
}

#[test]
fn nothing_is_taken_away_before_the_program_has_seen_that_the_service_leaves() {
    for hold in [Duration::ZERO, 5 * SECOND] {
        let kernel = Kernel::new();
        let mut ipvs = Client::fake(&kernel).unwrap();
        let mut controller = Controller::new(ControllerOptions::new().hold(hold));
        controller.wish(service(80, &[2, 3]));
        settle(&mut ipvs, &mut controller);
        let wished = kernel.initial().table();
        controller.forget(id(80));
        let mut told = None;
        ipvs.keep(&mut controller, SECOND / 10, |_, event| {
            let now = kernel.now();
            if told.is_none_or(|told| now < told + hold) {
                assert_eq!(kernel.initial().table(), wished, "{hold:?}");
            }
            match event {
                Some(Event::Leaving { until, .. }) => {
                    assert_eq!(until, now + hold);
                    told = Some(now);
                }
                Some(Event::Left(_)) => return ControlFlow::Break(()),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert!(told.is_some() && kernel.initial().table().is_empty());
    }
}

#[test]
fn a_program_that_starts_again_hears_what_serves_and_writes_nothing() {
    let kernel = Kernel::new();
    let mut ipvs = Client::fake(&kernel).unwrap();
    let mut before = controller();
    before.wish(service(80, &[2]));
    settle(&mut ipvs, &mut before);
    let mut now = controller();
    now.wish(service(80, &[2]));
    let events = settle(&mut ipvs, &mut now);
    let expected = ["TCP 192.0.2.10:80 serves", "TCP 192.0.2.10:80 is as wished"];
    assert_eq!(events[..2], expected, "{events:?}");
    assert!(!events.iter().any(|event| event.starts_with("done")), "{events:?}");
}

/// Polls a future until it is ready, at most so often.
fn ready_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Waits for other tasks so often.
async fn pass(mut times: u32) {
    poll_fn(|context| {
        context.waker().wake_by_ref();
        times = times.saturating_sub(1);
        if times == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Steps until nothing is left to do, on the virtual clock.
macro_rules! settle {
    ($kernel:ident, $ipvs:ident, $controller:ident) => {
        while !$controller.is_settled() {
            if let Stepped::Until(time) = $ipvs.step(&mut $controller).await {
                $kernel.advance(time.saturating_duration_since($kernel.now()));
            }
            $controller.events().for_each(drop);
        }
    };
}

fn table(hosts: &[u8]) -> Table {
    (1..=60).map(|port| service(port, hosts)).collect()
}

/// What the last request asks for.
fn last_table() -> Table {
    table(&[3, 4])
}

/// The requests of a program that replaces many services, and how often it waits before each.
fn requests() -> Vec<(u32, Request)> {
    vec![
        (3, table(&[2, 3]).into()),
        (40, service(80, &[2]).into()),
        (1, Request::Forget(id(1))),
        (5, Request::Resynchronize),
        (20, last_table().into()),
    ]
}

/// Runs a test with both async clients.
macro_rules! with_both {
    ($name:ident, $kernel:ident, $ipvs:ident, $test:block) => {
        mod $name {
            use super::*;

            #[test]
            fn tokio() {
                let mut runtime = ::tokio::runtime::Builder::new_current_thread();
                runtime.enable_all().build().unwrap().block_on(async {
                    let $kernel = Kernel::new();
                    #[allow(unused_mut, reason = "not every test writes")]
                    let mut $ipvs = tokio::Client::fake(&$kernel).await.unwrap();
                    $test
                });
            }

            #[test]
            fn smol() {
                async_io::block_on(async {
                    let $kernel = Kernel::new();
                    let mut $ipvs = smol::Client::fake(&$kernel).await.unwrap();
                    $test
                });
            }
        }
    };
}

// Drops the loop after each number of polls, and goes on with a new one.
with_both!(a_loop_may_be_dropped_at_every_poll, kernel, ipvs, {
    let mut whole = 0;
    for polls in 1.. {
        let mut controller = controller();
        let mut rest = requests().into_iter();
        let wishes = async || {
            let (pause, request) = rest.next()?;
            pass(pause).await;
            Some(request)
        };
        let run = ipvs.run(&mut controller, Ending::Keep, wishes, |_| ());
        if ready_after(polls, run).is_some() {
            whole = polls;
        }
        // The rest of the requests, of which the one that was awaited is lost with its future.
        let mut rest = requests().into_iter().map(|(_, request)| request);
        let mut events = Vec::new();
        ipvs.run(&mut controller, Ending::Keep, async || rest.next(), |event| events.push(event))
            .await
            .unwrap();
        settle!(kernel, ipvs, controller);
        assert_eq!(Table::from(&kernel.initial().table()), last_table(), "after {polls} polls");
        ipvs.run(&mut controller, Ending::Withdraw, async || None, |_| ()).await.unwrap();
        assert!(kernel.initial().table().is_empty(), "after {polls} polls");
        if whole > 0 {
            break;
        }
    }
    assert!(whole > 60, "others run while the loop works: {whole} polls");
});

// A closure that takes a request and then waits would lose the request with its future.
with_both!(the_future_of_the_closure_lives_across_tasks, kernel, ipvs, {
    let mut controller = controller();
    let mut rest = requests();
    rest.reverse();
    let wishes = async || {
        let (pause, request) = rest.pop()?;
        pass(pause).await;
        Some(request)
    };
    let mut tasks = 0;
    let events = |event| tasks += usize::from(matches!(event, Event::Done(_)));
    ipvs.run(&mut controller, Ending::Keep, wishes, events).await.unwrap();
    assert!(tasks > 0, "work was done while the closure waited");
    settle!(kernel, ipvs, controller);
    assert_eq!(Table::from(&kernel.initial().table()), last_table(), "no request is lost");
});

with_both!(requests_without_end_do_not_keep_the_table_from_being_written, kernel, ipvs, {
    let mut controller = controller();
    let mut count = 0_u32;
    let wishes = async || {
        count += 1;
        // It never waits, and ends when something was done.
        let done = kernel.initial().table().len() > 10;
        assert!(count < 1_000_000, "nothing is ever written");
        (!done).then(|| Request::from(service(1 + (count % 100) as u16, &[2])))
    };
    ipvs.run(&mut controller, Ending::Keep, wishes, |_| ()).await.unwrap();
});

with_both!(a_withdrawal_waits_for_connections, kernel, ipvs, {
    let policy = DrainPolicy::new().deadline(Some(100 * SECOND));
    let plan = PlanOptions::new().drain(Some(policy));
    let mut controller = Controller::new(ControllerOptions::new().plan(plan));
    controller.wish_all([service(80, &[2, 3]), service(81, &[2])]);
    while ipvs.step(&mut controller).await == Stepped::Again {
        controller.events().for_each(drop);
    }
    let host = kernel.initial();
    host.open_connections(id(80), server(3), 5, 40 * SECOND, Duration::ZERO).unwrap();
    let begin = kernel.now();
    let mut events = Vec::new();
    ipvs.run(&mut controller, Ending::Withdraw, async || None, |event| events.push(event))
        .await
        .unwrap();
    assert!(host.table().is_empty());
    let time = (kernel.now() - begin).as_secs();
    assert!((40..50).contains(&time), "{time} s: {events:?}");
    let left = |port| events.iter().position(|event| *event == Event::Left(id(port))).unwrap();
    assert!(left(81) < left(80), "nobody waits for another service");
});

/// The wait of a loop outside the runtime of its client is an error, and no panic.
#[test]
fn a_loop_outside_a_runtime_ends_with_an_error() {
    let kernel = Kernel::in_real_time(Version::default());
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut ipvs = runtime.block_on(tokio::Client::fake(&kernel)).unwrap();
    let mut controller = controller();
    controller.wish(service(80, &[2]));
    let run = ipvs.run(&mut controller, Ending::Keep, async || pending().await, |_| ());
    let error = ready_after(1000, run).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    assert_eq!(kernel.initial().table().len(), 1);
}

/// In tokio's time, which a test may pause, the table is read each minute, and a wish is taken at
/// once in between.
#[test]
fn a_wish_ends_the_wait_for_the_next_reading() {
    let kernel = Kernel::in_real_time(Version::default());
    let mut runtime = ::tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let begin = Instant::now();
    runtime.block_on(async {
        let mut ipvs = tokio::Client::fake(&kernel).await.unwrap();
        let mut controller = controller();
        let (sender, mut receiver) = ::tokio::sync::mpsc::unbounded_channel::<Request>();
        let mut readings = 0;
        let (begin, mut first) = (::tokio::time::Instant::now(), None);
        let events = |event| {
            if let Event::Resynchronized { .. } = event {
                readings += 1;
                first.get_or_insert(begin.elapsed());
            }
        };
        let run = ipvs.run(&mut controller, Ending::Keep, async || receiver.recv().await, events);
        let user = async {
            sender.send(service(80, &[2]).into()).unwrap();
            ::tokio::time::sleep(600 * SECOND).await;
            assert_eq!(kernel.initial().table().len(), 1);
            sender.send(Request::WishAll(vec![Wish::from(service(81, &[2]))])).unwrap();
            ::tokio::time::sleep(6 * SECOND).await;
            assert!(kernel.initial().service(id(81)).is_some(), "no wait for the next reading");
            drop(sender);
        };
        let (ended, ()) = ::tokio::join!(run, user);
        ended.unwrap();
        assert!((9..=12).contains(&readings), "{readings}");
        assert!(first.unwrap() < SECOND, "an event is told before the wait: {first:?}");
    });
    assert!(begin.elapsed() < 60 * SECOND);
}
