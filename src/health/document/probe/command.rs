use serde::de::{Error, MapAccess, SeqAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::probe::scalar::{Argument, Program};
use crate::health::document::scalar::unless;
use crate::health::probe::{CommandAnswer, CommandCheck};
use crate::table::document::mapping;
use crate::table::document::written::{AsWritten, Written, given, needed};

/// The most arguments of a program.
const MOST: usize = 1024;

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    program: Program,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    arguments: Option<Arguments>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    answer: Option<CommandAnswer>,
}

struct Arguments(Vec<String>);

impl Written for Arguments {
    const EXPECTED: &'static str = "arguments, a list of texts";

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut arguments = Vec::new();
        while let Some(AsWritten(Argument(argument))) = list.next_element()? {
            if arguments.len() == MOST {
                return Err(A::Error::custom("arguments: must be at most 1024"));
            }
            arguments.push(argument);
        }
        Ok(Self(arguments))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Written for CommandCheck {
    const EXPECTED: &'static str = "command, a mapping with the keys program, arguments and answer";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        let arguments = shape.arguments.map(|Arguments(arguments)| arguments).unwrap_or_default();
        Ok(Self::new(shape.program.0, arguments).answer(shape.answer.unwrap_or_default()))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let arguments = self.arguments.clone();
        Shape {
            program: Program(self.program.clone()),
            arguments: (!arguments.is_empty()).then_some(Arguments(arguments)),
            answer: unless(CommandAnswer::default(), self.answer, |answer| answer),
        }
        .serialize(serializer)
    }
}
