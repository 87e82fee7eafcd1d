//! Shards that are replaced while they are read.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use array_core::{ArrayExt, ArrayInfo, DType};
use geometry::{Coordinate, VoxelGrid, VoxelSize};
use ndarray::{ArrayD, Slice};
use serde_json::Map;
use zarr_source::{Compression, ImageOptions, Staging, ZarrArray, ZarrFormat};

use crate::support::{chain, quick, read_error};

/// What a server tells of the version of a file, and what it does when it is asked for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// A tag, and nothing but that version is sent.
    Tags,
    /// A tag, which is not looked at in requests.
    TagsOnly,
    /// When it was written.
    Times,
}

/// A server of two versions of an array, one after the other.
struct Versions {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl Versions {
    /// The first `old` requests for a part of the shard are answered out of the first folder; then each of
    /// `each` requests out of the other one, and so on.
    fn start(folders: [PathBuf; 2], tells: Tells, old: usize, each: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let has_ended = Arc::clone(&ended);
        thread::spawn(move || {
            let asked = AtomicUsize::new(0);
            for client in listener.incoming() {
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
                // Who goes away in between is none of our business.
                let _ = client.ok().and_then(|client| {
                    serve(&client, &folders, tells, &|| {
                        let number = asked.fetch_add(1, Ordering::Relaxed);
                        number.checked_sub(old).map_or(0, |behind| behind / each + 1)
                    })
                });
            }
        });
        Self { port, ended }
    }

    fn open(&self) -> ZarrArray {
        let url = format!("http://127.0.0.1:{}/labels/s0", self.port);
        ZarrArray::open_with(url, &quick(0)).unwrap()
    }
}

impl Drop for Versions {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The thread waits for one more.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers one request; none if the connection ends early. `version` counts the requests for parts.
fn serve(
    client: &TcpStream,
    folders: &[PathBuf; 2],
    tells: Tells,
    version: &dyn Fn() -> usize,
) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut first, mut range, mut wanted) = (String::new(), None, None);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match &name.to_ascii_lowercase()[..] {
            "range" => range = Some(value.trim_start_matches("bytes=").to_owned()),
            "if-match" => wanted = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut words = first.split(' ');
    let (is_head, path) = (words.next()? == "HEAD", words.next()?.trim_start_matches('/'));
    let number = if range.is_some() { version() } else { 0 };
    let mut client = client;
    let Ok(bytes) = fs::read(folders[number % 2].join(path)) else {
        return client
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .ok();
    };
    let tag = format!("\"{number}\"");
    if tells == Tells::Tags && wanted.is_some_and(|wanted| wanted != tag) {
        let head =
            b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(head).ok();
    }
    let told = match tells {
        Tells::Tags | Tells::TagsOnly => format!("ETag: {tag}"),
        Tells::Times => {
            format!("Last-Modified: Sat, 28 Nov 2026 07:00:{:02} GMT", number % 60)
        }
    };
    let size = bytes.len();
    let (start, stop) = match range.as_deref().and_then(|range| range.split_once('-')) {
        None => (0, size),
        Some(("", last)) => (size - last.parse::<usize>().ok()?, size),
        Some((start, stop)) => (start.parse().ok()?, stop.parse::<usize>().ok()? + 1),
    };
    let (status, place) = match range {
        None => ("200 OK", String::new()),
        Some(_) => {
            ("206 Partial Content", format!("Content-Range: bytes {start}-{}/{size}\r\n", stop - 1))
        }
    };
    let length = stop - start;
    let head = format!(
        "HTTP/1.1 {status}\r\n{told}\r\n{place}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).ok()?;
    if is_head { Some(()) } else { client.write_all(&bytes[start..stop]).ok() }
}

/// Two arrays of the same size on the disk, in one shard each, in which the same chunks lie elsewhere. They are
/// not compressed, so that whatever stands in place of a chunk would be taken for its voxels.
fn versions(folder: &Path) -> ([PathBuf; 2], [ArrayD<u16>; 2]) {
    let sizes = VoxelSize::new(Coordinate::from([4, 4])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([0, 0]), sizes).unwrap();
    let info = ArrayInfo::new(DType::U16, &["y", "x"], &[8, 8], grid).unwrap();
    let options = ImageOptions {
        chunk_shape: Some(vec![4, 4]),
        shard_shape: Some(vec![8, 8]),
        compression: Compression::None,
        zarr_format: ZarrFormat::V3,
        ..ImageOptions::default()
    };
    let made = [0, 1].map(|empty| {
        // One chunk of each is empty, another one.
        let voxels = ArrayD::from_shape_fn(vec![8, 8], |index| {
            let number = u16::try_from(index[0] * 8 + index[1]).unwrap();
            if (index[0] / 4, index[1] / 4) == (empty, 0) { 0 } else { number + 1 }
        });
        let container = folder.join(empty.to_string());
        let staging = Staging::new(&container, false).unwrap();
        let image = staging.create_image("labels", &info, &options).unwrap();
        image.write(image.roi(), &voxels.view().into()).unwrap();
        (staging.commit(&Map::new()).unwrap(), voxels)
    });
    let [(first, old), (second, new)] = made;
    ([first, second], [old, new])
}

#[test]
fn a_shard_that_is_replaced_is_read_anew_and_never_mixed_with_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let (folders, [old, new]) = versions(folder.path());
    for tells in [Tells::Tags, Tells::TagsOnly, Tells::Times] {
        let server = Versions::start(folders.clone(), tells, usize::MAX, 1);
        assert!(server.open().data().unwrap() == old.clone().into(), "{tells:?}");
        // The index of the old one, and then the new one for good.
        let server = Versions::start(folders.clone(), tells, 1, usize::MAX);
        let found = server.open().data().unwrap().into_typed::<u16>().unwrap();
        for (y, x) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            let chunk = |voxels: &ArrayD<u16>| {
                let ranges = [y..y + 4, x..x + 4];
                let slice = |axis: usize| Slice::from(ranges[axis].clone());
                voxels.slice_each_axis(|axis| slice(axis.axis.index())).to_owned()
            };
            let is_of_one = [&old, &new].map(chunk).contains(&chunk(&found));
            assert!(is_of_one, "{tells:?}: chunk {y}, {x} of {found}");
        }
    }
}

#[test]
fn a_shard_that_is_replaced_again_and_again_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (folders, _) = versions(folder.path());
    for tells in [Tells::Tags, Tells::TagsOnly, Tells::Times] {
        let server = Versions::start(folders.clone(), tells, 0, 1);
        let error = read_error(&server.open());
        let text = chain(&error);
        assert!(text.contains("/labels/s0/c/0/0"), "{tells:?}: {text}");
        assert!(text.contains("the file was replaced while it was read"), "{tells:?}: {text}");
        assert!(error.is_io());
    }
}
