//! Opening what lies at a location before it is known what that is.

use crate::array::ZarrArray;
use crate::error::ZarrError;
use crate::group::ZarrGroup;
use crate::location::Location;
use crate::node::{Node, NodeKind};
use crate::options::OpenOptions;
use crate::store::Container;

/// An array or a group.
#[derive(Debug)]
pub enum ZarrNode {
    /// An array.
    Array(Box<ZarrArray>),
    /// A group, which may be an image: [`ZarrGroup::open_array`] with the name `""` opens a level of it.
    Group(Box<ZarrGroup>),
}

impl ZarrNode {
    /// Opens what lies at a location. Its container is opened once, whichever it is.
    ///
    /// # Errors
    ///
    /// Those of [`ZarrArray::open`], also where there is neither.
    pub fn open_with(
        location: impl Into<Location>,
        options: &OpenOptions,
    ) -> Result<Self, ZarrError> {
        let (container, dir) = Container::open(&location.into(), &options.store)?;
        Ok(match Node::read(&container, &dir)? {
            Some(node) if node.kind == NodeKind::Group => {
                Self::Group(Box::new(ZarrGroup::of_node(container, node)))
            }
            node => Self::Array(Box::new(ZarrArray::open_node(container, dir, node, options)?)),
        })
    }
}
