"""What model cards need of the world, as Protocols.

``mlops_framework.aws.model_cards`` implements them with boto3. An implementation raises what
:mod:`.errors` names, and ``ServiceRefused`` or one of its children for everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Card:
    """A model card as SageMaker keeps it.

    Attributes:
        name: Its name.
        arn: Its ARN.
        version: The newest, or the one that was asked for.
        status: ``Draft``, ``PendingReview``, ``Approved`` or ``Archived``.
        content: Decoded.
        kms_key_arn: Empty for AWS's own key.
        created_at: ISO 8601.
        modified_at: ISO 8601; empty if never.
        created_by: Empty where SageMaker does not say.
        modified_by: Likewise.
    """

    name: str
    arn: str
    version: int
    status: str
    content: Mapping[str, Any] = field(default_factory=dict)
    kms_key_arn: str = ""
    created_at: str = ""
    modified_at: str = ""
    created_by: str = ""
    modified_by: str = ""


@dataclass(frozen=True)
class CardEntry:
    """A card, or a version of one, in a list; ``version`` is 0 in lists of cards."""

    name: str
    arn: str
    status: str
    created_at: str
    modified_at: str = ""
    version: int = 0


@dataclass(frozen=True)
class CardPage:
    """Some entries, and where the next ones begin; empty at the end."""

    entries: tuple[CardEntry, ...]
    next_token: str = ""


@dataclass(frozen=True)
class Export:
    """An export job; ``status`` is ``InProgress``, ``Completed`` or ``Failed``."""

    name: str
    arn: str
    status: str
    version: int
    location: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """What SageMaker knows of a model."""

    arn: str
    artifacts: Sequence[str]
    images: Sequence[str]


@dataclass(frozen=True)
class TrainingFacts:
    """What SageMaker knows of a training job."""

    arn: str
    artifact: str
    datasets: Sequence[str]
    images: Sequence[str]
    metrics: Mapping[str, float]
    hyperparameters: Mapping[str, str]


class CardStore(Protocol):
    """SageMaker's model cards."""

    def create(
        self, name: str, *, content: str, status: str, key_arn: str, tags: Mapping[str, str]
    ) -> str:
        """Create a card and give back its ARN.

        Raises:
            CardExists: If the name is taken.
        """

    def change_content(self, name: str, content: str) -> None:
        """Write the whole content, as a new version.

        Raises:
            CardUnknown: If there is no such card.
            CardLocked: If it is archived.
        """

    def change_status(self, name: str, status: str) -> None:
        """Set the status, in the same version.

        Raises:
            CardUnknown: If there is no such card.
            CardLocked: If SageMaker is at work on it.
        """

    def describe(self, name: str, version: int | None = None) -> Card:
        """The card, in its newest version or the one asked for.

        Raises:
            CardUnknown: If there is none.
        """

    def delete(self, name: str) -> None:
        """Delete the card with all its versions.

        Raises:
            CardUnknown: If there is none.
            CardLocked: If an export of it runs.
        """

    def page(self, *, limit: int, token: str, name_contains: str, status: str) -> CardPage:
        """Up to ``limit`` cards, the newest first."""

    def versions(self, name: str, *, limit: int, token: str) -> CardPage:
        """Up to ``limit`` versions of a card, the newest first.

        Raises:
            CardUnknown: If there is no such card.
        """

    def export(self, name: str, *, version: int | None, job: str, location: str) -> str:
        """Start an export below an S3 location and give back the job's ARN.

        Raises:
            CardUnknown: If there is no such card.
        """

    def look_at_export(self, arn: str) -> Export:
        """An export as it is."""

    def exports(self, name: str) -> tuple[Export, ...]:
        """The exports of a card, the newest first."""


class Facts(Protocol):
    """SageMaker's own records of models and jobs."""

    def model(self, name: str) -> ModelFacts | None:
        """The model, or nothing."""

    def training_job(self, name: str) -> TrainingFacts | None:
        """The job, or nothing."""


class MetricFiles(Protocol):
    """Files of metrics in S3."""

    def read(self, uri: str) -> bytes:
        """One file.

        Raises:
            MetricFileUnreadable: If it is not there, too large, or not the platform's to read.
        """


@dataclass(frozen=True)
class CardPorts:
    """Everything that the use cases of model cards are given of the world."""

    cards: CardStore
    facts: Facts
    files: MetricFiles
    pause: Callable[[float], None]
