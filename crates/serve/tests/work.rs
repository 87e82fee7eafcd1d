//! What is computed, when, how often, and when it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::io::Read;
use std::net::Shutdown as End;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};

use array_core::{Array, ArrayError, DType, Scalar};
use geometry::Window;
use serve::{Layer, ServerOptions, SiteOptions};

use common::{Computed, Running, info, wait_until};

const SHAPE: [usize; 3] = [64, 64, 64];

/// A door that is closed until somebody opens it.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut is_open = self.0.0.lock().unwrap();
        while !*is_open {
            is_open = self.0.1.wait(is_open).unwrap();
        }
    }
}

fn threads(threads: usize) -> SiteOptions {
    SiteOptions { threads, ..SiteOptions::default() }
}

#[test]
fn a_chunk_of_zeros_is_not_there_and_costs_no_memory() {
    let whole = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&whole);
    let visit = move |window: &Window| {
        seen.fetch_max(window.num_voxels()?, Ordering::SeqCst);
        Ok(Some(Scalar::U8(u8::from(window.start()[0] >= 32))))
    };
    let (array, visits) = Computed::new(info(DType::U8, Some(3), SHAPE, 8), visit);
    let layer = Layer::new("mask", array).with_chunk_shape(&[16, 16, 16]);
    let server = Running::new(vec![layer]);
    assert_eq!(server.get("/zarr3/mask/s0/c/1/0/0/0").status, 404);
    let once = visits.load(Ordering::SeqCst);
    assert_eq!(once, 8, "a chunk has 2 x 2 x 2 blocks, and each is asked for once");
    // All channels of a place are known from then on.
    for channel in 0..3 {
        assert_eq!(server.get(&format!("/zarr3/mask/s0/c/{channel}/0/0/0")).status, 404);
        assert_eq!(server.get(&format!("/zarr2/mask/s0/{channel}/0/0/0")).status, 404);
    }
    assert_eq!(visits.load(Ordering::SeqCst), once);
    assert_eq!(server.get("/zarr3/mask/s0/c/1/2/0/0").status, 200);
    assert_eq!(whole.load(Ordering::SeqCst), 512, "no more than a block at a time");
}

#[test]
fn a_chunk_that_many_want_is_computed_once() {
    let door = Door::default();
    let gate = door.clone();
    let visit = move |_: &Window| {
        gate.pass();
        Ok(None)
    };
    let (array, visits) = Computed::new(info(DType::U8, None, SHAPE, 64), visit);
    let server = Arc::new(Running::new(vec![Layer::new("labels", array)]));
    const CLIENTS: usize = 100;
    let barrier = Arc::new(Barrier::new(CLIENTS + 1));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (server, barrier) = (Arc::clone(&server), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let mut stream = server.begin("GET", "/zarr3/labels/s0/c/0/0/0", &[]);
                barrier.wait();
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).unwrap();
                common::Answer::parse(&bytes).body
            })
        })
        .collect();
    barrier.wait();
    wait_until("the work begins", || visits.load(Ordering::SeqCst) > 0);
    door.open();
    let bodies: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(!bodies[0].is_empty());
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(visits.load(Ordering::SeqCst), 1);
    assert_eq!(server.site.stats().computed, 1);
}

#[test]
fn work_ends_when_its_client_has_gone() {
    let (door, inside) = (Door::default(), Arc::new(AtomicBool::new(false)));
    let (gate, entered) = (door.clone(), Arc::clone(&inside));
    let visit = move |_: &Window| {
        entered.store(true, Ordering::SeqCst);
        gate.pass();
        Ok(None)
    };
    // A chunk has 8 blocks.
    let (array, visits) = Computed::new(info(DType::U8, None, SHAPE, 32), visit);
    let layer = Layer::new("labels", array).with_chunk_shape(&[64, 64, 64]);
    let server = Running::with(vec![layer], threads(1), ServerOptions::default());
    let stream = server.begin("GET", "/zarr3/labels/s0/c/0/0/0", &[]);
    wait_until("the work begins", || inside.load(Ordering::SeqCst));
    // A second one waits for the only thread and goes away, too.
    drop(stream);
    std::thread::sleep(std::time::Duration::from_millis(200));
    door.open();
    // The thread is free again, and the chunk can be computed, by whoever asks next.
    let before = visits.load(Ordering::SeqCst);
    assert_eq!(server.get("/zarr3/labels/s0/c/0/0/0").status, 200);
    let after = visits.load(Ordering::SeqCst);
    assert_eq!((before, after - before), (1, 8), "the first work ended behind its first block");
}

#[test]
fn another_client_takes_over_when_the_first_one_goes() {
    let door = Door::default();
    let gate = door.clone();
    let visit = move |_: &Window| {
        gate.pass();
        Ok(None)
    };
    let (array, visits) = Computed::new(info(DType::U8, None, SHAPE, 64), visit);
    let server =
        Running::with(vec![Layer::new("labels", array)], threads(4), ServerOptions::default());
    let path = "/zarr3/labels/s0/c/0/0/0";
    let first = server.begin("GET", path, &[]);
    wait_until("the work begins", || visits.load(Ordering::SeqCst) == 1);
    let mut second = server.begin("GET", path, &[]);
    first.shutdown(End::Both).unwrap();
    wait_until("the second one takes over", || visits.load(Ordering::SeqCst) == 2);
    door.open();
    let mut bytes = Vec::new();
    second.read_to_end(&mut bytes).unwrap();
    assert_eq!(common::Answer::parse(&bytes).status, 200);
}

#[test]
fn no_more_places_are_computed_at_a_time_than_there_are_threads() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let visit = move |_: &Window| {
        let number = inside.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(number, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(5));
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok(None)
    };
    let (array, _) = Computed::new(info(DType::U8, None, SHAPE, 16), visit);
    let layer = Layer::new("labels", array).with_chunk_shape(&[16, 16, 16]);
    let server = Arc::new(Running::with(vec![layer], threads(2), ServerOptions::default()));
    let clients: Vec<_> = (0..32)
        .map(|number| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let path =
                    format!("/zarr3/labels/s0/c/{}/{}/{}", number / 16, number / 4 % 4, number % 4);
                assert_eq!(server.get(&path).status, 200);
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[test]
fn a_failed_read_is_told_without_paths_and_tried_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&broken);
    let visit = move |_: &Window| {
        if fails.load(Ordering::SeqCst) {
            let reason = "/secret/path.zarr/s0/0: permission denied".to_owned();
            return Err(ArrayError::BadInfo { reason });
        }
        Ok(None)
    };
    let (array, _) = Computed::new(info(DType::U8, None, SHAPE, 64), visit);
    let server = Running::new(vec![Layer::new("labels", array)]);
    let failed = server.get("/zarr3/labels/s0/c/0/0/0");
    assert_eq!(failed.status, 500);
    assert!(!failed.text().contains("secret"), "{}", failed.text());
    assert_eq!(failed.text().lines().count(), 1);
    assert_eq!(failed.header("access-control-allow-origin"), Some("*"));
    broken.store(false, Ordering::SeqCst);
    assert_eq!(server.get("/zarr3/labels/s0/c/0/0/0").status, 200);
}

#[test]
fn a_panic_of_a_source_is_an_error_for_one_client() {
    let (array, _) = Computed::new(info(DType::U8, None, SHAPE, 32), |window: &Window| {
        assert!(window.start()[0] > 0, "a source that is broken");
        Ok(None)
    });
    let layer = Layer::new("labels", array).with_chunk_shape(&[32, 32, 32]);
    let server = Running::with(vec![layer], threads(1), ServerOptions::default());
    assert_eq!(server.get("/zarr3/labels/s0/c/0/0/0").status, 500);
    assert_eq!(server.get("/zarr3/labels/s0/c/1/0/0").status, 200);
}

#[test]
fn what_is_kept_has_a_limit() {
    let visit = |window: &Window| {
        let sum = window.start().iter().sum::<usize>() + 1;
        Ok(Some(Scalar::U8(u8::try_from(sum).unwrap())))
    };
    let (array, visits) = Computed::new(info(DType::U8, Some(2), SHAPE, 8), visit);
    let limit = 20_000;
    let options = SiteOptions { max_bytes: limit, ..SiteOptions::default() };
    let layer = Layer::new("mask", array).with_chunk_shape(&[8, 8, 8]);
    let layer = layer.with_compression(zarr_source::Compression::None);
    let server = Running::with(vec![layer], options, ServerOptions::default());
    for place in 0..64 {
        let path = format!("/zarr3/mask/s0/c/0/{}/{}/{}", place / 16, place / 4 % 4, place % 4);
        assert_eq!(server.get(&path).status, 200);
        assert!(server.site.stats().cached_bytes <= limit);
    }
    assert!(server.site.stats().cached_bytes > limit / 2);
    assert_eq!(visits.load(Ordering::SeqCst), 64);
}

#[test]
fn a_stored_block_of_many_chunks_is_read_once_and_a_computed_one_in_parts() {
    let info = || info(DType::U8, None, SHAPE, 64);
    let all = |server: &Running| {
        for place in 0..8 {
            let path = format!("/zarr3/labels/s0/c/{}/{}/{}", place / 4, place / 2 % 2, place % 2);
            assert_eq!(server.get(&path).status, 200);
        }
    };
    let layer = |array: Arc<dyn Array>| Layer::new("labels", array).with_chunk_shape(&[32, 32, 32]);
    let (stored, visits) = Computed::stored(info(), |_: &Window| Ok(None));
    all(&Running::new(vec![layer(stored)]));
    assert_eq!(visits.load(Ordering::SeqCst), 1);
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let (computed, visits) = Computed::new(info(), move |window: &Window| {
        seen.fetch_max(window.num_voxels()?, Ordering::SeqCst);
        Ok(None)
    });
    all(&Running::new(vec![layer(computed)]));
    assert_eq!((visits.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (8, 32 * 32 * 32));
}
