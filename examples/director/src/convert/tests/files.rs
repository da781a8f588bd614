//! Which files are read.

use std::os::unix::fs::symlink;

use crate::convert::convert;
use crate::convert::tests::{Folder, remarks};

const SERVICE: &str = "virtual_server 192.0.2.1 80 {\ninclude servers/*.conf\n}\n";

#[test]
fn files_of_the_folder_are_included_in_order() {
    let folder = Folder::new();
    let path = folder.with("keepalived.conf", SERVICE);
    folder.with("servers/b.conf", "real_server 10.0.0.3 80 {\nnobody\n}\n");
    folder.with("servers/a.conf", "include more.inc\nreal_server 10.0.0.2 80 {}\n");
    folder.with("servers/more.inc", "real_server 10.0.0.1 80 {}\n");
    folder.with("servers/.hidden.conf", "nobody reads this\n");
    let conversion = convert(&path, None).unwrap();
    let service = conversion.configuration.services.values().next().unwrap().clone();
    assert_eq!(service.table.destinations().len(), 3);
    let told = remarks(&conversion);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("servers/b.conf:2: nobody: left out: the keyword is not known here"));
}

#[test]
fn files_of_other_folders_and_what_is_no_file_are_not_read() {
    let outside = Folder::new();
    let secret = outside.with("secret", "secret word\n");
    let folder = Folder::new();
    symlink(&secret, folder.path().join("link")).unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    folder.with("sub/x", "");
    let elsewhere = "it is not below the folder of the file that is converted: copy it there";
    let pattern = "wildcards are read only in the last part of a path, and braces not at all";
    for (include, reason) in [
        (secret.display().to_string(), elsewhere),
        ("../../../../../../../etc/passwd".to_owned(), elsewhere),
        ("link".to_owned(), elsewhere),
        ("/etc/*".to_owned(), elsewhere),
        ("/dev/zero".to_owned(), elsewhere),
        ("fifo".to_owned(), "it is no regular file"),
        ("sub".to_owned(), "it is no regular file"),
        ("*/x".to_owned(), pattern),
        ("\"{sub,x}\"".to_owned(), pattern),
        ("[".to_owned(), pattern),
    ] {
        let path = folder.with("keepalived.conf", format!("include {include}\n"));
        let told = remarks(&convert(&path, None).unwrap());
        assert_eq!(told.len(), 1, "{include}: {told:?}");
        assert!(told[0].ends_with(reason) && !told[0].contains("word"), "{include}: {told:?}");
    }
    let error = convert(&folder.path().join("sub"), None).unwrap_err().to_string();
    assert!(error.ends_with("sub: it is no regular file"), "{error}");
    let error = convert(&fifo, None).unwrap_err().to_string();
    assert!(error.ends_with("fifo: it is no regular file"), "{error}");
}

#[test]
fn cycles_and_depth_are_refused() {
    let folder = Folder::new();
    let path = folder.with("keepalived.conf", "include a\n");
    folder.with("a", "\ninclude ./keepalived.conf\n");
    let error = convert(&path, None).unwrap_err().to_string();
    assert!(error.ends_with("/a:2: the file includes itself"), "{error}");
    for number in 0..20 {
        folder.with(&format!("deep{number}"), format!("include deep{}\n", number + 1));
    }
    folder.with("deep20", "");
    let error = convert(&folder.path().join("deep0"), None).unwrap_err().to_string();
    assert!(error.ends_with("/deep15:1: files include one another more than 16 deep"), "{error}");
    // A file may be included many times, but not for ever.
    folder.with("c", "");
    let path = folder.with("many", "include c\n".repeat(1200));
    let told = remarks(&convert(&path, None).unwrap());
    assert_eq!(told.len(), 201);
    assert!(told[0].contains("more than 1000 files are included"), "{}", told[0]);
}

#[test]
fn what_is_no_text_or_too_large_is_refused() {
    let folder = Folder::new();
    let path = folder.with("binary", b"a\n\xff\xfe\n");
    let error = convert(&path, None).unwrap_err().to_string();
    assert!(error.ends_with("binary: line 2 is not UTF-8"), "{error}");
    let path = folder.with("large", vec![b'\n'; (16 << 20) + 1]);
    let error = convert(&path, None).unwrap_err().to_string();
    assert!(error.ends_with("large: all files together are larger than 16 MiB"), "{error}");
    let error = convert(&folder.path().join("absent"), None).unwrap_err().to_string();
    assert!(error.contains("absent: No such file"), "{error}");
}
