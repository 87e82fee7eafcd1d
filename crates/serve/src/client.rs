//! The files of a client that runs in the browser.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::document::Document;
use crate::error::ServeError;

/// The size of a client that is refused: it is kept in memory.
const MAX_BYTES: u64 = 256 << 20;
const MAX_FILES: usize = 10_000;

/// A client such as that of Neuroglancer: the files of a folder, as they were when the client was read. What is
/// asked for is looked up among them, so that no request reads a file.
#[derive(Debug)]
pub struct Client {
    files: HashMap<String, Document>,
}

impl Client {
    /// Reads the files of the folder `dir`, which has an `index.html`, and of the folders below it. Links that
    /// lead out of it are left out.
    ///
    /// # Errors
    ///
    /// [`ServeError::Client`] if there is no `index.html`, or if there are more files, or larger ones, than a
    /// client has; [`ServeError::ClientIo`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, ServeError> {
        let dir = dir.as_ref();
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ServeError::ClientIo { path, source }
        };
        let refused = |reason: String| ServeError::Client { folder: dir.to_owned(), reason };
        let root = fs::canonicalize(dir).map_err(io(dir))?;
        let (mut files, mut bytes) = (HashMap::new(), 0_u64);
        let mut folders = vec![(root.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(io(&folder))? {
                let entry = entry.map_err(io(&folder))?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let key = format!("{prefix}{name}");
                let path = entry.path();
                // A link counts as what it leads to, if that is inside.
                let Ok(real) = fs::canonicalize(&path) else { continue };
                if !real.starts_with(&root) {
                    tracing::warn!("left out of the client: {key} leads out of its folder");
                    continue;
                }
                let found = fs::metadata(&real).map_err(io(&path))?;
                if found.is_dir() {
                    // A link to a folder above would go on for ever.
                    if !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                        folders.push((path, format!("{key}/")));
                    }
                    continue;
                }
                if !found.is_file() {
                    continue;
                }
                bytes = bytes.saturating_add(found.len());
                if bytes > MAX_BYTES || files.len() >= MAX_FILES {
                    let reason = format!(
                        "it has more than {MAX_FILES} files or {} MiB: give the folder of a built client",
                        MAX_BYTES >> 20
                    );
                    return Err(refused(reason));
                }
                let content = fs::read(&real).map_err(io(&path))?;
                files.insert(key, Document::new(content, content_type(&name)));
            }
        }
        if !files.contains_key("index.html") {
            let reason = "it has no index.html: give the folder of a built client";
            return Err(refused(reason.to_owned()));
        }
        Ok(Self { files })
    }

    /// A file by its name in the folder.
    pub(crate) fn file(&self, name: &str) -> Option<&Document> {
        self.files.get(name)
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_below_a_folder_are_known_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("client");
        fs::create_dir_all(dir.join("a")).unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        assert!(Client::open(&dir).unwrap_err().to_string().contains("no index.html"));
        fs::write(dir.join("index.html"), "<html>").unwrap();
        fs::write(dir.join("a/b.js"), "1").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("../secret.txt", dir.join("out.txt")).unwrap();
            symlink("..", dir.join("up")).unwrap();
            symlink(".", dir.join("round")).unwrap();
            symlink("nowhere", dir.join("broken")).unwrap();
            symlink("a/b.js", dir.join("c.js")).unwrap();
        }
        let client = Client::open(&dir).unwrap();
        let mut names: Vec<&str> = client.files.keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected: &[&str] =
            if cfg!(unix) { &["a/b.js", "c.js", "index.html"] } else { &["a/b.js", "index.html"] };
        assert_eq!(names, expected);
        assert!(client.file("../secret.txt").is_none());
        let missing = Client::open(folder.path().join("nothing")).unwrap_err();
        assert!(missing.to_string().contains("cannot read"), "{missing}");
    }
}
