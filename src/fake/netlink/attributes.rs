//! Reading attributes as `lib/nlattr.c:__nla_validate_parse` does in its liberal mode.

use crate::fake::Errno;

const HEADER: usize = 4;
/// The bits of a type that are the type.
const TYPE: u16 = 0x3fff;

/// The policy for one type of attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fake) enum Kind {
    Any,
    U8,
    U16,
    U32,
    /// At most so many bytes.
    Binary(usize),
    /// At least so many bytes.
    Least(usize),
    /// A text of at most so many bytes and a NUL.
    Text(usize),
    Nested,
}

impl Kind {
    fn check(self, value: &[u8]) -> Result<(), Errno> {
        let length = value.len();
        let fits = match self {
            Self::Any => true,
            Self::U8 => length >= 1,
            Self::U16 => length >= 2,
            Self::U32 => length >= 4,
            Self::Binary(most) => length <= most,
            Self::Least(least) => length >= least,
            Self::Nested => length == 0 || length >= HEADER,
            Self::Text(most) => {
                if !value.iter().take(most + 1).any(|byte| *byte == 0) {
                    return Err(Errno::INVAL);
                }
                // A last NUL is not counted.
                length - usize::from(value.last() == Some(&0)) <= most
            }
        };
        if fits { Ok(()) } else { Err(Errno::RANGE) }
    }
}

/// An attribute that breaks its policy.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) struct Violation {
    pub(in crate::fake) errno: Errno,
    /// Where the attribute begins.
    pub(in crate::fake) offset: usize,
    pub(in crate::fake) kind: Kind,
}

/// The values of attributes, by type.
#[derive(Debug)]
pub(in crate::fake) struct Attributes<'m, const N: usize> {
    values: [Option<&'m [u8]>; N],
    /// Where the last attribute of each type begins.
    offsets: [usize; N],
    /// Whether bytes are left after the last attribute.
    pub(in crate::fake) leftover: bool,
}

impl<'m, const N: usize> Attributes<'m, N> {
    /// Reads attributes of the types below `N`. Others are ignored. Of attributes of one type the
    /// last one counts. `bytes` begin at `base`.
    pub(in crate::fake) fn parse(
        bytes: &'m [u8],
        base: usize,
        policy: &[Kind; N],
    ) -> Result<Self, Violation> {
        let mut values = [None; N];
        let mut offsets = [0; N];
        let mut at = 0;
        while let Some(&[low, high, kind_low, kind_high]) = bytes.get(at..at + HEADER) {
            let length = usize::from(u16::from_ne_bytes([low, high]));
            let kind = usize::from(u16::from_ne_bytes([kind_low, kind_high]) & TYPE);
            let Some(value) = bytes.get(at + HEADER..at + length).filter(|_| length >= HEADER)
            else {
                break;
            };
            let slots = (values.get_mut(kind), offsets.get_mut(kind), policy.get(kind));
            if let (Some(slot), Some(offset), Some(policy)) = slots {
                if kind != 0 {
                    let broken = |errno| Violation { errno, offset: base + at, kind: *policy };
                    policy.check(value).map_err(broken)?;
                    *slot = Some(value);
                    *offset = base + at;
                }
            }
            at += length.next_multiple_of(4);
        }
        Ok(Self { values, offsets, leftover: at < bytes.len() })
    }

    pub(in crate::fake) fn get(&self, kind: u16) -> Option<&'m [u8]> {
        self.values.get(usize::from(kind)).copied().flatten()
    }

    /// Where the value of an attribute begins.
    pub(in crate::fake) fn value_offset(&self, kind: u16) -> usize {
        self.offsets.get(usize::from(kind)).map_or(0, |offset| offset + HEADER)
    }

    pub(in crate::fake) fn u8(&self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    /// In the order of the host.
    pub(in crate::fake) fn u16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.first_chunk().copied().map(u16::from_ne_bytes)
    }

    /// In the order of the network.
    pub(in crate::fake) fn port(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    /// In the order of the host.
    pub(in crate::fake) fn u32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().copied().map(u32::from_ne_bytes)
    }

    /// The first bytes of a value, filled up with zeros.
    pub(in crate::fake) fn filled<const L: usize>(&self, kind: u16) -> Option<[u8; L]> {
        let value = self.get(kind)?;
        let mut filled = [0; L];
        for (to, from) in filled.iter_mut().zip(value) {
            *to = *from;
        }
        Some(filled)
    }

    /// A text, without its NUL and what comes after it.
    pub(in crate::fake) fn text(&self, kind: u16) -> Option<&'m [u8]> {
        self.get(kind)?.split(|byte| *byte == 0).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: [Kind; 4] = [Kind::Any, Kind::U16, Kind::Text(3), Kind::Nested];

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(4 + value.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn longer_numbers_unknown_types_and_repetitions_are_fine() {
        let parts = [
            attribute(1, &[9, 9]),
            attribute(77, b"x"),
            attribute(0x8001, &5_u64.to_ne_bytes()),
            vec![1, 0, 2],
        ];
        let bytes = parts.concat();
        let found = Attributes::parse(&bytes, 20, &POLICY).unwrap();
        assert_eq!(found.get(1), Some(&5_u64.to_ne_bytes()[..]));
        assert!(found.leftover);
        assert_eq!(found.value_offset(1), 20 + 8 + 8 + 4);
    }

    #[test]
    fn texts_end_in_their_field() {
        let text = |value: &[u8]| {
            let bytes = attribute(2, value);
            let found = Attributes::parse(&bytes, 0, &POLICY);
            found.map(|found| found.text(2).unwrap().to_vec()).map_err(|broken| broken.errno)
        };
        assert_eq!(text(b"abc\0"), Ok(b"abc".to_vec()));
        assert_eq!(text(b"a\0\0\0"), Ok(b"a".to_vec()));
        assert_eq!(text(b"\0"), Ok(Vec::new()));
        assert_eq!(text(b"a\0\0\0\0"), Err(Errno::RANGE));
        assert_eq!(text(b"abc"), Err(Errno::INVAL));
        assert_eq!(text(b""), Err(Errno::INVAL));
    }

    #[test]
    fn a_broken_attribute_is_named_by_its_place() {
        let bytes = [attribute(1, &[9, 9]), attribute(3, b"xyz")].concat();
        let broken = Attributes::parse(&bytes, 20, &POLICY).unwrap_err();
        assert_eq!((broken.errno, broken.offset, broken.kind), (Errno::RANGE, 28, Kind::Nested));
        let bytes = attribute(1, &[9]);
        assert_eq!(Attributes::parse(&bytes, 0, &POLICY).unwrap_err().errno, Errno::RANGE);
    }
}
