"""YAML as plain data that still knows its lines. Refuses what YAML would silently swallow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.errors import EnvironmentInvalid, Fault

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML file's mapping.

    Attributes:
        file: Where it was read.
        data: Its content.
        lines: Line of each key or list entry, by its path, from 1.
    """

    file: Path
    data: dict[str, Any]
    lines: Mapping[Path_, int]

    def __contains__(self, path: Path_) -> bool:
        """Whether the file says anything at that path."""
        return path in self.lines


def read_document(file: Path) -> Document:
    """Read a YAML file that holds one mapping; an empty file is an empty mapping.

    Raises:
        EnvironmentInvalid: If the file is unreadable, not YAML, no mapping, or says a key twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = f"Cannot be read: {error}."
        raise EnvironmentInvalid(
            f"{file} cannot be read.", [Fault("", said, "text", NOTHING)]
        ) from None
    return read_text(text, file)


def read_text(text: str, file: Path | str) -> Document:
    """Read the YAML of a file that is at hand already; see :func:`read_document`.

    Raises:
        EnvironmentInvalid: If it is not YAML, no mapping, or says a key twice.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        reader = _Reader(loader)
        data = reader.value(node, ()) if node is not None else {}
    except yaml.YAMLError as error:
        raise EnvironmentInvalid(f"{file} is not YAML.", [_syntax(error)]) from None
    except RecursionError:
        said = "Nested without end, or an alias that holds itself."
        raise EnvironmentInvalid(f"{file} is refused.", [Fault("", said, "YAML", "…")]) from None
    if not isinstance(data, dict):
        said = f"Must hold keys and values; found {shown(data)}."
        raise EnvironmentInvalid(
            f"{file} is no mapping.", [Fault("", said, "a mapping", shown(data))]
        )
    if reader.faults:
        raise EnvironmentInvalid(f"{file} says a key twice.", reader.faults)
    return Document(Path(file), data, reader.lines)


class _Reader:
    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self.lines: dict[Path_, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, path: Path_) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._entry(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self._loader.construct_object(key_node))
            here = (*path, key)
            line = key_node.start_mark.line + 1
            value = self.value(value_node, here)
            if key in data:
                said = f"Said twice, in lines {self.lines[here]} and {line}; keep one."
                self.faults.append(
                    Fault(".".join(map(str, here)), said, "each key once", shown(value))
                )
            self.lines[here] = line
            data[key] = value
        return data

    def _entry(self, node: yaml.Node, path: Path_) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)


def _syntax(error: yaml.YAMLError) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault("", f"{str(error).splitlines()[0]}.", "YAML", "the file")
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "the file"
    said = f"{(error.problem or 'malformed').capitalize()}, in {where}."
    return Fault("", said, "YAML", where)
