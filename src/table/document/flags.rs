use serde::de::SeqAccess;
use serde::ser::Serializer;

use crate::model::{InvalidValue, Scheduler, ServiceFlags};
use crate::table::document::written::{AsWritten, Refused, Written};

/// The flags of a service. Their names depend on the scheduler.
pub(super) struct Flags {
    pub(super) flags: ServiceFlags,
    /// The scheduler whose names are written.
    scheduler: Scheduler,
    /// The names that were read.
    words: Vec<String>,
}

impl Flags {
    pub(super) const fn new(flags: ServiceFlags, scheduler: Scheduler) -> Self {
        Self { flags, scheduler, words: Vec::new() }
    }

    /// Returns the flags. Returns an error if a name is that of another scheduler than `scheduler`.
    pub(super) fn of(&self, scheduler: Scheduler) -> Result<ServiceFlags, InvalidValue> {
        let known =
            |word: &str| word == "ops" || ServiceFlags::scheduler_flag(word, scheduler).is_some();
        match self.words.iter().find(|word| !known(word)) {
            Some(word) => {
                let rule = "is a flag of another scheduler than the service's";
                Err(InvalidValue::new("flag", format!("{word:?}"), rule))
            }
            None => Ok(self.flags),
        }
    }
}

impl Written for Flags {
    const EXPECTED: &'static str = "flags, a list like [ops, sh-port]";

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut flags = Self::new(ServiceFlags::empty(), Scheduler::default());
        while let Some(AsWritten(Flag(flag, word))) = list.next_element()? {
            flags.flags |= flag;
            // Keep each word once: a hostile list can repeat a word a million times.
            flags.words.extend(word.filter(|word| !flags.words.contains(word)));
        }
        Ok(flags)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.flags.scheduler_flags(self.scheduler);
        let unnamed = self.flags.unnamed();
        let words = Some("ops")
            .filter(|_| self.flags.contains(ServiceFlags::ONE_PACKET))
            .into_iter()
            .chain(named.split(',').filter(|word| !word.is_empty()))
            .map(str::to_owned)
            .chain((!unnamed.is_empty()).then(|| unnamed.to_string()));
        serializer.collect_seq(words)
    }
}

/// An element of the list: the name of a flag, or bits as a number.
struct Flag(ServiceFlags, Option<String>);

impl Written for Flag {
    const EXPECTED: &'static str = "a flag like \"ops\", or bits";

    fn of_text(text: &str) -> Result<Self, Refused> {
        // The flags' own text is a list.
        if text.is_empty() || text.contains(',') {
            let rule =
                "must be one flag, such as ops, sh-fallback, sh-port, mh-fallback or mh-port";
            Err(InvalidValue::new("flag", format!("{text:?}"), rule))?;
        }
        let named = !text.starts_with("0x");
        Ok(Self(text.parse()?, named.then(|| text.to_owned())))
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let bits = number.try_into().map_err(|_| Refused::Value)?;
        Ok(Self(ServiceFlags::from_bits_retain(bits), None))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
