//! Files that appear whole or not at all.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file through `write` under a temporary name beside it, then renames it into place.
///
/// If anything fails, a file that was there before stays as it was, and nothing new is left.
pub(crate) fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let context = || format!("cannot write {}", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    write(file.as_file_mut()).with_context(context)?;
    file.as_file().sync_all().with_context(context)?;
    // A temporary file is private; the result is an ordinary file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let ordinary = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(ordinary).with_context(context)?;
    }
    file.persist(path).with_context(context)?;
    Ok(())
}
