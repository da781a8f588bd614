//! Orders that the director carries out.

use std::path::Path;
use std::time::SystemTime;

use crate::reading::{Source, director_status};
use crate::socket::{self, PATIENCE, Question};
use crate::state::director::Answer;
use crate::state::steering::{DirectorOrder, Failure, Seen, seconds};

/// Gives the director an order, if it says of the destination what the user `seen` still.
pub(super) fn give(
    path: &Path,
    source: &Source,
    order: &DirectorOrder,
    seen: &Seen,
    until: Option<SystemTime>,
) -> Result<String, Failure> {
    let (service, destination) = order.place();
    let status = director_status(path, source)
        .map_err(|absence| Failure::Unchanged(format!("nothing was changed: {absence}")))?;
    let known = status.services.get(&service).and_then(|it| it.destination(destination));
    let Some(known) = known else {
        return Err(Failure::Outdated(format!(
            "the director has no {destination} in {service} any more: nothing was changed"
        )));
    };
    if !seen.is(known) {
        return Err(Failure::Outdated(format!(
            "somebody else has given an order for {destination} meanwhile: nothing was changed"
        )));
    }
    let order = timed(order, until)?;
    match socket::ask(path, source, Question::Order(&order), PATIENCE) {
        Ok(Answer::Done(lines)) => Ok(format!("director: {}", lines.join("; "))),
        Ok(Answer::Refused(lines)) => Err(Failure::Unchanged(format!(
            "the director refuses, nothing was changed: {}",
            lines.join("; ")
        ))),
        Ok(Answer::Error { name, text }) => Err(match name.as_str() {
            "no-answer" | "stopping" => Failure::Unknown(format!(
                "{text}; it is not known whether the order was carried out"
            )),
            _ => Failure::Unchanged(format!("the director does not take the order: {text}")),
        }),
        Ok(Answer::Status(_) | Answer::Other) => {
            Err(Failure::Unknown("the director gave an answer to another question".to_owned()))
        }
        Err(failure) => Err(match failure.is_sent() {
            true => Failure::Unknown(failure.to_string()),
            false => Failure::Unchanged(failure.to_string()),
        }),
    }
}

/// The order with the seconds that are left now.
fn timed(order: &DirectorOrder, until: Option<SystemTime>) -> Result<DirectorOrder, Failure> {
    let mut order = order.clone();
    if let (DirectorOrder::Maintain { seconds: left, .. }, Some(until)) = (&mut order, until) {
        let now = SystemTime::now();
        if until <= now {
            let text = "that maintenance would be over by now: nothing was changed";
            return Err(Failure::Outdated(text.to_owned()));
        }
        *left = Some(seconds(until, now));
    }
    Ok(order)
}
