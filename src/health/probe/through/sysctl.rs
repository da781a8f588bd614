use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;

const FOLDER: &str = "/proc/sys/net/ipv4/conf";

fn open(interface: &str, name: &str, writable: bool) -> io::Result<File> {
    if interface.is_empty() || interface == "." || interface == ".." || interface.contains('/') {
        let message = format!("{interface:?} is no name of an interface");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let path = format!("{FOLDER}/{interface}/{name}");
    let opened = OpenOptions::new().read(true).write(writable).open(&path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
}

fn read(file: &File) -> io::Result<u32> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0)?;
    let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
    let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} is no number"));
    text.trim().parse().map_err(invalid)
}

fn write(file: &File, value: u32) -> io::Result<()> {
    file.write_all_at(format!("{value}\n").as_bytes(), 0)
}

/// Returns the value of a setting of an interface that counts: the larger one of its own and that of
/// all interfaces.
pub(super) fn effective(interface: &str, name: &str) -> io::Result<u32> {
    let all = read(&open("all", name, false)?)?;
    Ok(all.max(read(&open(interface, name, false)?)?))
}

/// Sets the sysctl `net.ipv4.conf.IFACE.accept_local` to 1, and puts the former value back when it is
/// dropped.
///
/// Checks [through](super::Probe::through) a virtual address that is an address of this host need
/// the setting for direct routing and tunnels of IPv4, on the interface where the answers of servers
/// arrive. See [`through`](crate::health::through).
///
/// The interface is one of the network namespace of the thread that calls [`set`](Self::set), also
/// when another thread drops the value.
#[derive(Debug)]
#[must_use = "the former value is put back when this is dropped"]
pub struct AcceptLocal {
    file: File,
    /// The value to be put back.
    former: Option<u32>,
}

impl AcceptLocal {
    /// Sets the sysctl of an interface. Does nothing, now and later, if it is 1 already.
    ///
    /// # Errors
    ///
    /// There is no such interface, or the caller may not write the setting.
    pub fn set(interface: &str) -> io::Result<Self> {
        let file = open(interface, "accept_local", true)?;
        let former = Some(read(&file)?).filter(|former| *former != 1);
        if former.is_some() {
            write(&file, 1)?;
        }
        Ok(Self { file, former })
    }

    /// Puts the former value back, and says whether that worked.
    ///
    /// # Errors
    ///
    /// The interface is gone, or the caller may not write the setting any more.
    pub fn put_back(mut self) -> io::Result<()> {
        self.former.take().map_or(Ok(()), |former| write(&self.file, former))
    }
}

impl Drop for AcceptLocal {
    fn drop(&mut self) {
        if let Some(former) = self.former {
            // Nobody can be told. The interface may be gone.
            let _ = write(&self.file, former);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_no_path() {
        for name in ["", ".", "..", "../all", "a/b"] {
            let error = open(name, "accept_local", false).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
        let error = AcceptLocal::set("nosuch").unwrap_err();
        assert!(error.to_string().contains("/nosuch/accept_local: "), "{error}");
    }
}
