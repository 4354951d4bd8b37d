"""From a body of the AWS MLOps Framework 2.x to one of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from mlops_framework.contracts.faults import closest
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.orchestration.predecessor.draft import Draft, Setting
from mlops_framework.orchestration.predecessor.fields import OldType, translate_field
from mlops_framework.orchestration.predecessor.image_builder import IMAGE_BUILDER
from mlops_framework.orchestration.predecessor.model_building import MODEL_BUILDING
from mlops_framework.orchestration.predecessor.monitors import MONITORS
from mlops_framework.orchestration.predecessor.serving import SERVING

TYPES: Final[Mapping[str, OldType]] = {**SERVING, **MONITORS, **IMAGE_BUILDER, **MODEL_BUILDING}
"""The twelve types that make a pipeline, by their names."""

CARD_TYPES: Final = (
    "create_model_card",
    "update_model_card",
    "describe_model_card",
    "delete_model_card",
    "export_model_card",
    "list_model_cards",
)
"""The six that are answered at once."""


@dataclass(frozen=True)
class Translation:
    """A body of ours, and the way back to theirs.

    Attributes:
        body: For our registry; incomplete where a field of theirs could not be read.
        notes: What is carried out in another way than it was asked.
    """

    body: Mapping[str, Any]
    notes: tuple[str, ...]
    _draft: Draft

    @property
    def renamed(self) -> Mapping[str, str]:
        """Fields of ours by those of theirs that have another name."""
        return self._draft.renamed()

    @contextmanager
    def in_their_words(self) -> Iterator[None]:
        """Where our contract judges the body: what it finds is told with their fields.

        Raises:
            RequestInvalid: With the faults of both sides at once.
        """
        try:
            yield
        except RequestInvalid as refused:
            told = [*self._draft.faults, *self._draft.in_their_words(refused.faults)]
            raise RequestInvalid(_once(told)) from None
        if self._draft.faults:
            raise RequestInvalid(_once(self._draft.faults))


def type_in(body: Any) -> str | None:
    """The ``pipeline_type`` of a body as the predecessor's are written, whatever its case."""
    named = body.get("pipeline_type") if isinstance(body, dict) else None
    return named.strip().lower() if isinstance(named, str) else None


def speaks(body: Any) -> bool:
    """Tells whether a body is one of the predecessor's that make a pipeline."""
    return type_in(body) in TYPES


def card_request(body: Any) -> str | None:
    """Which of the six types of model cards a body is, or none."""
    named = type_in(body)
    return named if named in CARD_TYPES else None


def translate(body: Mapping[str, Any], setting: Setting) -> Translation:
    """Translate a body for which :func:`speaks` is true.

    Never raises: what is wrong is told by :meth:`Translation.in_their_words`, together with what
    our contract has to say of the rest.

    Args:
        body: Decoded JSON.
        setting: Where it is sent.
    """
    type_name = str(type_in(body))
    old = TYPES[type_name]
    draft = Draft(setting, type_name, {}, body={"pipeline_type": old.kind})
    draft.given = _spelt(draft, old, body)
    for name, each in old.fields.items():
        if each.to:
            draft.came_from(each.to, draft.spelt(name))
        translate_field(draft, name, each)
    old.finish(draft)
    return Translation(draft.body, tuple(draft.notes), draft)


@dataclass(frozen=True)
class Understood:
    """A body for our registry.

    Attributes:
        body: Ours; as it was sent if it was ours already.
        notes: What of a translated body is carried out in another way than it was asked.
        renamed: Fields of ours by those of a translated body that have another name.
    """

    body: Any
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def understood(body: Any, setting: Setting) -> Iterator[Understood]:
    """A body in our form, whoever wrote it; what is found wrong with it inside is told in its own.

    Args:
        body: Decoded JSON.
        setting: Where it is sent.

    Raises:
        RequestInvalid: With every fault of a translated body.
    """
    if not speaks(body):
        yield Understood(body)
        return
    translation = translate(body, setting)
    with translation.in_their_words():
        yield Understood(translation.body, translation.notes, translation.renamed)


def _spelt(draft: Draft, old: OldType, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the predecessor's own spelling; unknown and doubled keys are faults."""
    spellings = {name: name for name in old.fields}
    spellings |= {other: name for name, each in old.fields.items() for other in each.also}
    given: dict[str, Any] = {}
    for key, value in body.items():
        if key == "pipeline_type":
            continue
        name = spellings.get(key)
        if name is None:
            _unknown(draft, str(key), value, spellings)
        elif name in given:
            draft.wrong(
                key, f"Stands for {draft.spelt(name)}, which is given too.", "one of the two", value
            )
        else:
            given[name] = value
            draft.take(name, key)
    return given


def _unknown(draft: Draft, key: str, value: Any, known: Iterable[str]) -> None:
    elsewhere = [name for name, old in TYPES.items() if key in old.fields]
    nearest = None if elsewhere else closest(key, known)
    hint = f" Did you mean {nearest!r}?" if nearest else ""
    if elsewhere:
        hint = f" It belongs to {', '.join(elsewhere[:3])}; leave it out."
    draft.wrong(
        key,
        f"{draft.type_name} has no field {key!r}.{hint}",
        f"one of {', '.join(sorted(known))}",
        value,
    )


def _once(faults: Iterable[Fault]) -> list[Fault]:
    return list(dict.fromkeys(faults))
