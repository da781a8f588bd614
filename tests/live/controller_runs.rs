//! The loop for controllers that both async clients have.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use ipvs_netlink::Service;
use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Ending, Event, Request};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::client::{Async as Client, wait};
use crate::harness::{Budget, Random};
use crate::namespace;
use crate::suite::controllers::{controller, id, service};

/// Waits for an event.
async fn comes(events: &mut UnboundedReceiver<Event>, expected: &Event) {
    while events.recv().await.expect("the loop goes on") != *expected {}
}

#[test]
fn wishes_come_while_the_loop_waits_and_the_table_stays_at_the_end() {
    namespace::fresh();
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        let mut other = Client::connect().await.unwrap();
        // An hour: what happens soon happens because of a wish.
        let hour = Duration::from_secs(3600);
        let mut controller = Controller::new(ControllerOptions::new().resync(hour));
        let (sender, mut receiver) = mpsc::unbounded_channel::<Request>();
        let (tell, mut events) = mpsc::unbounded_channel();
        let begin = Instant::now();
        let run = ipvs.run(
            &mut controller,
            Ending::Keep,
            async || receiver.recv().await,
            |event| tell.send(event).unwrap(),
        );
        let user = async {
            sender.send(service(80, &[2]).into()).unwrap();
            comes(&mut events, &Event::Settled(id(80))).await;
            sender.send(service(81, &[2, 3]).into()).unwrap();
            comes(&mut events, &Event::Settled(id(81))).await;
            other.delete_service(id(81)).await.unwrap();
            sender.send(Request::Resynchronize).unwrap();
            comes(&mut events, &Event::Settled(id(81))).await;
            sender.send(Request::Forget(id(80))).unwrap();
            comes(&mut events, &Event::Left(id(80))).await;
            drop(sender);
        };
        let (ended, ()) = tokio::join!(run, user);
        ended.unwrap();
        assert!(begin.elapsed() < Duration::from_secs(60));
        assert!(controller.is_settled());
        let wished = Table::from_iter([service(81, &[2, 3])]);
        assert_eq!(Table::from(&other.snapshot().await.unwrap()), wished);
    });
}

#[test]
fn everything_that_was_wished_leaves_if_the_end_asks_for_that() {
    namespace::fresh();
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        let theirs = Service::tcp(([192, 0, 2, 99], 80).into());
        ipvs.add_service(&theirs).await.unwrap();
        let mut controller = controller();
        let table: Table = (1..=20).map(|port| service(port, &[2, 3])).collect();
        let mut requests = [Request::from(table)].into_iter();
        let mut settled = 0;
        // The closure waits for nothing: all wishes are there at once, and then the end.
        let wishes = async || requests.next();
        let mut events = Vec::new();
        ipvs.run(&mut controller, Ending::Keep, wishes, |event| events.push(event)).await.unwrap();
        assert!(ipvs.services().await.unwrap().len() == 1, "the end came before any task");
        let begin = Instant::now();
        while settled < 20 {
            let _ = ipvs.step(&mut controller).await;
            settled += controller.events().filter(|it| matches!(it, Event::Settled(_))).count();
            assert!(begin.elapsed() < Duration::from_secs(60));
        }
        let mut left = 0;
        let events = |event| left += usize::from(matches!(event, Event::Left(_)));
        ipvs.run(&mut controller, Ending::Withdraw, async || None, events).await.unwrap();
        assert_eq!((left, controller.owned().count()), (20, 0));
        let there = ipvs.services().await.unwrap();
        assert_eq!(there.iter().map(|entry| entry.id()).collect::<Vec<_>>(), [theirs.id]);
    });
}

#[test]
fn its_futures_are_send() {
    fn is_send<T: Send>(_: T) {}
    namespace::fresh();
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        let mut controller = controller();
        is_send(ipvs.step(&mut controller));
        let (_, mut receiver) = mpsc::unbounded_channel();
        let wishes = async move || receiver.recv().await;
        is_send(ipvs.run(&mut controller, Ending::Keep, wishes, |_| ()));
    });
}

/// Drops the loop after any number of polls, while it reads, writes and waits, and begins it anew
/// with other wishes.
#[test]
fn a_loop_that_is_dropped_again_and_again_leaves_the_table_right() {
    namespace::fresh();
    let budget = Budget::new(300);
    let mut random = Random::new(budget.seed);
    wait(async {
        let mut ipvs = Client::connect().await.unwrap();
        let mut controller = controller();
        let mut wished = Table::new();
        let (mut waited, mut cut_short) = (0, 0);
        for done in 0.. {
            if !budget.lasts(done) {
                break;
            }
            // Many services now and then, so that one task takes many polls.
            let count = if random.below(10) == 0 { 150 } else { 1 };
            for _ in 0..count {
                let port = 1 + u16::try_from(random.below(300)).unwrap();
                let hosts = [2, 3, 4].map(|host| host + u8::try_from(random.below(3)).unwrap());
                match random.below(4) {
                    0 => drop(wished.remove(id(port))),
                    _ => drop(wished.insert(service(port, &hosts))),
                }
            }
            let mut requests = vec![Request::from(wished.clone())];
            let wishes = async || match requests.pop() {
                Some(request) => Some(request),
                None => std::future::pending().await,
            };
            let polls = 1 + random.below(30);
            let run = ipvs.run(&mut controller, Ending::Keep, wishes, |_| ());
            assert!(dropped_after(polls, run), "there is no end to the wishes");
            cut_short += usize::from(!controller.is_settled());
            waited += usize::from(controller.is_settled());
            if done % 20 == 0 {
                assert!(ipvs.services().await.unwrap().len() <= 300);
            }
        }
        assert!(cut_short > 0, "the loop was never dropped in the midst of something");
        let begin = Instant::now();
        while !controller.is_settled() {
            let stepped = ipvs.step(&mut controller).await;
            controller.events().for_each(drop);
            assert!(begin.elapsed() < Duration::from_secs(60), "seed {}", budget.seed);
            std::thread::sleep(stepped.pause(Instant::now()).min(Duration::from_millis(100)));
        }
        let there = Table::from(&ipvs.snapshot().await.unwrap());
        assert_eq!(there, wished, "seed {}: {waited} {cut_short}", budget.seed);
    });
}

/// Polls a future `polls` times and drops it. Returns `false` if it was ready before.
fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).all(|_| future.as_mut().poll(&mut context).is_pending())
}
