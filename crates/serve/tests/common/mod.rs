//! A server in a thread, a plain client, and arrays that tell how they are read.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(unreachable_pub, reason = "a module of each file of tests")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use array_core::{
    AnyArray, Array, ArrayError, ArrayInfo, Block, BlockCache, DType, MemoryArray, Scalar, Visitor,
};
use geometry::{Coordinate, LengthUnit, VoxelGrid, VoxelSize, Window, WorldUnit};
use serve::{Layer, ServeError, Server, ServerOptions, Shutdown, Site, SiteOptions};

/// How long a test waits for what should happen at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Running {
    pub address: SocketAddr,
    pub site: Arc<Site>,
    pub shutdown: Shutdown,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Running {
    pub fn new(layers: Vec<Layer>) -> Self {
        Self::with(layers, SiteOptions::default(), ServerOptions::default())
    }

    pub fn with(layers: Vec<Layer>, site: SiteOptions, server: ServerOptions) -> Self {
        let blocks = Arc::new(BlockCache::new(16 << 20));
        let site = Arc::new(Site::new(layers, &blocks, site).unwrap());
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), server).unwrap();
        let (address, shutdown) = (server.address(), Shutdown::default());
        let (served, end) = (Arc::clone(&site), shutdown.clone());
        let thread = Some(std::thread::spawn(move || server.run(&served, &end)));
        Self { address, site, shutdown, thread }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = self.begin(method, path, headers);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// Sends a request and leaves the answer to the caller.
    pub fn begin(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        stream
    }

    /// Ends the server and waits until it has ended.
    pub fn end(mut self) {
        self.shutdown.begin();
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.begin();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no head in {:?}", String::from_utf8_lossy(bytes));
        });
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Voxels of 2.62 x 4 x 4 nm whose corner is no multiple of anything.
pub fn info(dtype: DType, channels: Option<usize>, shape: [usize; 3], block: usize) -> ArrayInfo {
    let unit = WorldUnit::new(LengthUnit::Nanometer, 2).unwrap();
    let voxel_size = VoxelSize::new(Coordinate::from([262, 400, 400])).unwrap();
    let grid = VoxelGrid::new(Coordinate::from([1_328_229, -420, 0]), voxel_size).unwrap();
    let spatial = ["z", "y", "x"];
    let info = match channels {
        None => ArrayInfo::new(dtype, &spatial, &shape, grid),
        Some(count) => {
            let shape = [&[count][..], &shape].concat();
            ArrayInfo::new(dtype, &["c", "z", "y", "x"], &shape, grid)
        }
    };
    info.unwrap().with_unit(unit).with_block_shape(&[block; 3]).unwrap()
}

/// An array in which every voxel has another value, as far as bytes allow.
pub fn counter(channels: Option<usize>, shape: [usize; 3]) -> MemoryArray {
    let info = info(DType::U8, channels, shape, 8);
    let len = info.shape().iter().product::<usize>();
    let values: Vec<u8> = (0..len).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    let voxels = ndarray::ArrayD::from_shape_vec(info.shape(), values).unwrap();
    MemoryArray::new(info, voxels).unwrap()
}

/// An array that is computed: what it does for a window is up to `visit`.
pub struct Computed<F> {
    pub info: ArrayInfo,
    pub visits: Arc<AtomicUsize>,
    is_virtual: bool,
    visit: F,
}

impl<F> Computed<F>
where
    F: Fn(&Window) -> Result<Option<Scalar>, ArrayError> + Send + Sync,
{
    /// All voxels of a window have the value that `visit` gives; none is an array of sevens, which costs a
    /// buffer.
    pub fn new(info: ArrayInfo, visit: F) -> (Arc<Self>, Arc<AtomicUsize>) {
        Self::of(info, true, visit)
    }

    /// The same as an array that is stored, for whoever asks.
    pub fn stored(info: ArrayInfo, visit: F) -> (Arc<Self>, Arc<AtomicUsize>) {
        Self::of(info, false, visit)
    }

    fn of(info: ArrayInfo, is_virtual: bool, visit: F) -> (Arc<Self>, Arc<AtomicUsize>) {
        let visits = Arc::new(AtomicUsize::new(0));
        (Arc::new(Self { info, visits: Arc::clone(&visits), is_virtual, visit }), visits)
    }
}

impl<F> fmt::Debug for Computed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Computed")
    }
}

impl<F> Array for Computed<F>
where
    F: Fn(&Window) -> Result<Option<Scalar>, ArrayError> + Send + Sync,
{
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn visit(&self, window: &Window, visitor: &mut Visitor<'_>) -> Result<(), ArrayError> {
        self.visits.fetch_add(1, Ordering::SeqCst);
        match (self.visit)(window)? {
            Some(value) => visitor(Block::Constant(value)),
            None => {
                let shape = [self.info.channel_shape(), window.shape()].concat();
                let mut voxels = AnyArray::zeros(self.info.dtype(), &shape)?;
                voxels.view_mut().fill(Scalar::U8(7))?;
                visitor(Block::Voxels(voxels.view()))
            }
        }
    }

    fn kind(&self) -> &'static str {
        "a computed array"
    }

    fn is_virtual(&self) -> bool {
        self.is_virtual
    }
}

/// Waits until something holds.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = std::time::Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
