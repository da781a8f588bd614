//! Macros that define types of numbers and switches for the documents of this crate.

/// Defines types of numbers, each with the name and the range of its field. Reading checks the range
/// of the type only. The settings check the range of the field.
macro_rules! numbers {
    ($($name:ident($type:ident): $expected:literal,)*) => {$(
        #[derive(Clone, Copy)]
        pub(super) struct $name(pub(super) $type);

        impl Written for $name {
            const EXPECTED: &'static str = concat!($expected, ", a whole number");

            fn of_number(number: i128) -> Result<Self, Refused> {
                number.try_into().map(Self).map_err(|_| Refused::Value)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0.into())
            }
        }
    )*};
}
pub(crate) use numbers;

/// Defines types of switches, each with the name of its field.
macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident: $field:literal,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name(pub(super) bool);

        impl Written for $name {
            const EXPECTED: &'static str = concat!($field, ", true or false");

            fn of_truth(truth: bool) -> Result<Self, Refused> {
                Ok(Self(truth))
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bool(self.0)
            }
        }
    )*};
}
pub(crate) use switches;
