//! The socket's file.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use director::control::server::{Rights, Socket, SocketError};

use crate::desk::Folder;

fn bind(path: &Path) -> Result<Socket, SocketError> {
    bind_as(path, Rights::All, None)
}

fn bind_as(path: &Path, rights: Rights, group: Option<u32>) -> Result<Socket, SocketError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The socket only has to be made within it.
    let socket = runtime.block_on(async { Socket::bind(path, rights, group) });
    std::mem::forget(runtime);
    socket
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_file_has_few_rights_and_goes_with_the_socket() {
    let folder = Folder::new("rights-of-file");
    let socket = bind(&folder.socket()).unwrap();
    assert_eq!(mode(&folder.socket()), 0o660);
    assert_eq!(socket.path(), folder.socket());
    let group = fs::metadata(folder.path()).unwrap().gid();
    let status = bind_as(&folder.status_socket(), Rights::Read, Some(group)).unwrap();
    assert_eq!(mode(&folder.status_socket()), 0o666);
    assert_eq!(fs::metadata(folder.status_socket()).unwrap().gid(), group);
    drop((socket, status));
    assert!(!folder.socket().exists() && !folder.status_socket().exists());
}

#[test]
fn the_socket_of_a_dead_daemon_is_replaced_and_that_of_a_live_one_is_not() {
    let folder = Folder::new("stale");
    let path = folder.socket();
    // A daemon that is killed leaves its files.
    drop(UnixListener::bind(&path).unwrap());
    drop(UnixListener::bind(path.with_extension("sock.new")).unwrap());
    assert!(UnixStream::connect(&path).is_err());
    let socket = bind(&path).unwrap();
    UnixStream::connect(&path).unwrap();
    assert!(matches!(bind(&path), Err(SocketError::InUse(_))));
    UnixStream::connect(&path).unwrap();
    drop(socket);
    // Another program that listens there, without the lock.
    let other = UnixListener::bind(&path).unwrap();
    assert!(matches!(bind(&path), Err(SocketError::InUse(_))));
    drop(other);
    bind(&path).unwrap();
}

#[test]
fn what_is_no_socket_is_not_replaced() {
    let folder = Folder::new("file");
    let path = folder.socket();
    fs::write(&path, "precious").unwrap();
    assert!(matches!(bind(&path), Err(SocketError::NoSocket(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    // Nor is what a link leads to.
    let (target, link) = (folder.path().join("target"), path.clone());
    drop(UnixListener::bind(&target).unwrap());
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(matches!(bind(&path), Err(SocketError::NoSocket(_))));
    assert!(fs::symlink_metadata(&target).unwrap().file_type().is_socket());
    fs::remove_file(&link).unwrap();
    let lock = folder.path().join("control.sock.lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink("/nowhere", &lock).unwrap();
    assert!(bind(&path).is_err());
}

#[test]
fn a_folder_in_which_others_can_write_is_refused() {
    let folder = Folder::new("folder");
    for (mode, is_safe) in [(0o777, false), (0o1777, false), (0o755, true), (0o700, true)] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let bound = bind(&folder.socket());
        match is_safe {
            true => drop(bound.unwrap()),
            false => assert!(matches!(bound, Err(SocketError::Unsafe(_))), "{mode:o}: {bound:?}"),
        }
    }
    // One folder is made, and no more.
    bind(&folder.path().join("made/control.sock")).unwrap();
    assert_eq!(mode(&folder.path().join("made")) & 0o022, 0);
    let missing = bind(&folder.path().join("missing/too/control.sock")).unwrap_err().to_string();
    assert!(missing.contains("missing/too: the folder of the socket: No such file"), "{missing}");
    let long = folder.path().join("x".repeat(100));
    assert!(matches!(bind(&long), Err(SocketError::TooLong(_))));
}
