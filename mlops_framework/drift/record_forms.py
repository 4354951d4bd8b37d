"""Where the rows and values of JSON payloads are, when they are not where they usually are.

::

    {"input":  {"rows": "instances[*]", "columns": {"age": "person.age", "city": "address.city"}},
     "output": {"columns": {"score": "predictions[*].scores[1]"}}}

Without a form payloads are looked at: flat objects, lists of values, lists of either, and either
below ``instances``, ``inputs``, ``predictions``, ``outputs`` or ``rows``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

from mlops_framework.drift.json_paths import JsonPath

_KEYS: Final = ("rows", "columns", "values")
_SIDES: Final = ("input", "output")
MOST_PATHS: Final = 1024


@dataclass(frozen=True)
class SideForm:
    """Where the rows of requests, or of responses, are.

    Attributes:
        rows: Path to the rows, of which a payload (or a line of one) may hold several; the whole
            payload if it leads nowhere.
        columns: From a row to the value of a column, by name; other columns are members of the row.
        values: From a row to the list of its values, in the order of the columns; ``None`` if the
            row is an object.
    """

    rows: JsonPath = field(default_factory=JsonPath)
    columns: Mapping[str, JsonPath] = field(default_factory=dict)
    values: JsonPath | None = None

    @property
    def declared(self) -> bool:
        """Whether anything is said; if not, payloads are looked at."""
        return bool(self.rows.steps or self.columns or self.values is not None)

    @cached_property
    def spoken_of(self) -> frozenset[str]:
        """Members of a row that paths begin with."""
        paths = [*self.columns.values(), *([self.values] if self.values is not None else [])]
        return frozenset(getattr(path.steps[0], "name", "") for path in paths if path.steps)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"rows": path, "columns": {name: path}, "values": path}``, all optional.

        Paths of columns may begin with the way to the rows (``predictions[*].score``) instead of
        ``rows``; all of them have to begin alike.

        Raises:
            ValueError: What is wrong, and what is accepted.
        """
        if not isinstance(document, Mapping):
            raise ValueError(f"accepted is an object of {', '.join(_KEYS)}")
        unknown = sorted(document.keys() - set(_KEYS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: accepted are {', '.join(_KEYS)}")
        columns = document.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise ValueError("columns: accepted is an object of column names and paths")
        if len(columns) > MOST_PATHS:
            raise ValueError(f"columns: {len(columns)} paths; accepted are {MOST_PATHS}")
        paths = {str(name): _path(f"columns.{name}", text) for name, text in columns.items()}
        values = _path("values", document["values"]) if document.get("values") else None
        if columns and values is not None:
            raise ValueError("values and columns: accepted is one of both")
        rows = _path("rows", document.get("rows") or "")
        through = {str(path): path.divided() for path in _all(paths, values) if path.lists}
        if not through:
            return cls(rows, paths, values)
        fronts = {str(front) for front, _ in through.values()}
        if rows.steps or len(fronts) > 1 or any(not path.lists for path in _all(paths, values)):
            raise ValueError(
                "paths of columns lead through different lists; say rows, and paths from a row on"
            )
        front = next(iter(through.values()))[0]
        return cls(
            front,
            {name: path.divided()[1] for name, path in paths.items()},
            None if values is None else values.divided()[1],
        )

    def to_document(self) -> dict[str, Any]:
        """The form as its JSON document."""
        document: dict[str, Any] = {}
        if self.rows.steps:
            document["rows"] = str(self.rows)
        if self.columns:
            document["columns"] = {name: str(path) for name, path in self.columns.items()}
        if self.values is not None:
            document["values"] = str(self.values) or "@"
        return document


@dataclass(frozen=True)
class RecordForm:
    """The forms of both sides of a record.

    Attributes:
        input: Of requests.
        output: Of responses.
    """

    input: SideForm = field(default_factory=SideForm)
    output: SideForm = field(default_factory=SideForm)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"input": ..., "output": ...}``, both optional; see :class:`SideForm`.

        Raises:
            ValueError: What is wrong, and what is accepted.
        """
        if not isinstance(document, Mapping):
            raise ValueError(f"accepted is an object of {' and '.join(_SIDES)}")
        unknown = sorted(document.keys() - set(_SIDES))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: accepted are {' and '.join(_SIDES)}")
        sides = {}
        for name in _SIDES:
            try:
                sides[name] = SideForm.from_document(document.get(name) or {})
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**sides)

    def to_document(self) -> dict[str, Any]:
        """The forms as their JSON document; of what is not declared, nothing."""
        sides = {name: getattr(self, name).to_document() for name in _SIDES}
        return {name: document for name, document in sides.items() if document}


def _path(what: str, text: Any) -> JsonPath:
    if not isinstance(text, str):
        raise ValueError(f"{what}: accepted is a path, for example person.age")
    try:
        return JsonPath.parse(text)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _all(paths: Mapping[str, JsonPath], values: JsonPath | None) -> Sequence[JsonPath]:
    return [*paths.values(), *([values] if values is not None else [])]
