//! Containers behind `http://`, `https://` and `s3://` URLs.
//!
//! Requests, signatures and retries are those of the object_store crate. Its ready-made adapter for zarrs
//! asks for the size of each object before it reads it, and turns errors into text; this one does not.

mod failure;
mod lengths;
mod profile;
mod runtime;
mod s3;
mod url;

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::path::Path as ObjectPath;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, HeaderValue, ObjectMeta, ObjectStore,
    ObjectStoreExt, RetryConfig,
};
use zarrs::storage::byte_range::{ByteRange, ByteRangeIterator};
use zarrs::storage::{
    Bytes, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey,
};

use self::failure::{Failure, not_stored};
use super::{FileVersion, LimitedStore, StoreOptions, check_same, too_large};
use crate::error::ZarrError;
use crate::location::Location;
use crate::memory::memory_for;

/// How long connecting may take, if a request may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request is made again at most, if one does not take longer.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest pause before a request is made again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Of how many objects it is known that they are not stored: some MB of names.
const MAX_MISSING: usize = 1 << 16;
/// How many documents are asked for at the same time.
const PARALLEL: usize = 16;

/// The objects of a bucket or of an HTTP server.
pub(super) struct RemoteStore {
    store: Arc<dyn ObjectStore>,
    /// What messages call it, without secrets.
    base: PathBuf,
    lists: bool,
    timeout: Duration,
    /// Whether the server has answered a request for a part with the whole.
    only_whole: AtomicBool,
    /// The last object that was read as a whole to have a part of it.
    last_whole: Mutex<Option<(ObjectPath, Versioned<Bytes>)>>,
    /// Objects whose size was asked for and that are not stored: shards, of which every chunk would ask again.
    missing: Mutex<HashSet<ObjectPath>>,
}

impl RemoteStore {
    /// The store that a URL names, and the parts of the path in it.
    pub(super) fn open(
        location: &Location,
        options: &StoreOptions,
    ) -> Result<(Arc<Self>, Vec<String>), ZarrError> {
        let invalid =
            |reason: String| ZarrError::InvalidLocation { location: location.to_string(), reason };
        let url::Parsed { place, base, names } =
            url::parse(location.as_url().unwrap_or_default()).map_err(invalid)?;
        // Somebody else's choice is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (store, lists) = match place {
            url::Place::Http(server) => (url::http_store(server, options), false),
            url::Place::Bucket(bucket) => {
                (s3::store(&bucket, options, &s3::Environment::of_process()), true)
            }
        };
        let store = Self {
            store: store.map_err(invalid)?,
            base,
            lists,
            timeout: options.request_timeout,
            only_whole: AtomicBool::new(false),
            last_whole: Mutex::default(),
            missing: Mutex::default(),
        };
        Ok((Arc::new(store), names))
    }

    /// What messages call it, without secrets.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// The size of an object; none if it is not stored, which is asked only once.
    pub(super) fn size(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        let path = object_path(key)?;
        let missing = || self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing().contains(&path) {
            return Ok(None);
        }
        let version = self.version(key)?;
        if version.is_none() {
            let mut missing = missing();
            if missing.len() >= MAX_MISSING {
                missing.clear();
            }
            missing.insert(path);
        }
        Ok(version.map(|version| version.size))
    }

    /// The version of an object; none if it is not stored.
    pub(super) fn version(&self, key: &StoreKey) -> Result<Option<FileVersion>, StorageError> {
        let path = object_path(key)?;
        let (store, asked) = (Arc::clone(&self.store), path.clone());
        match self.finish(async move { Ok(store.head(&asked).await?) })? {
            Answer::Found(meta) => Ok(Some(version_of(&meta))),
            Answer::NotStored => Ok(None),
            // The server does not tell sizes alone.
            Answer::Refused => Ok(self.whole(&path)?.map(|(_, version)| version)),
        }
    }

    /// A part of an object, which must be that version of it if one is given, and the version that it is a part
    /// of; none if it is not stored.
    pub(super) fn part(
        &self,
        key: &StoreKey,
        range: ByteRange,
        expected: Option<&FileVersion>,
    ) -> Result<Option<Versioned<Bytes>>, StorageError> {
        let found = self.parts(&object_path(key)?, &[range], expected)?;
        Ok(found.and_then(|(parts, version)| Some((parts.into_iter().next()?, version))))
    }

    /// Several objects at the same time, each of at most `limit` bytes.
    pub(super) fn get_all(
        &self,
        keys: Vec<StoreKey>,
        limit: u64,
    ) -> Vec<Result<MaybeBytes, StorageError>> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(PARALLEL) {
            let running: Vec<_> = keys
                .iter()
                .map(|key| {
                    let (store, path) = (Arc::clone(&self.store), object_path(key)?);
                    runtime::start(async move { whole_object(&*store, &path, limit).await })
                })
                .collect();
            for answer in running {
                let answer = answer.and_then(runtime::Running::wait).map_err(StorageError::from);
                let found_bytes = answer.and_then(|answer| self.maybe(answer));
                found.push(found_bytes.map(|object| object.map(|(bytes, _)| bytes)));
            }
        }
        found
    }

    /// The names of the folders in a folder; none if the server does not list.
    pub(super) fn folders(&self, dir: &str) -> Result<Option<Vec<String>>, StorageError> {
        if !self.lists {
            return Ok(None);
        }
        let path = ObjectPath::parse(dir).map_err(invalid_path)?;
        let store = Arc::clone(&self.store);
        let listed =
            self.finish(async move { Ok(store.list_with_delimiter(Some(&path)).await?) })?;
        let Answer::Found(listed) = listed else {
            return Ok(Some(Vec::new()));
        };
        let names = listed.common_prefixes.iter().filter_map(|path| path.filename());
        Ok(Some(names.map(str::to_owned).collect()))
    }

    /// A whole object, which is kept until another is asked for.
    fn whole(&self, path: &ObjectPath) -> Result<Option<Versioned<Bytes>>, StorageError> {
        let mut last = self.last_whole.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = last.as_ref().filter(|(known, _)| known == path) {
            return Ok(Some(found.clone()));
        }
        let found = self.get_object(path, u64::MAX)?;
        *last = found.clone().map(|found| (path.clone(), found));
        Ok(found)
    }

    fn get_object(
        &self,
        path: &ObjectPath,
        limit: u64,
    ) -> Result<Option<Versioned<Bytes>>, StorageError> {
        let (store, path) = (Arc::clone(&self.store), path.clone());
        let answer = async move { whole_object(&*store, &path, limit).await };
        let answer = runtime::start(answer)?.wait()?;
        self.maybe(answer)
    }

    /// Parts of one version of an object, each of the length that was asked for.
    fn parts(
        &self,
        path: &ObjectPath,
        ranges: &[ByteRange],
        expected: Option<&FileVersion>,
    ) -> Result<Option<Versioned<Vec<Bytes>>>, StorageError> {
        if !self.only_whole.load(Ordering::Relaxed) {
            match self.ranges(path, ranges, expected)? {
                Answer::Found(parts) => return Ok(Some(parts)),
                Answer::NotStored => return Ok(None),
                Answer::Refused => {
                    let base = self.base.display();
                    tracing::info!("{base} does not give parts of files; they are read as a whole");
                    self.only_whole.store(true, Ordering::Relaxed);
                }
            }
        }
        let Some((whole, version)) = self.whole(path)? else {
            return Ok(None);
        };
        if expected.is_some() {
            check_same(expected, Some(&version))?;
        }
        let size = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        let cut = |range: &ByteRange| {
            let (start, len) = match *range {
                ByteRange::FromStart(start, len) => {
                    (start, len.unwrap_or(size.saturating_sub(start)))
                }
                ByteRange::Suffix(len) => (size.saturating_sub(len), len.min(size)),
            };
            let end = start.checked_add(len).filter(|&end| end <= size);
            let bounds = end
                .and_then(|end| Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?)));
            let (start, end) = bounds.ok_or_else(too_short)?;
            Ok(whole.slice(start..end))
        };
        let parts = ranges.iter().map(cut).collect::<io::Result<_>>()?;
        Ok(Some((parts, version)))
    }

    fn ranges(
        &self,
        path: &ObjectPath,
        ranges: &[ByteRange],
        expected: Option<&FileVersion>,
    ) -> Result<Answer<Versioned<Vec<Bytes>>>, StorageError> {
        let mut parts = Vec::with_capacity(ranges.len());
        let mut first = expected.cloned();
        for &range in ranges {
            let (store, path, tag) = (Arc::clone(&self.store), path.clone(), strong_tag(expected));
            let found =
                self.finish(async move { part_of_object(&*store, &path, range, tag).await })?;
            let (part, version) = match found {
                Answer::Found(found) => found,
                Answer::NotStored => return Ok(Answer::NotStored),
                Answer::Refused => return Ok(Answer::Refused),
            };
            check_same(Some(first.get_or_insert_with(|| version.clone())), Some(&version))?;
            parts.push(part);
        }
        Ok(first.map_or(Answer::NotStored, |version| Answer::Found((parts, version))))
    }

    /// Waits for an answer.
    fn finish<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<Answer<T>, StorageError> {
        self.answer(runtime::start(request)?.wait()?)
    }

    fn answer<T>(&self, result: Result<T, Failure>) -> Result<Answer<T>, StorageError> {
        match result {
            Ok(found) => Ok(Answer::Found(found)),
            Err(Failure::Io(error)) => Err(error.into()),
            Err(Failure::Store(error)) if failure::is_refused_method(&error) => Ok(Answer::Refused),
            Err(Failure::Store(error)) if not_stored(&error) => Ok(Answer::NotStored),
            Err(Failure::Store(error)) => Err(failure::explain(&error, self.timeout).into()),
        }
    }

    fn maybe<T>(&self, result: Result<T, Failure>) -> Result<Option<T>, StorageError> {
        match self.answer(result)? {
            Answer::Found(found) => Ok(Some(found)),
            Answer::NotStored => Ok(None),
            Answer::Refused => {
                let text = "the server refuses requests for the file";
                Err(io::Error::new(ErrorKind::Unsupported, text).into())
            }
        }
    }
}

/// What a server says to a request that did not fail.
enum Answer<T> {
    Found(T),
    NotStored,
    /// The server does not know this kind of request.
    Refused,
}

/// What was read, and the version of the object that it is of.
type Versioned<T> = (T, FileVersion);

async fn whole_object(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    limit: u64,
) -> Result<Versioned<Bytes>, Failure> {
    let found = store.get_opts(path, GetOptions::new()).await?;
    let (size, version) = (found.meta.size, version_of(&found.meta));
    if size > limit {
        return Err(Failure::Io(too_large(size, limit)));
    }
    check_size(size)?;
    Ok((complete(found.bytes().await?, size)?, version))
}

/// A part of the length that was asked for.
async fn part_of_object(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    range: ByteRange,
    tag: Option<String>,
) -> Result<Versioned<Bytes>, Failure> {
    let options = GetOptions::new().with_range(Some(wanted(&range))).with_if_match(tag);
    let found = store.get_opts(path, options).await?;
    let version = version_of(&found.meta);
    let length = found.range.end.saturating_sub(found.range.start);
    if matches!(range, ByteRange::FromStart(_, Some(wanted)) if wanted != length) {
        return Err(too_short().into());
    }
    check_size(length)?;
    Ok((complete(found.bytes().await?, length)?, version))
}

/// The tag with which a server can be asked for one version only. Weak ones never match.
fn strong_tag(version: Option<&FileVersion>) -> Option<String> {
    version?.tag.clone().filter(|tag| !tag.starts_with("W/"))
}

fn version_of(meta: &ObjectMeta) -> FileVersion {
    // What a server does not tell is said to be long ago.
    let modified = meta.last_modified.timestamp_micros();
    FileVersion {
        size: meta.size,
        tag: meta.e_tag.clone(),
        modified: (modified != 0).then(|| i128::from(modified).saturating_mul(1000)),
    }
}

/// All bytes of an answer, if there are as many as were announced.
fn complete(bytes: Bytes, length: u64) -> Result<Bytes, Failure> {
    if u64::try_from(bytes.len()) == Ok(length) {
        return Ok(bytes);
    }
    let text = format!("the answer was cut short: {} bytes instead of {length}", bytes.len());
    Err(Failure::Io(io::Error::new(ErrorKind::ConnectionAborted, text)))
}

/// Whether memory can be had for an answer, before it is taken for granted.
fn check_size(size: u64) -> io::Result<()> {
    memory_for(size, "an answer").map(drop)
}

fn too_short() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the file is shorter than what was asked for")
}

fn wanted(range: &ByteRange) -> GetRange {
    match *range {
        ByteRange::FromStart(start, Some(length)) => {
            GetRange::Bounded(start..start.saturating_add(length))
        }
        ByteRange::FromStart(start, None) => GetRange::Offset(start),
        ByteRange::Suffix(length) => GetRange::Suffix(length),
    }
}

fn object_path(key: &StoreKey) -> io::Result<ObjectPath> {
    ObjectPath::parse(key.as_str()).map_err(invalid_path)
}

fn invalid_path(error: object_store::path::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, error)
}

/// The options of every client.
fn client_options(options: &StoreOptions, allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_user_agent(HeaderValue::from_static(concat!("voxmask/", env!("CARGO_PKG_VERSION"))))
        .with_allow_http(allow_http)
        .with_timeout(options.request_timeout)
        .with_connect_timeout(options.request_timeout.min(CONNECT_TIMEOUT))
}

fn retry_config(options: &StoreOptions) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: LONGEST_PAUSE, ..BackoffConfig::default() },
        max_retries: options.retries,
        retry_timeout: options.request_timeout.saturating_mul(2).max(RETRY_TIMEOUT),
    }
}

impl LimitedStore for RemoteStore {
    fn get_at_most(&self, key: &StoreKey, limit: u64) -> Result<MaybeBytes, StorageError> {
        Ok(self.get_object(&object_path(key)?, limit)?.map(|(bytes, _)| bytes))
    }
}

impl ReadableStorageTraits for RemoteStore {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        self.get_at_most(key, u64::MAX)
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let ranges: Vec<ByteRange> = byte_ranges.collect();
        // There is no request for nothing.
        let is_empty = |range: &ByteRange| matches!(range, ByteRange::FromStart(_, Some(0)));
        let asked: Vec<ByteRange> =
            ranges.iter().copied().filter(|range| !is_empty(range)).collect();
        let found = if asked.is_empty() {
            self.size(key)?.map(|_| Vec::new())
        } else {
            self.parts(&object_path(key)?, &asked, None)?.map(|(parts, _)| parts)
        };
        let parts = found.map(|found| {
            let mut found = found.into_iter();
            let part = |range| if is_empty(range) { Some(Bytes::new()) } else { found.next() };
            ranges.iter().map_while(part).collect::<Vec<_>>()
        });
        Ok(parts
            .map(|parts| -> Box<dyn Iterator<Item = _>> { Box::new(parts.into_iter().map(Ok)) }))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        self.size(key)
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}
