//! The file that remembers how the overview is sorted and filtered.
//!
//! It is `ipvs-top/view.json` below `$XDG_STATE_HOME`, or below `.local/state` in the home of the user.
//! It is replaced as a whole, and read as if a stranger had written it.

mod remembering;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

pub use remembering::Remembering;

use crate::state::View;

/// The bytes of the file at most.
const LONGEST: u64 = 4096;

const NAME: &str = "view.json";

/// Where the view is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder that must exist, and belong to the user.
    base: PathBuf,
    /// The folder of the file.
    folder: PathBuf,
}

impl Place {
    /// Chooses the folder by the variables `XDG_STATE_HOME` and `HOME`. Returns `None` without an
    /// absolute path in either.
    #[must_use]
    pub fn of_environment(xdg: Option<OsString>, home: Option<OsString>) -> Option<Self> {
        let absolute =
            |path: Option<OsString>| path.map(PathBuf::from).filter(|it| it.is_absolute());
        let (base, state) = match (absolute(xdg), absolute(home)) {
            (Some(xdg), _) => (xdg.clone(), xdg),
            (None, Some(home)) => (home.clone(), home.join(".local/state")),
            (None, None) => return None,
        };
        Some(Self { base, folder: state.join("ipvs-top") })
    }

    /// Reads the view. Returns `None` if there is none, or if it cannot be trusted.
    #[must_use]
    pub fn read(&self) -> Option<View> {
        let folder = open_folder(&self.folder).ok()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::openat(&folder, NAME, flags, Mode::empty()).ok()?);
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        let mut text = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut text).ok()?;
        if text.len() as u64 > LONGEST {
            return None;
        }
        View::of_text(&text)
    }

    /// Replaces the view.
    ///
    /// # Errors
    ///
    /// The folder does not belong to the user, as under `sudo` with the home of another, or cannot be
    /// written.
    pub fn write(&self, view: &View) -> io::Result<()> {
        // Where root writes in a folder of another user, that user chooses what is written.
        let owner = fs::metadata(&self.base)?.uid();
        if owner != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!(
                "{} belongs to another user",
                self.base.display()
            )));
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let folder = open_folder(&self.folder)?;
        let name = format!(".{NAME}.{}", std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // One of a process that was killed.
        let _ = rustix::fs::unlinkat(&folder, &name, AtFlags::empty());
        let file = rustix::fs::openat(&folder, &name, flags, Mode::from_raw_mode(0o600))?;
        let written = File::from(file)
            .write_all(&view.to_text())
            .and_then(|()| Ok(rustix::fs::renameat(&folder, &name, &folder, NAME)?));
        written.inspect_err(|_| {
            let _ = rustix::fs::unlinkat(&folder, &name, AtFlags::empty());
        })
    }
}

/// Opens a folder that belongs to the user, and in which nobody else may write.
fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&folder)?;
    let others = Mode::WGRP | Mode::WOTH;
    if stat.st_uid != rustix::process::geteuid().as_raw()
        || Mode::from_raw_mode(stat.st_mode).intersects(others)
    {
        return Err(io::Error::other(format!("others may write in {}", path.display())));
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::state::{Column, Filter};

    /// A folder that is removed at the end.
    struct Home(PathBuf);

    impl Home {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("top-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn place(&self) -> Place {
            Place::of_environment(None, Some(self.0.clone().into())).unwrap()
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn view() -> View {
        View { column: Column::Dead, descending: true, filter: Filter::new("web") }
    }

    #[test]
    fn the_environment_says_where() {
        let of = |xdg: Option<&str>, home: Option<&str>| {
            let place = Place::of_environment(xdg.map(Into::into), home.map(Into::into));
            place.map(|place| place.folder)
        };
        assert_eq!(of(Some("/s"), Some("/h")), Some("/s/ipvs-top".into()));
        assert_eq!(of(None, Some("/h")), Some("/h/.local/state/ipvs-top".into()));
        assert_eq!(of(Some("s"), Some("/h")), Some("/h/.local/state/ipvs-top".into()));
        assert_eq!(of(Some(""), None), None);
    }

    #[test]
    fn a_view_is_remembered_and_replaced() {
        let home = Home::new("remembered");
        let place = home.place();
        assert_eq!(place.read(), None);
        place.write(&View::default()).unwrap();
        place.write(&view()).unwrap();
        assert_eq!(place.read(), Some(view()));
        let names: Vec<_> = fs::read_dir(&place.folder).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place.folder), 0o700);
        assert_eq!(mode(&place.folder.join(NAME)), 0o600);
    }

    #[test]
    fn what_a_stranger_could_have_written_is_not_read() {
        let home = Home::new("strange");
        let place = home.place();
        place.write(&view()).unwrap();
        let file = place.folder.join(NAME);
        for text in ["", "{", "[]", r#"{"sort":"evil","descending":true,"filter":""}"#] {
            fs::write(&file, text).unwrap();
            assert_eq!(place.read(), None, "{text}");
        }
        let long = format!("{}{}", " ".repeat(5000), String::from_utf8(view().to_text()).unwrap());
        fs::write(&file, long).unwrap();
        assert_eq!(place.read(), None);
        place.write(&view()).unwrap();
        assert_eq!(place.read(), Some(view()));

        let elsewhere = home.0.join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert_eq!(place.read(), None);
        // It replaces the link, and not the file behind it.
        place.write(&View::default()).unwrap();
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
        assert_eq!(View::of_text(&fs::read(&elsewhere).unwrap()), Some(view()));

        fs::set_permissions(&place.folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(place.read(), None);
        assert!(place.write(&view()).is_err());
    }

    #[test]
    fn another_file_than_a_regular_one_is_not_read() {
        let home = Home::new("fifo");
        let place = home.place();
        place.write(&view()).unwrap();
        let file = place.folder.join(NAME);
        fs::remove_file(&file).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &file, fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(place.read(), None);
    }
}
