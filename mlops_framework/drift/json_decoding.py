"""JSON payloads of many records as columns, by Arrow's reader: flat, nested, and lists of either.

The rows are where a form says, or where the first payload shows them to be; a payload that has
them elsewhere is left to the real parser. What Arrow would read otherwise than the real parser
raises :class:`~mlops_framework.drift.decoding.Undecodable`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json

from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.decoding import Decoded, Undecodable, arrow_values
from mlops_framework.drift.json_paths import EACH, JsonPath, Name
from mlops_framework.drift.payload_rows import CONTAINERS, MEMBERS
from mlops_framework.drift.record_forms import SideForm
from mlops_framework.drift.scanning import Marks, Places
from mlops_framework.drift.values import Numbers, Texts, Values

_NESTING: Final = frozenset((*CONTAINERS, *MEMBERS))
"""Members that hold a payload's rows, or a row's values."""
_WRAP: Final = "rows"
_INFINITE: Final = re.compile(rb"[:\[,\s-]Inf(?=[,\]}\s])")
"""Infinity as Arrow reads it and Python does not."""
_BEGINNING: Final = re.compile(rb"[^\n]*")
_WIDEST: Final = 4096

Node: TypeAlias = Any
"""Of a schema: an object (dict by name), a list (a tuple of one node), or a type of Arrow."""


class _Elsewhere(Exception):
    """Some lines do not have their rows where the others have them."""

    def __init__(self, lines: Places) -> None:
        self.lines = lines
        super().__init__()


def json_columns(text: bytes, specs: Sequence[ColumnSpec], form: SideForm) -> Decoded:
    """The columns of JSON values, a line each.

    Args:
        text: The values.
        specs: The columns asked for.
        form: Where rows and values are; if it says nothing, the first value shows it.

    Raises:
        Undecodable: If they are not alike, or not of the types that the columns have.
    """
    text, found = _form(text, form)
    if found.values is not None and not all(spec.ordered for spec in specs):
        raise Undecodable  # lists of Arrow are of one type
    table = _read(text, _schema(specs, found))
    try:
        rows, counts = _rows(table, found)
        if found.values is not None:
            columns = _from_lists(rows, counts, found.values, len(specs))
            return Decoded(columns, rows=counts)
        if not pa.types.is_struct(rows.type):
            raise Undecodable
        paths = {spec.name: found.columns.get(spec.name) or _own(spec.name) for spec in specs}
        columns = tuple(arrow_values(_leaf(rows, paths[spec.name])) for spec in specs)
        extra = {field.name for field in rows.type} - paths.keys() - found.spoken_of
    except _Elsewhere as fault:
        return Decoded((), tuple(fault.lines.tolist()))
    if not form.declared and (_NESTING & extra or _other_containers(table, found)):
        raise Undecodable
    present = {name: _present(rows, name) for name in sorted(extra)}
    return Decoded(
        columns, (), {name: marks for name, marks in present.items() if marks.any()}, counts
    )


def json_outputs(text: bytes, form: SideForm) -> tuple[Mapping[str, Values], Decoded]:
    """All members of the rows of JSON values, a line each; ``0``, ``1``... where they have no name.

    Returns:
        The columns by name (one alone without a name is ``""``), and rows and lines as of
        :func:`json_columns`.

    Raises:
        Undecodable: If they are not alike.
    """
    text, found = _form(text, form)
    table = _read(text, None)
    try:
        rows, counts = _rows(table, found)
    except _Elsewhere as fault:
        return {}, Decoded((), tuple(fault.lines.tolist()))
    if not form.declared and _other_containers(table, found):
        raise Undecodable
    if found.values is not None:
        rows = _follow(rows, found.values)
    named: dict[str, Values] = {}
    if found.columns:
        named = {name: _plain(_follow(rows, path)) for name, path in found.columns.items()}
    elif pa.types.is_struct(rows.type):
        if not form.declared and _NESTING & {field.name for field in rows.type}:
            raise Undecodable
        for field in rows.type:
            named[field.name] = _plain(compute.struct_field(rows, field.name))
    elif pa.types.is_list(rows.type):
        width = int(counts.any()) and int(compute.list_value_length(rows[:1])[0].as_py() or 0)
        if not 0 < width <= _WIDEST or not _all_wide(rows, width):
            raise Undecodable
        flat = compute.list_flatten(rows)
        places = np.arange(len(rows)) * width
        for place in range(width):
            name = str(place) if width > 1 else ""
            named[name] = _plain(flat.take(pa.array(places + place)))
    else:
        named[""] = _plain(rows)
    if not named:
        raise Undecodable
    return named, Decoded((), rows=counts)


def _form(text: bytes, form: SideForm) -> tuple[bytes, SideForm]:
    """Values that Arrow reads (objects), and where their rows are."""
    if _INFINITE.search(text):
        raise Undecodable
    wrapped = not text.startswith(b"{")
    if wrapped:
        lines = text.removesuffix(b"\n").replace(b"\n", b'}\n{"%s":' % _WRAP.encode())
        text = b'{"%s":%s}\n' % (_WRAP.encode(), lines)
    if form.declared:
        if not wrapped:
            return text, form
        steps = (Name(_WRAP), *form.rows.steps)
        return text, SideForm(JsonPath(steps), form.columns, form.values)
    first = _BEGINNING.match(text)
    try:
        value = orjson.loads(first.group() if first else b"")
    except ValueError:
        raise Undecodable from None  # over several lines
    name = next((name for name in CONTAINERS if isinstance(value.get(name), list)), "")
    if not name:
        return text, SideForm(values=_member_list(value) or (_own(_WRAP) if wrapped else None))
    inner = value[name]
    several = any(isinstance(item, (list, dict)) for item in inner)
    if wrapped and not several:
        return text, SideForm(values=_own(_WRAP))  # one row
    rows = JsonPath((Name(name), EACH))
    if not inner or isinstance(inner[0], list) or not several:
        return text, SideForm(rows, values=JsonPath())
    if not isinstance(inner[0], dict):
        raise Undecodable
    return text, SideForm(rows, values=_member_list(inner[0]))


def _member_list(row: Mapping[str, Any]) -> JsonPath | None:
    name = next((name for name in MEMBERS if isinstance(row.get(name), list)), "")
    return _own(name) if name else None


def _own(name: str) -> JsonPath:
    return JsonPath((Name(name),))


def _schema(specs: Sequence[ColumnSpec], form: SideForm) -> Any:
    """What Arrow has to make of the values: numbers where the columns are ordered."""
    root: dict[str, Node] = {}
    if form.values is not None:
        steps = (*form.rows.steps, *form.values.steps, EACH)
        _insert(root, steps, pa.float64())
    else:
        for spec in specs:
            path = form.columns.get(spec.name) or _own(spec.name)
            leaf = pa.float64() if spec.ordered else pa.string()
            _insert(root, (*form.rows.steps, *path.steps), leaf)
    if "[]" in root:
        raise Undecodable  # a list is asked for and the values are objects
    return pa.schema(list(_type(root)))


def _insert(root: dict[str, Node], steps: Sequence[Any], leaf: Any) -> None:
    """Put a leaf into a tree; one that is no tree is no schema."""
    holder = root
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        key = step.name if isinstance(step, Name) else "[]"
        known = holder.setdefault(key, leaf if last else {})
        if isinstance(known, dict) == last or (last and known != leaf):
            raise Undecodable
        if "[]" in holder and len(holder) > 1:
            raise Undecodable
        holder = known


def _type(node: Node) -> Any:
    if not isinstance(node, dict):
        return node
    if "[]" in node:
        return pa.list_(_type(node["[]"]))
    return pa.struct([(name, _type(inner)) for name, inner in node.items()])


def _read(text: bytes, schema: Any) -> Any:
    try:
        table = arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="infer"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Undecodable from error
    struct = table.to_struct_array()
    if isinstance(struct, pa.ChunkedArray):
        struct = struct.chunk(0) if struct.num_chunks == 1 else struct.combine_chunks()
    return struct


def _rows(values: Any, form: SideForm) -> tuple[Any, Places]:
    """The rows of all lines one after the other, and how many each line has."""
    counts = np.ones(len(values), np.int64)
    found = values
    if form.rows.steps.count(EACH) > 1:
        raise Undecodable  # lists in lists: few have them
    for step in form.rows.steps:
        if step != EACH:
            found = _follow(found, JsonPath((step,)))
            continue
        if not pa.types.is_list(found.type):
            raise Undecodable
        _all_there(found)
        counts = compute.list_value_length(found).to_numpy().astype(np.int64)
        found = compute.list_flatten(found)
    _all_there(found, counts)
    return found, counts


def _all_there(found: Any, counts: Places | None = None) -> None:
    if found.null_count:
        lines = np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))
        if counts is not None:
            lines = np.unique(np.repeat(np.arange(len(counts)), counts)[lines])
        raise _Elsewhere(lines)


def _follow(found: Any, path: JsonPath) -> Any:
    """What is at the path in each value; null where nothing is."""
    for step in path.steps:
        if isinstance(step, Name):
            if not pa.types.is_struct(found.type) or found.type.get_field_index(step.name) < 0:
                raise Undecodable
            found = compute.struct_field(found, step.name)
        elif isinstance(step, int) and step >= 0 and pa.types.is_list(found.type):
            shortest = compute.min(compute.list_value_length(found)).as_py()
            if shortest is None or shortest <= step:
                raise Undecodable
            found = compute.list_element(found, step)
        else:
            raise Undecodable
    return found


def _leaf(rows: Any, path: JsonPath) -> Any:
    leaf = _follow(rows, path)
    if pa.types.is_nested(leaf.type):
        raise Undecodable
    return leaf


def _from_lists(rows: Any, counts: Places, path: JsonPath, width: int) -> tuple[Values, ...]:
    """Columns of rows that are lists of numbers."""
    rows = _follow(rows, path)
    if not pa.types.is_list(rows.type) or not pa.types.is_floating(rows.type.value_type):
        raise Undecodable
    _all_there(rows, counts)
    other = compute.list_value_length(rows).to_numpy() != width
    if other.any():
        lines = np.repeat(np.arange(len(counts)), counts)[other]
        raise _Elsewhere(np.unique(lines))
    numbers = compute.list_flatten(rows).to_numpy(zero_copy_only=False).reshape(-1, width)
    return tuple(Numbers(np.ascontiguousarray(numbers[:, place])) for place in range(width))


def _all_wide(rows: Any, width: int) -> bool:
    return not rows.null_count and bool((compute.list_value_length(rows).to_numpy() == width).all())


def _other_containers(table: Any, form: SideForm) -> bool:
    """Whether a payload may have its rows in another member than the first one has."""
    first = form.rows.steps[0] if form.rows.steps else None
    own = {first.name} if isinstance(first, Name) else set()
    path = form.values
    if path is not None and not form.rows.steps:
        own |= {step.name for step in path.steps if isinstance(step, Name)}
    return bool(_NESTING & {field.name for field in table.type} - own) and bool(own)


def _plain(column: Any) -> Values:
    """A column of numbers or of texts, none missing."""
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if column.null_count or not (number or pa.types.is_string(column.type)):
        raise Undecodable
    if number:
        return arrow_values(column.cast(pa.float64(), safe=False))
    values = arrow_values(column)
    if isinstance(values, Texts):
        return Texts(values.indices, [text.strip() for text in values.distinct])
    return values


def _present(rows: Any, name: str) -> Marks:
    marks: Marks = compute.struct_field(rows, name).is_valid().to_numpy(zero_copy_only=False)
    return marks
