"""Channels, in the forms that users write them in."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, Union

Members: TypeAlias = Iterable[Union[int, str]]
"""Label ids, or names of classes."""

Groupings: TypeAlias = Union[
    str, "os.PathLike[str]", Mapping[str, Members], Iterable[Union[tuple[str, Members], Mapping[str, Any], str]]
]
"""One group for each channel: DaCapo's ``[("mito", [3, 4, 5]), ...]``, a dict from names to ids, dicts with ``name``,
``ids`` and ``generic_ids``, names of classes alone, or the path of a groups file (TOML, JSON or YAML)."""


def arguments(groupings: Groupings | None) -> dict[str, str]:
    """Groups as the engine takes them."""
    if groupings is None:
        return {}
    if isinstance(groupings, (str, os.PathLike)):
        return {"groups_file": os.path.abspath(groupings)}
    groups = list(groupings.items() if isinstance(groupings, Mapping) else groupings)
    if any(isinstance(group, Mapping) for group in groups):
        return {"groups": json.dumps({"group": [_table(group) for group in groups]})}
    return {"groups": json.dumps([_pair(group) for group in groups])}


def plain(groupings: Groupings | None) -> Groupings | None:
    """The same groups as lists, which can be used more than once, or the absolute path of a file."""
    said = arguments(groupings)
    if "groups" not in said:
        return said.get("groups_file")
    groups = json.loads(said["groups"])
    return groups["group"] if isinstance(groups, dict) else groups


def _pair(group: Any) -> list[Any]:
    """A group as DaCapo writes it; a name alone is the class of that name."""
    if isinstance(group, str):
        return [group, [group]]
    try:
        name, members = group
    except (TypeError, ValueError):
        raise TypeError(f"{group!r} is not a group: a pair (name, ids), or a dict") from None
    return [name, _members(members)]


def _table(group: Any) -> dict[str, Any]:
    """A group as a groups file has it."""
    if isinstance(group, Mapping):
        return {key: value if isinstance(value, str) else _members(value) for key, value in group.items()}
    name, members = _pair(group)
    ids = [member for member in members if not isinstance(member, str)]
    names = [member for member in members if isinstance(member, str)]
    return {"name": name, "ids": ids} | ({"classes": names} if names else {})


def _members(members: Any) -> list[int | str]:
    if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
        raise TypeError(f"{members!r} is not a list of label ids or names of classes")
    return [member if isinstance(member, str) else operator.index(member) for member in members]


def whole(name: str, value: Any) -> int:
    """An argument that is an integer, of Python or NumPy."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} {value!r} is not an integer") from None


def ids(name: str, values: Any) -> list[int]:
    """An argument that is a list of label ids."""
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{name} {values!r} is not a list of label ids")
    return [whole(name, value) for value in values]
