"""What a Lambda reads from its environment, declared once and checked on both sides.

A service's ``settings.py`` subclasses :class:`LambdaSettings`; at synth the stack builds the
function's variables with :meth:`LambdaSettings.environment`, at run time ``wiring.py`` reads them
with :meth:`LambdaSettings.from_environ`. Standard library only: it is imported on every cold start.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from typing import Any, Self, dataclass_transform, get_type_hints

from mlops_framework.errors import SettingsInvalid

_READERS: Mapping[type, str] = {str: "text", int: "a whole number", bool: "true or false"}
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class LambdaSettings:
    """Base of a service's settings: fields of type ``str``, ``int`` or ``bool``.

    A subclass is a frozen dataclass without writing so. The field ``artifact_bucket`` is the
    environment variable ``ARTIFACT_BUCKET``. A field with a default may be left out.

    Example:
        >>> class Settings(LambdaSettings):
        ...     table_name: str
        ...     page_size: int = 50
        >>> Settings.environment(table_name="pipelines")
        {'TABLE_NAME': 'pipelines'}
        >>> Settings.from_environ({"TABLE_NAME": "pipelines", "PAGE_SIZE": "20"}).page_size
        20
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Turn the subclass into a frozen, keyword-only dataclass."""
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def names(cls) -> frozenset[str]:
        """The environment variables this class reads."""
        return frozenset(field.name.upper() for field in dataclasses.fields(cls))

    @classmethod
    def required_names(cls) -> frozenset[str]:
        """Those that have no default."""
        return frozenset(
            field.name.upper()
            for field in dataclasses.fields(cls)
            if field.default is dataclasses.MISSING
        )

    @classmethod
    def environment(cls, **values: str) -> dict[str, str]:
        """The variables of the function, by field name; values may be CDK tokens.

        Only names are checked here, since a token is not yet the value.

        Raises:
            SettingsInvalid: If a required field is missing or a name is unknown.
        """
        given = {name.upper(): value for name, value in values.items()}
        missing = sorted(cls.required_names() - given.keys())
        unknown = sorted(given.keys() - cls.names())
        if missing or unknown:
            said = [f"missing: {', '.join(missing).lower()}"] if missing else []
            said += [f"not declared: {', '.join(unknown).lower()}"] if unknown else []
            raise SettingsInvalid(
                f"{cls.__module__}.{cls.__qualname__} and the function's environment disagree "
                f"({'; '.join(said)}). Declared: {', '.join(sorted(cls.names())).lower()}."
            )
        return dict(sorted(given.items()))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from the process environment, or from ``environ``.

        Raises:
            SettingsInvalid: Naming every variable that is missing or malformed at once.
        """
        kinds = _types(cls)
        source = os.environ if environ is None else environ
        faults: list[str] = []
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = field.name.upper()
            if name not in source:
                if field.default is dataclasses.MISSING:
                    faults.append(f"{name} is not set")
                continue
            kind = kinds[field.name]
            try:
                values[field.name] = _read(source[name], kind)
            except ValueError:
                faults.append(f"{name} is {source[name]!r}; accepted: {_READERS[kind]}")
        if faults:
            raise SettingsInvalid(f"{cls.__module__}.{cls.__qualname__}: {'; '.join(faults)}.")
        return cls(**values)


def _types(settings: type[LambdaSettings]) -> dict[str, type]:
    hints = get_type_hints(settings)
    kinds = {field.name: hints[field.name] for field in dataclasses.fields(settings)}
    for name, kind in kinds.items():
        if kind not in _READERS:
            raise SettingsInvalid(
                f"{settings.__module__}.{settings.__qualname__}.{name} is of type {kind}; an "
                f"environment variable is read as str, int or bool."
            )
    return kinds


def _read(text: str, kind: type) -> str | int | bool:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if kind is int:
        if not _WHOLE.fullmatch(text):
            raise ValueError(text)
        return int(text)
    return text
