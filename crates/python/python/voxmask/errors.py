"""What can go wrong, one class for each kind.

Each of these is a :class:`VoxmaskError` and the built-in exception that fits it, so that ``except ValueError`` or
``except OSError`` catch what one expects. What caused an exception is its ``__cause__``. Arguments of a wrong type are a
plain ``TypeError``, and a few that cannot be meant a plain ``ValueError`` or ``OverflowError``.
"""


class VoxmaskError(Exception):
    """The base of all exceptions of this package."""


class ArgumentError(VoxmaskError, ValueError):
    """An argument that cannot be meant."""


class GeometryError(VoxmaskError, ValueError):
    """Coordinates or regions that make no sense."""


class DivisionByZeroError(GeometryError, ZeroDivisionError):
    """A division by zero along some axis."""


class OutOfRangeError(GeometryError, OverflowError):
    """A number that does not fit into 64 bits."""


class DimsMismatchError(GeometryError):
    """Coordinates, regions or arrays with different numbers of axes."""


class NotAlignedError(GeometryError):
    """A region whose bounds are not those of voxels."""


class OutOfBoundsError(VoxmaskError, IndexError):
    """A region or an index outside an array."""


class TooLargeError(VoxmaskError, ValueError):
    """A result, a chunk or a cache that does not fit into memory, or into the memory limit."""


class VirtualArrayError(VoxmaskError, ValueError):
    """``data`` of an array whose voxels are computed when they are read."""


class NotWritableError(VoxmaskError, ValueError):
    """Writing to an array that was opened for reading, or that is computed."""


class NotFoundError(VoxmaskError, FileNotFoundError):
    """There is nothing at a path or URL."""


class NotZarrError(VoxmaskError, ValueError):
    """What lies there is neither a Zarr nor an N5 array."""


class UnsupportedError(VoxmaskError, ValueError):
    """A codec, an element type or a feature that is not supported."""


class MetadataMalformedError(VoxmaskError, ValueError):
    """Metadata that are wrong."""


class NoGeometryError(MetadataMalformedError):
    """Metadata that do not tell where the voxels are."""


class LabelsMalformedError(MetadataMalformedError):
    """The attribute ``labels`` is wrong."""


class NoLabelsError(LabelsMalformedError):
    """There is no attribute ``labels`` where it is required."""


class GroupMalformedError(VoxmaskError, ValueError):
    """A group that cannot be a channel."""


class SourceHasChannelsError(VoxmaskError, ValueError):
    """Masks are made of arrays without channels."""


class NotLabelsError(VoxmaskError, ValueError):
    """Masks are made of arrays of integers."""


class ChunkCorruptError(VoxmaskError, OSError):
    """A chunk that cannot be decoded; the message names it."""


class StoreError(VoxmaskError, OSError):
    """A file system or a server that fails."""


class SourceError(VoxmaskError, OSError):
    """An array of another Python package that fails; its exception is the cause."""


class OutputExistsError(VoxmaskError, FileExistsError):
    """An output, or an unfinished one, that is there and may not be replaced."""


class NothingQualifiesError(VoxmaskError, ValueError):
    """No patch is known well enough."""
