//! Memory for what files, archives and servers announce.

use std::io::{self, ErrorKind};

use array_core::check_memory;

/// Memory for so many bytes of `what`, which nobody has been asked for yet.
///
/// # Errors
///
/// [`ErrorKind::OutOfMemory`] with the number, if they are beyond the memory limit or cannot be had.
pub(crate) fn memory_for(bytes: u64, what: &str) -> io::Result<Vec<u8>> {
    check(Some(bytes), what)?;
    let mut memory = Vec::new();
    let fits = usize::try_from(bytes).is_ok_and(|bytes| memory.try_reserve_exact(bytes).is_ok());
    if fits {
        return Ok(memory);
    }
    Err(out_of_memory(format!("there is no memory for {what} of {bytes} bytes")))
}

/// Whether memory for so many bytes of `what` may be asked for; none are more than can be counted.
///
/// # Errors
///
/// [`ErrorKind::OutOfMemory`] with the number.
pub(crate) fn check(bytes: Option<u64>, what: &str) -> io::Result<()> {
    check_memory(bytes, || what.to_owned()).map_err(|error| out_of_memory(error.to_string()))
}

fn out_of_memory(text: String) -> io::Error {
    io::Error::new(ErrorKind::OutOfMemory, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_refused_with_the_number() {
        let error = memory_for(1 << 60, "a chunk").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert!(error.to_string().starts_with("a chunk takes 1152921.5 TB, beyond"), "{error}");
        assert!(memory_for(1000, "a chunk").unwrap().capacity() >= 1000);
    }
}
