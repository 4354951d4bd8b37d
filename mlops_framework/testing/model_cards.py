"""The ports of model cards in memory, with the rules that SageMaker keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from mlops_framework.governance.errors import (
    CardExists,
    CardLocked,
    CardUnknown,
    MetricFileUnreadable,
)
from mlops_framework.governance.ports import (
    Card,
    CardEntry,
    CardPage,
    Export,
    ModelFacts,
    TrainingFacts,
)

_ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-card/"


class InMemoryCards:
    """The port ``CardStore``: every change of the content is a version of its own.

    Args:
        looks: How many looks an export takes.
    """

    def __init__(self, *, looks: int = 0) -> None:
        self.cards: dict[str, list[Card]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, Export] = {}
        self.looks = looks

    def create(
        self, name: str, *, content: str, status: str, key_arn: str, tags: Mapping[str, str]
    ) -> str:
        """See ``CardStore.create``."""
        if name in self.cards:
            raise CardExists(name)
        created = f"2026-01-01T00:00:{len(self.cards):02d}+00:00"
        card = Card(name, _ARN + name, 1, status, json.loads(content), key_arn, created)
        self.cards[name] = [card]
        self.tags[name] = dict(tags)
        return card.arn

    def change_content(self, name: str, content: str) -> None:
        """See ``CardStore.change_content``."""
        card = self.describe(name)
        if card.status == "Archived":
            raise CardLocked("Model Card is in Archived state")
        changed = replace(card, version=card.version + 1, content=json.loads(content))
        self.cards[name].append(changed)

    def change_status(self, name: str, status: str) -> None:
        """See ``CardStore.change_status``."""
        self.cards[name][-1] = replace(self.describe(name), status=status)

    def describe(self, name: str, version: int | None = None) -> Card:
        """See ``CardStore.describe``."""
        versions = self.cards.get(name, [])
        if not versions or (version is not None and version > len(versions)):
            raise CardUnknown(name, version)
        return versions[(version or len(versions)) - 1]

    def delete(self, name: str) -> None:
        """See ``CardStore.delete``."""
        self.describe(name)
        del self.cards[name]

    def page(self, *, limit: int, token: str, name_contains: str, status: str) -> CardPage:
        """See ``CardStore.page``."""
        newest = [versions[-1] for versions in reversed(self.cards.values())]
        found = [
            CardEntry(card.name, card.arn, card.status, card.created_at)
            for card in newest
            if name_contains in card.name and status in ("", card.status)
        ]
        return _page(found, limit, token)

    def versions(self, name: str, *, limit: int, token: str) -> CardPage:
        """See ``CardStore.versions``."""
        self.describe(name)
        found = [
            CardEntry(card.name, card.arn, card.status, card.created_at, version=card.version)
            for card in reversed(self.cards[name])
        ]
        return _page(found, limit, token)

    def export(self, name: str, *, version: int | None, job: str, location: str) -> str:
        """See ``CardStore.export``."""
        card = self.describe(name, version)
        arn = f"{card.arn}/export-job/{job}"
        self.jobs[arn] = Export(job, arn, "InProgress", card.version, f"{location}/{job}.pdf")
        self._left = self.looks
        return arn

    def look_at_export(self, arn: str) -> Export:
        """See ``CardStore.look_at_export``."""
        if self._left:
            self._left -= 1
            return replace(self.jobs[arn], location="")
        return replace(self.jobs[arn], status="Completed")

    def exports(self, name: str) -> tuple[Export, ...]:
        """See ``CardStore.exports``."""
        prefix = f"{_ARN}{name}/export-job/"
        return tuple(self.look_at_export(arn) for arn in self.jobs if arn.startswith(prefix))


class KnownFacts:
    """The port ``Facts``; what it is given is all that there is."""

    def __init__(self) -> None:
        self.models: dict[str, ModelFacts] = {}
        self.jobs: dict[str, TrainingFacts] = {}

    def model(self, name: str) -> ModelFacts | None:
        """See ``Facts.model``."""
        return self.models.get(name)

    def training_job(self, name: str) -> TrainingFacts | None:
        """See ``Facts.training_job``."""
        return self.jobs.get(name)


class KnownMetricFiles:
    """The port ``MetricFiles``, by URI."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, uri: str) -> bytes:
        """See ``MetricFiles.read``."""
        if uri not in self.files:
            raise MetricFileUnreadable(f"{uri} cannot be read (no such key).")
        return self.files[uri]


def _page(found: list[CardEntry], limit: int, token: str) -> CardPage:
    start = int(token or "0")
    end = start + limit
    return CardPage(tuple(found[start:end]), str(end) if end < len(found) else "")
