//! A request: one line of JSON for one order. `PROTOCOL.md` documents the keys.

use std::time::Duration;

use ipvs_netlink::{DestinationId, ServiceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::problem::Problem;
use crate::control::protocol::{Order, VERSION};
use crate::event::one_line;
use crate::status::json::kind;

/// The orders, by their names on the wire.
pub const ORDERS: [&str; 7] =
    ["status", "events", "reload", "maintain", "end-maintenance", "weight", "check-now"];

/// The longest name of an operator, in bytes.
pub const LONGEST_NAME: usize = 256;

/// The longest time of a maintenance, ten years. Clocks cannot show all times that a number can say.
pub const LONGEST_MAINTENANCE: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What is read first, so that a client of another version is told the versions.
#[derive(Deserialize)]
struct Head {
    version: Option<u32>,
    order: Option<String>,
}

/// All keys of all orders. A key that no order has is refused: a misspelt `seconds` would make a
/// maintenance last for ever.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    version: u32,
    order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<ServiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<DestinationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

/// Reads an order. `user` gives the order if the request does not name anybody.
///
/// # Errors
///
/// The line is no request, or one of another version.
pub fn parse(line: &[u8], user: &str) -> Result<Order, Problem> {
    let malformed = |error: serde_json::Error| Problem::Malformed(error.to_string());
    let head: Head = serde_json::from_slice(line).map_err(malformed)?;
    match head.version {
        Some(VERSION) => {}
        Some(version) => return Err(Problem::UnknownVersion(version)),
        None => return Err(Problem::missing("version")),
    }
    let order = head.order.ok_or_else(|| Problem::missing("order"))?;
    if !ORDERS.contains(&order.as_str()) {
        return Err(Problem::UnknownOrder(one_line(&order)));
    }
    let mut keys: Keys = serde_json::from_slice(line).map_err(malformed)?;
    let parsed = keys.take(&order, user)?;
    match keys.unused() {
        Some(key) => Err(Problem::Malformed(format!("the order {order} has no key {key}"))),
        None => Ok(parsed),
    }
}

/// Writes an order as a line, with its end.
#[must_use]
pub fn write(order: &Order) -> String {
    let mut keys = Keys { version: VERSION, ..Keys::default() };
    keys.fill(order);
    // Only numbers and texts, which cannot fail.
    let mut line = serde_json::to_string(&keys).unwrap_or_default();
    line.push('\n');
    line
}

impl Keys {
    /// Takes the keys of an order.
    fn take(&mut self, order: &str, user: &str) -> Result<Order, Problem> {
        let order = match order {
            "status" => {
                let (service, destination) = (self.service.take(), self.destination.take());
                Order::Status { service, destination }
            }
            "events" => {
                let states = match self.from.take().as_deref() {
                    None | Some("states") => true,
                    Some("now") => false,
                    Some(_) => return Err(Problem::wrong("from", "`states` or `now`")),
                };
                Order::Events { states }
            }
            "reload" => Order::Reload,
            "maintain" => {
                let kind = self.kind.take().ok_or_else(|| Problem::missing("kind"))?;
                let kind =
                    kind::parse(&kind).ok_or_else(|| Problem::wrong("kind", "`drain` or `out`"))?;
                let (by, lasts) = (self.take_by(user)?, self.take_lasts()?);
                let (service, destination) = self.take_destination()?;
                Order::Maintain { service, destination, kind, by, lasts }
            }
            "end-maintenance" => {
                let (service, destination) = self.take_destination()?;
                Order::EndMaintenance { service, destination }
            }
            "weight" => {
                let weight = self.take_weight()?;
                let (service, destination) = self.take_destination()?;
                Order::Weight { service, destination, weight }
            }
            _ => Order::CheckNow(self.take_destination()?.1),
        };
        Ok(order)
    }

    fn take_destination(&mut self) -> Result<(Option<ServiceId>, DestinationId), Problem> {
        let destination = self.destination.take().ok_or_else(|| Problem::missing("destination"))?;
        // Checks belong to a destination of all its services.
        let service = if self.order == "check-now" { None } else { self.service.take() };
        Ok((service, destination))
    }

    fn take_by(&mut self, user: &str) -> Result<String, Problem> {
        let by = self.by.take().filter(|by| !by.trim().is_empty());
        if by.as_ref().is_some_and(|by| by.len() > LONGEST_NAME) {
            return Err(Problem::wrong("by", "at most 256 bytes"));
        }
        Ok(one_line(by.as_deref().unwrap_or(user)))
    }

    fn take_lasts(&mut self) -> Result<Option<Duration>, Problem> {
        let Some(seconds) = self.seconds.take() else { return Ok(None) };
        let lasts = Duration::from_secs(seconds);
        if lasts.is_zero() || lasts > LONGEST_MAINTENANCE {
            return Err(Problem::wrong("seconds", "1 to 315360000, which is ten years"));
        }
        Ok(Some(lasts))
    }

    fn take_weight(&mut self) -> Result<Option<u32>, Problem> {
        let weight = self.weight.take().ok_or_else(|| Problem::missing("weight"))?;
        if weight == "file" {
            return Ok(None);
        }
        let number = weight.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| *number <= i32::MAX.unsigned_abs()) {
            Some(number) => Ok(Some(number)),
            None => Err(Problem::wrong("weight", "0 to 2147483647, or `file`")),
        }
    }

    /// Returns a key that the order did not take.
    fn unused(&self) -> Option<&'static str> {
        let given = [
            ("service", self.service.is_some()),
            ("destination", self.destination.is_some()),
            ("kind", self.kind.is_some()),
            ("by", self.by.is_some()),
            ("seconds", self.seconds.is_some()),
            ("weight", self.weight.is_some()),
            ("from", self.from.is_some()),
        ];
        given.into_iter().find_map(|(key, is_given)| is_given.then_some(key))
    }

    fn fill(&mut self, order: &Order) {
        let (name, service, destination) = match order {
            Order::Status { service, destination } => ("status", *service, *destination),
            Order::Events { states } => {
                self.from = Some(if *states { "states" } else { "now" }.to_owned());
                ("events", None, None)
            }
            Order::Reload => ("reload", None, None),
            Order::Maintain { service, destination, kind, by, lasts } => {
                self.kind = Some(kind.to_string());
                self.by = (!by.is_empty()).then(|| by.clone());
                self.seconds = lasts.map(|lasts| lasts.as_secs());
                ("maintain", *service, Some(*destination))
            }
            Order::EndMaintenance { service, destination } => {
                ("end-maintenance", *service, Some(*destination))
            }
            Order::Weight { service, destination, weight } => {
                self.weight = Some(weight.map_or(Value::from("file"), Value::from));
                ("weight", *service, Some(*destination))
            }
            Order::CheckNow(destination) => ("check-now", None, Some(*destination)),
        };
        name.clone_into(&mut self.order);
        (self.service, self.destination) = (service, destination);
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::health::MaintenanceKind;

    use super::*;

    fn orders() -> Vec<Order> {
        let service = Some("FWM 5 IPv6".parse().unwrap());
        let destination = "[2001:db8::2]:80".parse().unwrap();
        let (kind, by) = (MaintenanceKind::Out, "alice: new disk".to_owned());
        vec![
            Order::Status { service, destination: Some(destination) },
            Order::Events { states: true },
            Order::Events { states: false },
            Order::Reload,
            Order::Maintain { service, destination, kind, by, lasts: Some(LONGEST_MAINTENANCE) },
            Order::EndMaintenance { service: None, destination },
            Order::Weight { service, destination, weight: Some(0) },
            Order::Weight { service, destination, weight: None },
            Order::CheckNow(destination),
        ]
    }

    #[test]
    fn an_order_is_read_as_written() {
        for order in orders() {
            let line = write(&order);
            assert!(line.ends_with("}\n"), "{line}");
            assert_eq!(parse(line.as_bytes(), "root"), Ok(order), "{line}");
        }
    }

    #[test]
    fn a_request_that_is_cut_off_is_no_order() {
        for line in orders().iter().map(write) {
            for end in 0..line.len() - 2 {
                let cut = parse(&line.as_bytes()[..end], "root");
                assert!(matches!(cut, Err(Problem::Malformed(_))), "{cut:?}");
            }
        }
    }

    #[test]
    fn an_order_without_a_name_is_the_users() {
        let line =
            r#"{"version":1,"order":"maintain","kind":"out","destination":"10.0.0.2:80","by":" "}"#;
        let Order::Maintain { by, .. } = parse(line.as_bytes(), "bob").unwrap() else { panic!() };
        assert_eq!(by, "bob");
    }

    #[test]
    fn each_wrong_request_is_told_what_is_expected() {
        for (line, expected) in [
            ("", "EOF while parsing"),
            ("[]", "invalid"),
            ("\u{0}\u{ff}", "expected value"),
            (r#"{"order":"reload"}"#, "the key version is missing"),
            (r#"{"version":"1","order":"reload"}"#, "invalid type"),
            (r#"{"version":2,"order":"restart","all":true}"#, "version 2"),
            (r#"{"version":1}"#, "the key order is missing"),
            (r#"{"version":1,"order":"re\nstart"}"#, r"order re\nstart"),
            (r#"{"version":1,"order":"reload","order":"status"}"#, "duplicate field"),
            (r#"{"version":1,"order":"reload"} {}"#, "trailing characters"),
            (r#"{"version":1,"order":"reload","weight":3}"#, "the order reload has no key weight"),
            (r#"{"version":1,"order":"reload","now":1}"#, "unknown field `now`"),
            (r#"{"version":1,"order":"check-now"}"#, "the key destination is missing"),
            (
                r#"{"version":1,"order":"check-now","destination":"10.0.0.2:80","service":"FWM 5"}"#,
                "the order check-now has no key service",
            ),
            (r#"{"version":1,"order":"status","service":"HTTP 1.2.3.4:80"}"#, "protocol"),
            (r#"{"version":1,"order":"status","destination":"localhost:80"}"#, "destination"),
            (
                r#"{"version":1,"order":"weight","destination":"10.0.0.2:80","weight":2147483648}"#,
                "the key weight must be 0 to 2147483647, or `file`",
            ),
            (
                r#"{"version":1,"order":"weight","destination":"10.0.0.2:80","weight":-1}"#,
                "the key weight must be",
            ),
            (
                r#"{"version":1,"order":"weight","destination":"10.0.0.2:80","weight":null}"#,
                "the key weight is missing",
            ),
            (
                r#"{"version":1,"order":"maintain","destination":"10.0.0.2:80","kind":"off"}"#,
                "the key kind must be `drain` or `out`",
            ),
            (
                r#"{"version":1,"order":"maintain","destination":"10.0.0.2:80","kind":"out","seconds":0}"#,
                "the key seconds must be",
            ),
        ] {
            let problem = parse(line.as_bytes(), "root").unwrap_err().to_string();
            assert!(problem.contains(expected), "{line}: {problem}");
        }
    }
}
