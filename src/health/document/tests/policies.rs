use std::time::Duration;

use proptest::prelude::*;

use super::{message, reads, round_trips};
use crate::health::{Combination, Damping, MaintenanceKind, Pace, PoolPolicy, SlowStart, WhenDead};
use crate::model::{Destination, Tunnel};

#[test]
fn what_is_left_out_has_its_default() {
    assert_eq!(serde_json::from_str::<Pace>("{}").unwrap(), Pace::new());
    assert_eq!(serde_json::from_str::<PoolPolicy>("{}").unwrap(), PoolPolicy::new());
    assert_eq!(serde_json::to_string(&Pace::new()).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&PoolPolicy::new()).unwrap(), "{}");
    let pace: Pace = toml::from_str("interval = \"1500ms\"\ndown = 30\ndamping = true").unwrap();
    let second = Duration::from_secs(1);
    assert_eq!(pace, Pace::new().interval(second * 3 / 2).down(second * 30));
    let pace: Pace = serde_saphyr::from_str("damping: {window: 1h30m, most: 4}").unwrap();
    let damping = Damping::new().window(second * 5400).most(4);
    assert_eq!(pace, Pace::new().damping(Some(damping)));
    let policy = "quorum: 2\nhysteresis: 1\npanic: 50\nkeep_last: false\nhold: 10s\n\
                  sorry: {address: '[2001:db8::9]:80', forward: {tunnel: gre}, weight: 7}\n\
                  slow_start: {time: 2m, steps: 4}\nwhen_dead: weight-zero\n";
    let sorry =
        Destination::tunnel("[2001:db8::9]:80".parse().unwrap(), Tunnel::Gre { checksum: false })
            .weight(7);
    let expected = PoolPolicy::new()
        .quorum(2)
        .hysteresis(1)
        .panic(50)
        .keep_last(false)
        .hold(second * 10)
        .sorry(Some(sorry))
        .slow_start(Some(SlowStart::new(second * 120).steps(4)))
        .when_dead(WhenDead::WeightZero);
    assert_eq!(serde_saphyr::from_str::<PoolPolicy>(policy).unwrap(), expected);
}

#[test]
fn errors_name_the_field_the_value_and_the_rule() {
    let time = "must be like 500ms, 90s, 5m or 1h30m, or a whole number of seconds";
    let range = "must be at least 1 ms and at most 365 days";
    for (json, expected) in [
        (r#"{"intervall": 1}"#, "unknown field `intervall`, expected one of `interval`, `changing`, `down`, `rise`, `fall`, `first_rise`, `damping`".to_owned()),
        (r#"{"interval": "5"}"#, format!("interval \"5\": {time}")),
        (r#"{"interval": 0}"#, format!("interval 0s: {range}")),
        (r#"{"interval": "366d"}"#, format!("interval 31622400s: {range}")),
        (r#"{"changing": null}"#, "invalid type: null, expected changing, a duration like \"500ms\" or \"5s\", or a whole number of seconds".to_owned()),
        (r#"{"rise": 0}"#, "rise 0: must be at least 1".to_owned()),
        (r#"{"fall": -1}"#, "invalid value: integer `-1`, expected fall, 1 to 4294967295, a whole number".to_owned()),
        (r#"{"damping": {"most": 65537}}"#, "most 65537: must be 1 to 65536".to_owned()),
        (r#"{"rise": 1, "rise": 2}"#, "duplicate field `rise`".to_owned()),
        ("[]", "invalid type: sequence, expected a pace, a mapping with the keys interval, changing, down, rise, fall, first_rise and damping".to_owned()),
    ] {
        assert_eq!(message::<Pace>(json), expected);
    }
    for (json, expected) in [
        (r#"{"panic": 101}"#, "panic 101: must be at most 100"),
        (
            r#"{"panic": 256}"#,
            "invalid value: integer `256`, expected panic, 0 to 100, a whole number",
        ),
        (r#"{"quorum": 0}"#, "quorum 0: must be at least 1"),
        (r#"{"keep_last": 1}"#, "invalid type: integer `1`, expected keep_last, true or false"),
        (r#"{"slow_start": {"steps": 5}}"#, "missing field `time`"),
        (r#"{"slow_start": {"time": 5, "steps": 101}}"#, "steps 101: must be 2 to 100"),
        (r#"{"when_dead": "later"}"#, "when_dead \"later\": must be auto, weight-zero or delete"),
        (r#"{"sorry": {"address": "10.0.0.1:80"}}"#, "missing field `forward`"),
        (
            r#"{"sorry": {"address": "10.0.0.1", "forward": "direct"}}"#,
            "destination \"10.0.0.1\": needs a port, as in 10.0.0.2:8080 or [2001:db8::2]:8080, or port 0 in a service of a firewall mark, as in 10.0.0.2:0",
        ),
        (
            r#"{"sorry": {"address": "10.0.0.1:80", "forward": "direct", "weight": 2147483648}}"#,
            "destination 10.0.0.1:80: weight 2147483648: must be at most 2147483647",
        ),
    ] {
        assert_eq!(message::<PoolPolicy>(json), expected);
    }
    assert_eq!(message::<Combination>("0"), "combination 0: must be at least 1");
    assert_eq!(
        message::<Combination>("\"most\""),
        "combination \"most\": must be all, any or a number of checks"
    );
    let shown = message::<MaintenanceKind>(r#""\u001b[2J""#);
    assert_eq!(shown, r#"maintenance "\u{1b}[2J": must be drain or out"#);
}

#[test]
fn what_no_text_says_is_not_written() {
    let pace = Pace::new().interval(Duration::from_micros(1500));
    let error = serde_json::to_string(&pace).unwrap_err().to_string();
    assert_eq!(error, "interval 1.5ms: must be whole milliseconds to be written");
}

fn time() -> impl Strategy<Value = Duration> {
    (1..=31_536_000_000_u64).prop_map(Duration::from_millis)
}

fn pace() -> impl Strategy<Value = Pace> {
    let damping = (time(), any::<u16>(), 1..=65_536_u32).prop_map(|(window, free, most)| Damping {
        window,
        free,
        most,
    });
    let counts = (1..=u32::MAX, 1..=u32::MAX, 1..=u32::MAX);
    (time(), time(), time(), counts, prop::option::of(damping)).prop_map(
        |(interval, changing, down, (rise, fall, first_rise), damping)| Pace {
            interval,
            changing,
            down,
            rise,
            fall,
            first_rise,
            damping,
        },
    )
}

fn policy() -> impl Strategy<Value = PoolPolicy> {
    let sorry = (any::<[u8; 4]>(), 1..=u16::MAX, 0..=0x7fff_ffff_u32).prop_filter_map(
        "a unicast address",
        |(ip, port, weight)| {
            let sorry = Destination::masquerade((ip, port).into()).weight(weight);
            PoolPolicy::new().sorry(Some(sorry.clone())).validate().is_ok().then_some(sorry)
        },
    );
    let slow_start = (time(), 2..=100_u32).prop_map(|(time, steps)| SlowStart { time, steps });
    let when_dead =
        prop::sample::select(vec![WhenDead::Auto, WhenDead::WeightZero, WhenDead::Delete]);
    let numbers = (1..=u32::MAX, any::<u32>(), 0..=100_u8, any::<bool>());
    let options = (prop::option::of(sorry), prop::option::of(slow_start));
    (numbers, options, when_dead, time()).prop_map(
        |((quorum, hysteresis, panic, keep_last), (sorry, slow_start), when_dead, hold)| {
            PoolPolicy { quorum, hysteresis, panic, keep_last, sorry, slow_start, when_dead, hold }
        },
    )
}

proptest! {
    #[test]
    fn paces_round_trip(pace in pace()) {
        prop_assert_eq!(pace.validate(), Ok(()));
        round_trips(&pace);
    }

    #[test]
    fn policies_round_trip(policy in policy()) {
        prop_assert_eq!(policy.validate(), Ok(()));
        round_trips(&policy);
    }

    #[test]
    fn combinations_round_trip(number in 1..1_000_000_usize) {
        round_trips(&Combination::AtLeast(number));
        round_trips(&Combination::All);
        round_trips(&Combination::Any);
    }

    #[test]
    fn text_with_changes(changes in prop::collection::vec((0..80_usize, any::<u8>()), 1..4)) {
        let mut text = br#"{"interval": "1h5m", "damping": {"free": 3}, "sorry": {"address": "1.2.3.4:5"}}"#
            .to_vec();
        for (at, byte) in changes {
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
        }
        reads::<Pace>(&text);
        reads::<PoolPolicy>(&text);
    }
}
