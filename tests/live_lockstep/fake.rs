//! Sockets and namespaces of a fake kernel.

use std::fs;

use ipvs_netlink::fake::{self, Kernel, Namespace, Version};
use rustix::io::Errno;

use crate::operation::{self, NAMESPACES, Setting};

#[derive(Debug)]
pub(crate) struct Namespaces {
    kernel: Kernel,
    family: u16,
    namespaces: Vec<Namespace>,
}

impl Namespaces {
    /// Makes a kernel of the version of the one that runs this program, with the same id of the
    /// family. Its namespaces add these salts to the hashes of services.
    pub(crate) fn new(family: u16, salts: &[u8]) -> Self {
        let kernel = Kernel::with_version(version());
        while look_up(&kernel) != family {
            // The module gets the next id when it is loaded again.
            kernel.unload();
        }
        let namespaces: Vec<_> = (0..NAMESPACES)
            .zip(salts)
            .map(|(number, salt)| {
                let namespace = kernel.namespace(&number.to_string());
                namespace.set_hash_seed(*salt);
                namespace.reset_interfaces();
                namespace
            })
            .collect();
        Self { kernel, family, namespaces }
    }
}

/// The version like that of the kernel that runs this program.
fn version() -> Version {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    match release.split('.').take(2).collect::<Vec<_>>()[..] {
        ["6", "1"] => Version::V6_1,
        ["6", "12"] => Version::V6_12,
        _ => panic!("no fake kernel is like Linux {release}"),
    }
}

/// The id of the family.
fn look_up(kernel: &Kernel) -> u16 {
    let socket = kernel.socket().unwrap();
    let request = [32, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];
    let name = [9, 0, 2, 0, b'I', b'P', b'V', b'S', 0, 0, 0, 0];
    socket.send(&[&request[..], &name].concat()).unwrap();
    let mut reply = [0; 4096];
    socket.receive(&mut reply).unwrap();
    u16::from_ne_bytes([reply[36], reply[37]])
}

impl operation::Namespaces for Namespaces {
    type Socket = fake::Socket;

    fn family(&self) -> u16 {
        self.family
    }

    fn open(&mut self, namespace: usize) -> fake::Socket {
        self.namespaces[namespace].socket().unwrap()
    }

    fn set_privileged(&mut self, privileged: bool) {
        self.kernel.set_privileged(privileged);
    }

    fn set_loopback(&mut self, namespace: usize, up: bool) {
        self.namespaces[namespace].set_interface("lo".parse().unwrap(), 65_536, up);
    }
}

impl operation::Socket for fake::Socket {
    fn port(&self) -> u32 {
        Self::port(self)
    }

    fn set(&mut self, setting: Setting) -> Result<(), Errno> {
        match setting {
            Setting::ExtendedAcknowledgement(on) => self.set_extended_acknowledgements(on),
            Setting::CappedAcknowledgement(on) => self.set_capped_acknowledgements(on),
            Setting::NoOverflowError(on) => self.set_silent_overflow(on),
            Setting::ReceiveBuffer(size) => self.set_receive_buffer(size.try_into().unwrap()),
            Setting::SendBuffer(size) => self.set_send_buffer(size.try_into().unwrap()),
        }
        Ok(())
    }

    fn send(&mut self, datagram: &[u8]) -> Result<(), Errno> {
        Self::send(self, datagram).map_err(errno)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        Self::receive(self, buffer).map_err(errno)
    }
}

fn errno(errno: fake::Errno) -> Errno {
    Errno::from_raw_os_error(errno.number())
}
