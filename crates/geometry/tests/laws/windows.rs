use geometry::Window;
use proptest::{collection::vec, prelude::*};

use crate::strategies::config;

fn window(dims: usize) -> impl Strategy<Value = Window> {
    (vec(0_usize..8, dims), vec(0_usize..8, dims))
        .prop_map(|(start, shape)| Window::new(&start, &shape).unwrap())
}

fn holds(window: &Window, index: &[usize]) -> bool {
    index.iter().enumerate().all(|(axis, index)| {
        (window.start()[axis]..window.start()[axis] + window.shape()[axis]).contains(index)
    })
}

fn indices(dims: usize) -> Vec<Vec<usize>> {
    (0..dims).fold(vec![Vec::new()], |indices, _| {
        indices
            .iter()
            .flat_map(|index| (0..17).map(|entry| [index.as_slice(), &[entry]].concat()))
            .collect()
    })
}

fn two_windows() -> impl Strategy<Value = (Window, Window)> {
    (0_usize..=2).prop_flat_map(|dims| (window(dims), window(dims)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn two_windows_have_exactly_the_common_voxels((left, right) in two_windows()) {
        let common = left.intersect(&right)?;
        let mut all = true;
        for index in indices(left.dims()) {
            let expected = holds(&left, &index) && holds(&right, &index);
            prop_assert_eq!(common.is_some_and(|common| holds(&common, &index)), expected);
            all &= holds(&left, &index) || !holds(&right, &index);
        }
        prop_assert_eq!(left.contains(&right), Ok(all));
        prop_assert_eq!(left.num_voxels()?, indices(left.dims()).iter().filter(|index| holds(&left, index)).count());
    }

    #[test]
    fn blocks_cover_a_window_exactly_once_and_follow_the_chunks(
        window in (0_usize..=2).prop_flat_map(window), sizes in vec(1_usize..6, 2),
    ) {
        let size = &sizes[..window.dims()];
        let walk = window.blocks(size)?;
        let hint = walk.size_hint();
        let blocks: Vec<_> = walk.collect();
        prop_assert_eq!(hint, (blocks.len(), Some(blocks.len())));
        for index in indices(window.dims()) {
            let times = blocks.iter().filter(|block| holds(block, &index)).count();
            prop_assert_eq!(times, usize::from(holds(&window, &index)));
        }
        let chunk = |block: &Window| -> Vec<usize> { block.start().iter().zip(size).map(|(start, size)| start / size).collect() };
        for block in &blocks {
            let last: Vec<_> = block.stop().iter().zip(size).map(|(stop, size)| (stop - 1) / size).collect();
            prop_assert_eq!(chunk(block), last);
        }
        prop_assert!(blocks.iter().map(chunk).is_sorted());
        prop_assert!(!blocks.iter().any(Window::is_empty));
    }

    #[test]
    fn counting_from_another_start_moves_every_voxel(window in window(2), start in vec(0_usize..8, 2)) {
        match window.relative_to(&start) {
            Ok(moved) => {
                prop_assert_eq!(moved.shape(), window.shape());
                let back: Vec<_> = moved.start().iter().zip(&start).map(|(moved, start)| moved + start).collect();
                prop_assert_eq!(back, window.start());
            }
            Err(error) => {
                prop_assert!(error.is_out_of_bounds());
                prop_assert!(window.start().iter().zip(&start).any(|(own, start)| own < start));
            }
        }
    }
}

#[test]
fn a_window_beyond_the_largest_index_is_an_error() {
    assert!(Window::new(&[usize::MAX], &[1]).unwrap_err().is_overflow());
    let last = Window::new(&[usize::MAX - 1], &[1]).unwrap();
    assert_eq!(last.stop(), [usize::MAX]);
    assert_eq!(last.blocks(&[usize::MAX]).unwrap().collect::<Vec<_>>(), [last]);
    assert!(Window::full(&[usize::MAX, 2]).unwrap().num_voxels().unwrap_err().is_overflow());
    assert_eq!(Window::full(&[usize::MAX, 2, 0]).unwrap().num_voxels(), Ok(0));
    assert!(Window::full(&[1; 7]).is_err());
}

#[test]
fn a_window_without_axes_has_one_voxel() {
    let scalar = Window::full(&[]).unwrap();
    assert_eq!(scalar.num_voxels(), Ok(1));
    assert_eq!(scalar.blocks(&[]).unwrap().collect::<Vec<_>>(), [scalar]);
    assert_eq!(scalar.to_string(), "[]");
}

#[test]
fn blocks_without_extent_are_an_error() {
    assert_eq!(
        Window::full(&[4]).unwrap().blocks(&[0]).unwrap_err().to_string(),
        "blocks of [0] voxels have no extent"
    );
}
