"""Writes JSON that CloudFormation's ``Fn::Sub`` completes: numbers, objects and whole members."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_framework.model_build.expressions import Splice, When

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


@dataclass(frozen=True)
class TemplateText:
    """JSON once every ``${name}`` is replaced.

    Attributes:
        text: For ``Fn::Sub``.
        options: Of each :class:`When`, by name, the text that takes its place where its condition
            holds; elsewhere the empty text does.
    """

    text: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> frozenset[str]:
        """Names of everything ``Fn::Sub`` has to replace, in the text and in its options."""
        texts = (self.text, *self.options.values())
        return frozenset(name for text in texts for name in variables_in(text))


def variables_in(text: str) -> list[str]:
    """Names of the variables in a text for ``Fn::Sub``, in their order."""
    return _VARIABLE.findall(text)


def template_text(value: Any) -> TemplateText:
    """Write a value.

    Args:
        value: Plain JSON values, :class:`Splice` anywhere, :class:`When` as a member of an object
            that has another, unconditional member.

    Raises:
        TypeError: Something else is in it.
        ValueError: All members of an object depend on conditions, or one name stands for two texts.
    """
    options: dict[str, str] = {}
    return TemplateText(_written(value, options), options)


def _written(value: Any, options: dict[str, str]) -> str:
    if isinstance(value, Splice):
        return f"${{{value.name}}}"
    if isinstance(value, Mapping):
        return _object(value, options)
    if isinstance(value, list | tuple):
        return f"[{','.join(_written(each, options) for each in value)}]"
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no place in a definition: {value!r}")


def _object(value: Mapping[str, Any], options: dict[str, str]) -> str:
    optional, members = "", []
    for key, inner in value.items():
        if not isinstance(inner, When):
            members.append(f"{json.dumps(key)}:{_written(inner, options)}")
            continue
        # With its comma, so that nothing is left where the condition does not hold.
        written = f"{json.dumps(key)}:{_written(inner.value, options)},"
        if options.setdefault(inner.name, written) != written:
            raise ValueError(f"{inner.name} stands for two different members")
        optional += f"${{{inner.name}}}"
    if optional and not members:
        raise ValueError(f"all members of {value!r} depend on conditions")
    return f"{{{optional}{','.join(members)}}}"
