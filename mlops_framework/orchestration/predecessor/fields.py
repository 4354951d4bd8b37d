"""What a field of the predecessor's bodies may hold, and how it is read.

Values were checked nowhere: numbers came as text, switches as ``"True"``, lists as JSON inside
text, and text as numbers. Each form here takes all of them and says what it took offence at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from mlops_framework.contracts.faults import shown
from mlops_framework.orchestration.predecessor.draft import Draft

_NUMBER: Final = re.compile(r"[+-]?(\d+([.]\d*)?|[.]\d+)([eE][+-]?\d{1,3})?")
_DIGITS: Final = 15
"""Most digits of a number; more would not be the same number as a float."""


class Unreadable(Exception):
    """A value is not of the form its field wants; says which form that is."""


class Form(Enum):
    """How a value is read."""

    TEXT = "text"
    LOWER = "text, taken in lower case"
    WHOLE = "a whole number, as a number or as text"
    REAL = "a number, as a number or as text"
    SWITCH = "True or False, as a switch or as text"
    ASSET = "a path in the assets bucket, or s3://bucket/key"
    PLACE = "bucket/prefix, or s3://bucket/prefix"
    OBJECT = "an object, or its JSON as text"
    LIST = "a list, or its JSON as text"


@dataclass(frozen=True)
class Old:
    """One field of the predecessor.

    Attributes:
        to: Our field; empty if the type's own function takes it over.
        form: How its value is read.
        required: Whether the predecessor refused a body without it.
        default: What the predecessor took where it was left out or empty, if that is not ours.
        per_stage: Whether it may be a map of stages.
        also: Further spellings.
        words: Values it knows, which may be written in any case.
        meaning: What it is, for a body that lacks it.
    """

    to: str
    form: Form
    required: bool = False
    default: Any = None
    per_stage: bool = False
    also: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True)
class OldType:
    """One ``pipeline_type`` of the predecessor.

    Attributes:
        kind: Ours.
        fields: Its fields.
        finish: What no single field says.
    """

    kind: str
    fields: Mapping[str, Old]
    finish: Callable[[Draft], None]


def translate_field(draft: Draft, name: str, old: Old) -> None:
    """Read one field of the body into ours."""
    value, spelling = draft.given.get(name), draft.spelt(name)
    if not old.to:
        return
    if _is_empty(value):
        if old.required and name not in draft.given:
            draft.wrong(
                spelling,
                f"Bad request. API body does not have the necessary parameter: {name}."
                f"{f' {old.meaning}' if old.meaning else ''}",
                old.form.value,
            )
        elif old.required:
            draft.wrong(spelling, f"{name} is empty; give {old.form.value}.", old.form.value, value)
        elif old.default is not None:
            draft.put(old.to, old.default, spelling)
        return
    if isinstance(value, dict) and old.per_stage:
        _translate_stages(draft, old, value, spelling)
        return
    if isinstance(value, dict) and old.form is not Form.OBJECT:
        said = f"Takes one value, for every stage; found {shown(value)}."
        draft.wrong(spelling, said, old.form.value, value)
        return
    found = read_at(draft, spelling, value, old.form)
    if found is not None:
        draft.put(old.to, in_known_words(found, old.words), spelling)


def in_known_words(value: Any, words: Sequence[str]) -> Any:
    """A value as the known word is written that differs in its case only."""
    if not isinstance(value, str):
        return value
    return next((word for word in words if word.lower() == value.lower()), value)


def read_at(draft: Draft, path: str, value: Any, form: Form) -> Any:
    """A value as its form has it; nothing, and a fault, if it is not of that form."""
    try:
        return read(value, form, draft.setting.assets_bucket)
    except Unreadable as refused:
        wanted = str(refused) or form.value
        draft.wrong(path, f"Must be {wanted}; found {shown(value)}.", wanted, value)
        return None


def read(value: Any, form: Form, assets_bucket: str) -> Any:
    """A value as its form has it.

    Raises:
        Unreadable: If it is not of that form.
    """
    match form:
        case Form.TEXT | Form.LOWER:
            text = _text(value)
            return text.lower() if form is Form.LOWER else text
        case Form.WHOLE:
            return _whole(value)
        case Form.REAL:
            return float(_number(value))
        case Form.SWITCH:
            return _switch(value)
        case Form.ASSET:
            return _asset(_text(value), assets_bucket)
        case Form.PLACE:
            return _place(_text(value))
        case Form.OBJECT | Form.LIST:
            wanted = dict if form is Form.OBJECT else list
            found = _json(value) if isinstance(value, str) else value
            if not isinstance(found, wanted):
                raise Unreadable
            return found


def _translate_stages(draft: Draft, old: Old, given: Mapping[str, Any], spelling: str) -> None:
    stages = draft.setting.stages
    keys = {str(key).strip().lower(): key for key in given}
    found: dict[str, Any] = {}
    used = set()
    for stage, aliases in stages.items():
        key = next((keys[name] for name in (stage, *aliases) if name in keys), None)
        if key is None:
            continue
        used.add(key)
        if _is_empty(given[key]) and not old.required:
            found[stage] = "" if old.default is None else old.default
        else:
            found[stage] = read_at(draft, f"{spelling}.{key}", given[key], old.form)
        draft.came_from(f"{old.to}.{stage}", f"{spelling}.{key}")
    missing = [stage for stage in stages if stage not in found]
    if missing:
        named = ", ".join(map(str, given)) or "none"
        draft.wrong(
            spelling,
            f"Says nothing for the {'stages' if len(missing) > 1 else 'stage'} "
            f"{', '.join(missing)} of this environment; it names {named}. Give one value for "
            "every stage, or a map of the environment's stages. Its operator can let a stage "
            "stand for dev, staging or prod (stages[].stands_for in environments/*.yaml).",
            f"one value, or a map of {', '.join(stages)}",
            dict(given),
        )
        return
    others = [str(key) for key in given if key not in used]
    if others:
        draft.notes.append(
            f"{spelling}: this environment has no stage {' or '.join(others)}; what the body says "
            "for it is not used."
        )
    if all(value is not None for value in found.values()):
        draft.put(old.to, found, spelling)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable("text")
    return str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise Unreadable("a number")
    if isinstance(value, int | float):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(text) or len(text) > _DIGITS:
        raise Unreadable("a number")
    return float(text)


def _whole(value: Any) -> int:
    try:
        number = _number(value)
    except Unreadable:
        raise Unreadable("a whole number") from None
    if number != number or abs(number) > 10**_DIGITS or number != int(number):
        raise Unreadable("a whole number")
    return int(number)


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("true", "false"):
        raise Unreadable("True or False")
    return word == "true"


def _asset(path: str, bucket: str) -> str:
    if path.startswith("s3://"):
        return path.rstrip("/")
    # A path with the bucket in front was wrong there; it can mean nothing else.
    inside = path.strip("/").removeprefix(f"{bucket}/")
    return f"s3://{bucket}/{inside}"


def _place(path: str) -> str:
    return f"s3://{path.removeprefix('s3://').strip('/')}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
