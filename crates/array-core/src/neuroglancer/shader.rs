//! How voxels of masks and targets become colours: programs that run in the browser.
//!
//! Values are 0 or 1, or shares between them in scale levels of float32. The colours are controls that
//! the user of the viewer may change; the defaults are those of `voxmask preview`.

use crate::neuroglancer::colour;

/// What is known has a light tint; what is unknown is dark, since a network sees nothing there.
pub(super) fn mask() -> &'static str {
    "#uicontrol vec3 known color(default=\"#84a8cc\")
#uicontrol vec3 unknown color(default=\"#3a3c46\")
void main() {
  float share = clamp(float(toRaw(getDataValue())), 0.0, 1.0);
  emitRGBA(vec4(mix(unknown, known, share), mix(0.75, 0.3, share)));
}
"
}

/// What is of the channel has its colour; the rest is transparent.
pub(super) fn target(channel: usize) -> String {
    format!(
        "#uicontrol vec3 color color(default=\"{}\")
void main() {{
  float share = clamp(float(toRaw(getDataValue())), 0.0, 1.0);
  emitRGBA(vec4(color, 0.6 * share));
}}
",
        colour::of_channel(channel)
    )
}
