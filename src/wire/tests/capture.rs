//! The captured exchanges in `tests/fixtures`, see its `README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::AddressFamily;
use crate::wire::Reported;
use crate::wire::tests::raw::Raw;

/// The prefixes of the files: with PAD attributes, without, without.
pub(crate) const KERNELS: [&str; 3] = ["k61", "k612", "k73"];

/// One file.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) name: String,
    /// What was sent, one `sendmsg` each.
    pub(crate) sent: Vec<Vec<u8>>,
    /// The datagrams that came back.
    pub(crate) received: Vec<Vec<u8>>,
}

impl Capture {
    /// Every file, by name.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
        paths.retain(|path| path.extension().unwrap() == "hex");
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    pub(crate) fn named(name: &str) -> Self {
        Self::read(&folder().join(name).with_extension("hex"))
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let datagrams = |mark| text.lines().filter_map(move |line| line.strip_prefix(mark));
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            sent: datagrams("> ").map(unhex).collect(),
            received: datagrams("< ").map(unhex).collect(),
        }
    }

    /// The messages of every datagram that came back.
    pub(crate) fn answers(&self) -> Vec<Raw> {
        self.received.iter().flat_map(|datagram| Raw::all(datagram)).collect()
    }

    /// The messages that were sent.
    pub(crate) fn requests(&self) -> Vec<Raw> {
        self.sent.iter().flat_map(|datagram| Raw::all(datagram)).collect()
    }

    /// Everything that was reported, which has to be of one sort.
    pub(crate) fn reports<R: Reported>(&self, service: Option<AddressFamily>) -> Vec<R> {
        let data = self.answers().into_iter().filter(Raw::is_generic);
        let decode = |message: Raw| {
            assert_eq!(message.command(), R::COMMAND, "{}", self.name);
            R::decode(message.attributes(), service).unwrap_or_else(|error| {
                panic!("{}: {error}", self.name);
            })
        };
        data.map(decode).collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim().as_bytes();
    assert!(digits.len() % 2 == 0, "half a byte");
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
