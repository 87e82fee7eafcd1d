//! Files that people write: groups, tables of classes, configs.

use std::fs::File;
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

/// The most that such a file may hold, in bytes. A table of 100 000 classes has half of it, and what is read takes
/// a multiple of it in memory.
const MAX_BYTES: u64 = 16 << 20;

/// The text of a file.
///
/// # Errors
///
/// Those of reading; [`ErrorKind::InvalidInput`] for what is no file, such as a pipe, which might never end;
/// [`ErrorKind::FileTooLarge`]; [`ErrorKind::InvalidData`] with the place where it is no UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    // Before it is opened, since opening a pipe waits for whoever writes to it.
    if !path.metadata()?.is_file() {
        let what = if path.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a file")));
    }
    let mut bytes = Vec::new();
    // What grows meanwhile is not read either.
    File::open(path)?.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        let reason = format!("it has more than {} MiB, which no such file needs", MAX_BYTES >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, reason));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidData, format!("it is no UTF-8 text from byte {place} on"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_text_of_a_file_is_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("groups.toml");
        fs::write(&file, "µ").unwrap();
        assert_eq!(read_text(&file).unwrap(), "µ");
        let sparse = File::create(&file).unwrap();
        sparse.set_len(MAX_BYTES).unwrap();
        assert_eq!(read_text(&file).unwrap().len(), usize::try_from(MAX_BYTES).unwrap());
        sparse.set_len(MAX_BYTES + 1).unwrap();
        let error = read_text(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it has more than 16 MiB, which no such file needs");
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("groups.toml");
        fs::write(&file, b"mito\xff").unwrap();
        let error = read_text(&file).unwrap_err();
        assert_eq!(error.to_string(), "it is no UTF-8 text from byte 4 on");
        let error = read_text(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "it is a folder, not a file");
        assert_eq!(read_text(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    /// Reading one would wait for ever, or fill the memory.
    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("groups.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            let error = read_text(path).unwrap_err();
            assert_eq!(error.to_string(), "it is a pipe or a device, not a file", "{path:?}");
        }
    }
}
