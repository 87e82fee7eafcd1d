//! The page about what is served.

use array_core::ArrayInfo;

use crate::document::Document;
use crate::key::root;
use crate::layer::ServedLayer;
use crate::token::Token;
use zarr_source::ZarrFormat;

/// The page at `/`, or at `/<token>/`.
pub(crate) fn page(
    title: &str,
    link: Option<&str>,
    token: Option<&Token>,
    layers: &[ServedLayer],
) -> Document {
    let begin = token.map_or(String::new(), |token| format!("/{}", token.as_str()));
    let mut rows = String::new();
    for layer in layers {
        let Some(level) = layer.levels.first() else { continue };
        let address = |format| {
            let address = format!("{begin}{}/{}", root(format), layer.name);
            let document = if format == ZarrFormat::V2 { ".zattrs" } else { "zarr.json" };
            format!("<a href=\"{address}/{document}\">{address}</a>")
        };
        rows.push_str(&format!(
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}\n",
            escaped(&layer.name),
            escaped(&shape(level.array.info())),
            layer.levels.len(),
            address(ZarrFormat::V3),
            address(ZarrFormat::V2),
        ));
    }
    let link = link.map_or(String::new(), |link| {
        format!("<p><a href=\"{}\">Open in Neuroglancer</a>\n", escaped(link))
    });
    let title = escaped(title);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>body{{font:16px sans-serif;margin:2em}}td,th{{text-align:left;padding:.2em 1em .2em 0}}\
         </style>\n<h1>{title}</h1>\n{link}\
         <table>\n<tr><th>layer<th>shape<th>levels<th>Zarr 3<th>Zarr 2\n{rows}</table>\n\
         <p>Masks and targets are computed when they are asked for; nothing is stored.\n</html>\n"
    );
    Document::new(text, "text/html; charset=utf-8")
}

/// `c 3, z 128, y 128, x 128`
fn shape(info: &ArrayInfo) -> String {
    let axes = info.axes().iter().zip(info.shape());
    axes.map(|(name, extent)| format!("{name} {extent}")).collect::<Vec<_>>().join(", ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
