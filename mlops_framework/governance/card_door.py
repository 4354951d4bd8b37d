"""The predecessor's six requests about model cards, answered at once and as it did.

They come to ``POST /provisionpipeline`` with a ``pipeline_type`` of their own and make no pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import closest, shown
from mlops_framework.contracts.model_cards.requests import READ_ONLY
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.governance.cards import PAGE_LIMIT, ModelCards, card_name
from mlops_framework.governance.ports import Card, CardEntry

_CARDS_AT_ONCE: Final = 1000
"""Cards that a list without a limit answers; more are behind its NextToken."""


def answer_card_request(kind: str, body: Mapping[str, Any], cards: ModelCards) -> dict[str, Any]:
    """Do what a body asks of model cards.

    Args:
        kind: Which of the six it is, as ``orchestration.predecessor.card_request`` tells.
        body: As it was sent.
        cards: The use cases.

    Returns:
        ``message`` as the predecessor answered it: a sentence, or SageMaker's own answer.

    Raises:
        RequestInvalid: With every fault of the body.
        CardUnknown: If there is no such card.
        CardExists: If a new one has the name of another.
        CardLocked: If it takes no change.
    """
    given = {name: value for name, value in body.items() if name != "pipeline_type"}
    return _ANSWERS[kind](given, cards)


def _create(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    plain, notes = _without_read_only(given)
    return _done(cards.create(plain).model_dump(), notes)


def _update(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    plain, notes = _without_read_only(given)
    name = card_name(plain.pop("name", None))
    return _done(cards.change(name, plain).model_dump(), notes)


def _describe(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    _refuse_others(given, "name", "model_card_version", "version")
    version = _version(given.get("model_card_version", given.get("version")))
    return {"message": sagemaker_answer(cards.find(card_name(given.get("name")), version))}


def _delete(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    _refuse_others(given, "name")
    return _done(cards.delete(card_name(given.get("name"))).model_dump(), ())


def _export(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    plain = dict(given)
    name = card_name(plain.pop("name", None))
    return cards.export(name, plain).model_dump()


def _list(given: dict[str, Any], cards: ModelCards) -> dict[str, Any]:
    _refuse_others(given, "limit", "next_token")
    token = str(given.get("next_token") or "")
    wanted = _limit(given.get("limit"))
    found: list[CardEntry] = []
    while True:
        page = cards.entries(limit=min(wanted - len(found), PAGE_LIMIT), token=token)
        found += page.entries
        token = page.next_token
        if not token or len(found) >= wanted:
            break
    summaries = [_summary(entry) for entry in found]
    more = {"NextToken": token} if token else {}
    return {"message": {"ModelCardSummaries": summaries, **more}}


def sagemaker_answer(card: Card) -> dict[str, Any]:
    """A card in the words of SageMaker's DescribeModelCard, which the predecessor passed on."""
    return {
        "ModelCardArn": card.arn,
        "ModelCardName": card.name,
        "ModelCardVersion": card.version,
        "Content": dict(card.content),
        "ModelCardStatus": card.status,
        "CreationTime": card.created_at,
        "CreatedBy": {"UserProfileName": card.created_by} if card.created_by else {},
        **({"LastModifiedTime": card.modified_at} if card.modified_at else {}),
        **({"SecurityConfig": {"KmsKeyId": card.kms_key_arn}} if card.kms_key_arn else {}),
    }


def _summary(entry: CardEntry) -> dict[str, Any]:
    return {
        "ModelCardName": entry.name,
        "ModelCardArn": entry.arn,
        "ModelCardStatus": entry.status,
        "CreationTime": entry.created_at,
        **({"LastModifiedTime": entry.modified_at} if entry.modified_at else {}),
    }


def _without_read_only(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    plain = {name: value for name, value in given.items() if name not in READ_ONLY}
    dropped = sorted(given.keys() - plain.keys())
    return plain, tuple(f"{name} is set by SageMaker and was left out" for name in dropped)


def _done(document: dict[str, Any], notes: tuple[str, ...]) -> dict[str, Any]:
    return {**document, "notes": list(notes)}


def _refuse_others(given: Mapping[str, Any], *known: str) -> None:
    faults = [
        Fault(
            name,
            f"There is no field {name!r} here.{_hint(name, known)}",
            f"one of {', '.join(known)}",
            shown(value),
        )
        for name, value in given.items()
        if name not in known
    ]
    if faults:
        raise RequestInvalid(faults)


def _hint(name: str, known: tuple[str, ...]) -> str:
    near = closest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def _version(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    accepted = "a whole number, at least 1"
    said = f"Not a version of a model card: {shown(given)}. Give {accepted}."
    raise RequestInvalid([Fault("model_card_version", said, accepted, shown(given))])


def _limit(given: Any) -> int:
    if given is None:
        return _CARDS_AT_ONCE
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= _CARDS_AT_ONCE:
        return given
    accepted = f"a whole number from 1 to {_CARDS_AT_ONCE}"
    said = f"Not a number of model cards: {shown(given)}. Give {accepted}."
    raise RequestInvalid([Fault("limit", said, accepted, shown(given))])


_ANSWERS: Final[Mapping[str, Callable[[dict[str, Any], ModelCards], dict[str, Any]]]] = {
    "create_model_card": _create,
    "update_model_card": _update,
    "describe_model_card": _describe,
    "delete_model_card": _delete,
    "export_model_card": _export,
    "list_model_cards": _list,
}
