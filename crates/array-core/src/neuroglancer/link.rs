//! A state as a link.

use std::fmt::Write as _;

use serde_json::Value;

/// The client that the developers of Neuroglancer host.
pub const HOSTED_CLIENT: &str = "https://neuroglancer-demo.appspot.com/";

/// The link that opens `state` in the client at the URL `client`, such as [`HOSTED_CLIENT`].
///
/// The state is the part behind `#`, which a browser keeps to itself: the host of the client sees none
/// of it.
///
/// ```
/// use array_core::neuroglancer::link;
///
/// let state = serde_json::json!({"layers": []});
/// assert_eq!(link("http://127.0.0.1:9000/", &state), "http://127.0.0.1:9000/#!%7B%22layers%22:%5B%5D%7D");
/// ```
#[must_use]
pub fn link(client: &str, state: &Value) -> String {
    let base = client.split_once('#').map_or(client, |(base, _)| base);
    let mut link = format!("{base}#!");
    for byte in state.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:/".contains(&byte) {
            link.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(link, "%{byte:02X}");
        }
    }
    link
}
