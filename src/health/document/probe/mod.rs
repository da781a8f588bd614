//! Checks over the network.

pub(in crate::health) mod bytes;
mod command;
pub(in crate::health) mod exchange;
mod kind;
mod origin;
pub(in crate::health) mod scalar;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::health::document::documents;
use crate::health::probe::{CommandAnswer, CommandCheck, Exchange, Origin, Probe};
use crate::table::document::written::{Written, read};

documents! {
    Probe;
    Origin;
    Exchange;
    CommandCheck;
    CommandAnswer;
}
