//! A deserializer over a tree.

use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Fault, Id, Tree, Value};

/// Reads one value of a tree.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Reader<'t> {
    pub(in super::super) tree: &'t Tree<'t>,
    pub(in super::super) id: Id,
}

impl<'t> Reader<'t> {
    const fn of(self, id: Id) -> Self {
        Self { tree: self.tree, id }
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.tree.node(self.id).value {
            Value::Null => visitor.visit_unit(),
            Value::Truth(truth) => visitor.visit_bool(*truth),
            Value::Unsigned(number) => visitor.visit_u64(*number),
            Value::Signed(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Other(words) => Err(Fault::invalid_type(Unexpected::Other(words), &visitor)),
            Value::List(range) => {
                let items = self.tree.range(range);
                visitor.visit_seq(Items { reader: self, items, position: 0 })
            }
            Value::Mapping(range) => {
                let children = self.tree.range(range);
                visitor.visit_map(Entries { reader: self, children, position: 0 })
            }
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor).map_err(|fault| fault.at(self.id))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = match self.tree.text(self.id) {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => self.visit(visitor),
        };
        read.map_err(|fault: Fault| fault.at(self.id))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'t> {
    reader: Reader<'t>,
    items: &'t [Id],
    position: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(item) = self.items.get(self.position) else { return Ok(None) };
        let position = self.position;
        self.position += 1;
        let read = seed.deserialize(self.reader.of(*item)).map(Some);
        read.map_err(|fault| fault.at(*item).inside(self.reader.id, position))
    }
}

struct Entries<'t> {
    reader: Reader<'t>,
    children: &'t [Id],
    position: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(key) = self.children.get(self.position * 2) else { return Ok(None) };
        let read = seed.deserialize(self.reader.of(*key)).map(Some);
        read.map_err(|fault| fault.at(*key).inside(self.reader.id, self.position))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let position = self.position;
        self.position += 1;
        let Some(value) = self.children.get(position * 2 + 1) else {
            return Err(Fault::custom("a key without a value"));
        };
        let read = seed.deserialize(self.reader.of(*value));
        read.map_err(|fault| fault.at(*value).inside(self.reader.id, position))
    }
}
