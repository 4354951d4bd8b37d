"""The use cases of model cards, one method each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from mlops_framework.contracts.faults import faults_of, shown
from mlops_framework.contracts.model_cards.answers import (
    CardAnswer,
    CardDone,
    CardExportAnswer,
    CardExportList,
    CardList,
    CardSummary,
)
from mlops_framework.contracts.model_cards.content import CONTENT_LIMIT, CardPart
from mlops_framework.contracts.model_cards.requests import (
    NAME_PATTERN,
    CardChange,
    CardCreation,
    CardExport,
    CardSections,
    given_sections,
)
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.governance.card_discovery import Discovery
from mlops_framework.governance.errors import CardLocked
from mlops_framework.governance.ports import Card, CardEntry, CardPage, CardPorts, Export

Part = TypeVar("Part", bound=CardPart)
PAGE_LIMIT: Final = 100
EXPORTS_FOLDER: Final = "model_card_exports"
"""Prefix in the data bucket; the predecessor's own word."""
_STATUSES: Final = ("Draft", "PendingReview", "Approved", "Archived")
_EXPORT_LOOKS: Final = 16
_EXPORT_PAUSE: Final = 1.0


class ModelCards:
    """Create, change, show, list, export and delete model cards.

    Args:
        ports: The world.
        bucket: Data bucket that exports go to.
        key_arn: Key that cards are encrypted with unless a request names another.
        tags: Tags of every card.
    """

    def __init__(
        self, ports: CardPorts, *, bucket: str, key_arn: str, tags: Mapping[str, str]
    ) -> None:
        self._ports = ports
        self._bucket = bucket
        self._key_arn = key_arn
        self._tags = dict(tags)

    def create(self, body: Any) -> CardDone:
        """Create a card; what it names in SageMaker is looked up and filled in.

        Raises:
            RequestInvalid: With every fault of the body.
            CardExists: If there is one of that name.
        """
        request = read(body, CardCreation)
        content = self._content(request, {})
        status = request.status or "Draft"
        arn = self._ports.cards.create(
            request.name,
            content=content,
            status=status,
            key_arn=request.kms_key_arn or self._key_arn,
            tags=self._tags,
        )
        return CardDone(
            message=f"Model card {request.name} is created, version 1, {status}.",
            name=request.name,
            arn=arn,
        )

    def change(self, name: str, body: Any) -> CardDone:
        """Replace the sections that the body gives, and set the status that it gives.

        SageMaker takes content and status in two calls: a new version is written first, so that
        the status is that of what was asked for.

        Raises:
            RequestInvalid: With every fault of the body.
            CardUnknown: If there is no such card.
            CardLocked: If it is archived.
        """
        name = card_name(name)
        request = read(body, CardChange)
        sections = tuple(given_sections(request))
        if not sections and request.status is None:
            accepted = ", ".join(CardSections.model_fields)
            said = f"Nothing to change: give at least one of {accepted}."
            raise RequestInvalid([Fault("", said, accepted, "nothing")])
        card = self._ports.cards.describe(name)
        if sections and card.status == "Archived":
            raise CardLocked(
                f"Model card {name} is archived: its content stays as it is. Give it another "
                "status first, in a request of its own, or make a new card."
            )
        if sections:
            self._ports.cards.change_content(name, self._content(request, card.content))
        if request.status is not None:
            self._ports.cards.change_status(name, request.status)
        now = self._ports.cards.describe(name)
        what = f"{', '.join(sections)} replaced" if sections else "content as before"
        return CardDone(
            message=f"Model card {name} is changed: {what}, version {now.version}, {now.status}.",
            name=name,
            arn=now.arn,
        )

    def show(self, name: str, version: int | None = None) -> CardAnswer:
        """A whole card.

        Raises:
            CardUnknown: If there is none.
        """
        return card_answer(self._ports.cards.describe(card_name(name), version))

    def find(self, name: str, version: int | None = None) -> Card:
        """A card as SageMaker keeps it; for answers in the predecessor's form.

        Raises:
            CardUnknown: If there is none.
        """
        return self._ports.cards.describe(card_name(name), version)

    def delete(self, name: str) -> CardDone:
        """Delete a card with all its versions; exported files stay.

        Raises:
            CardUnknown: If there is none.
        """
        name = card_name(name)
        card = self._ports.cards.describe(name)
        self._ports.cards.delete(name)
        return CardDone(
            message=f"Model card {name} is deleted with all its versions; exported files stay.",
            name=name,
            arn=card.arn,
        )

    def page(
        self,
        *,
        limit: int = PAGE_LIMIT,
        token: str = "",
        name_contains: str = "",
        status: str = "",
    ) -> CardList:
        """A page of cards, the newest first.

        Raises:
            RequestInvalid: If a filter is not one.
        """
        return card_list(
            self._ports.cards.page(
                limit=limit,
                token=token,
                name_contains=card_name(name_contains, "name_contains") if name_contains else "",
                status=_status(status),
            )
        )

    def entries(self, *, limit: int, token: str = "") -> CardPage:
        """Like :meth:`page`, for answers in the predecessor's form."""
        return self._ports.cards.page(limit=limit, token=token, name_contains="", status="")

    def versions(self, name: str, *, limit: int = PAGE_LIMIT, token: str = "") -> CardList:
        """A page of the versions of a card, the newest first.

        Raises:
            CardUnknown: If there is no such card.
        """
        return card_list(self._ports.cards.versions(card_name(name), limit=limit, token=token))

    def export(self, name: str, body: Any) -> CardExportAnswer:
        """Export a card to a PDF; waits a while, since SageMaker takes some seconds.

        Raises:
            RequestInvalid: With every fault of the body.
            CardUnknown: If there is no such card.
        """
        name = card_name(name)
        request = read(body, CardExport)
        card = self._ports.cards.describe(name, request.model_card_version)
        job = request.export_job_name or f"{name[:50].rstrip('-')}-v{card.version}"
        arn = self._ports.cards.export(
            name,
            version=request.model_card_version,
            job=job,
            location=f"s3://{self._bucket}/{EXPORTS_FOLDER}/{name}",
        )
        export = self._ports.cards.look_at_export(arn)
        for _ in range(_EXPORT_LOOKS):
            if export.status != "InProgress":
                break
            self._ports.pause(_EXPORT_PAUSE)
            export = self._ports.cards.look_at_export(arn)
        return export_answer(name, export)

    def exports(self, name: str) -> CardExportList:
        """The exports of a card, the newest first."""
        name = card_name(name)
        found = self._ports.cards.exports(name)
        return CardExportList(exports=tuple(export_answer(name, one) for one in found))

    def _content(self, request: CardSections, before: Mapping[str, Any]) -> str:
        discovery = Discovery(self._ports)
        content = {**before, **discovery.sections(request)}
        if discovery.faults:
            raise RequestInvalid(discovery.faults)
        # One line: SageMaker's pattern for the content takes no line break.
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
        if len(text) > CONTENT_LIMIT:
            accepted = f"at most {CONTENT_LIMIT} characters as JSON"
            said = (
                f"The card holds {len(text)} characters as JSON; SageMaker takes {CONTENT_LIMIT}. "
                "Leave metric groups out, or keep details in a file and name its location."
            )
            raise RequestInvalid([Fault("", said, accepted, f"{len(text)} characters")])
        return text


def read(body: Any, contract: type[Part]) -> Part:
    """The validated request in a body.

    Raises:
        RequestInvalid: With every fault.
    """
    try:
        return contract.model_validate(body)
    except ValidationError as error:
        raise RequestInvalid(faults_of(error, contract)) from None


def card_name(given: Any, path: str = "name") -> str:
    """A card's name.

    Raises:
        RequestInvalid: If it can be none.
    """
    if isinstance(given, str) and re.fullmatch(NAME_PATTERN, given):
        return given
    accepted = "1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit"
    found = "nothing" if given is None else shown(given)
    said = f"Not a model card's name: {found}. Give {accepted}."
    raise RequestInvalid([Fault(path, said, accepted, found)])


def card_answer(card: Card) -> CardAnswer:
    """A card as the API answers it."""
    return CardAnswer(
        name=card.name,
        arn=card.arn,
        status=_known(card.status),
        version=card.version,
        created_at=card.created_at,
        modified_at=card.modified_at,
        content=dict(card.content),
        kms_key_arn=card.kms_key_arn,
        created_by=card.created_by,
        modified_by=card.modified_by,
    )


def card_list(page: CardPage) -> CardList:
    """A page as the API answers it."""
    return CardList(
        model_cards=tuple(_summary(entry) for entry in page.entries), next_token=page.next_token
    )


def export_answer(name: str, export: Export) -> CardExportAnswer:
    """An export as the API answers it."""
    said = {
        "Completed": f"Model card {name}, version {export.version}, is at {export.location}.",
        "Failed": f"The export of model card {name} failed: {export.reason or 'no reason given'}.",
    }.get(
        export.status,
        f"Model card {name} is being exported; GET /model-cards/{name}/exports says when it is "
        "there.",
    )
    return CardExportAnswer(
        message=said,
        export_job_name=export.name,
        export_job_arn=export.arn,
        status=export.status,
        version=export.version,
        location=export.location,
        reason=export.reason,
    )


def _summary(entry: CardEntry) -> CardSummary:
    return CardSummary(
        name=entry.name,
        arn=entry.arn,
        status=_known(entry.status),
        version=entry.version or None,
        created_at=entry.created_at,
        modified_at=entry.modified_at,
    )


def _known(status: str) -> Any:
    return status  # Of SageMaker's four; the answer's model says so.


def _status(given: str) -> str:
    for status in _STATUSES:
        if given.lower() == status.lower():
            return status
    if not given:
        return ""
    accepted = f"one of {', '.join(_STATUSES)}"
    raise RequestInvalid([Fault("status", f"Not a status: {given}.", accepted, shown(given))])
