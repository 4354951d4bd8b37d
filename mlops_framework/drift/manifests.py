"""Captures of batch transform: manifests that name what was read and written, and nothing else.

A job writes below its capture destination::

    input/yyyy/mm/dd/HH/<name>     [{"prefix": "s3://bucket/in/"}, "a.csv", "b.csv"]
    output/yyyy/mm/dd/HH/<name>    [{"prefix": "s3://bucket/out/"}, "a.csv.out", "b.csv.out"]

Nothing ties the two together but the names of the objects. Rows of an input object and of its
answer stand in the same order. With ``GenerateInferenceId`` each answer ends in an id and a time
(of CSV two fields, of JSON the members ``SageMakerInferenceId`` and ``SageMakerInferenceTime``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import DocumentInvalid

ANSWER: Final = ".out"
"""What batch transform appends to the name of an object that it answers."""
LARGEST: Final = 16 << 20
"""Bytes of a manifest; a hundred thousand names fit."""


@dataclass(frozen=True)
class Manifest:
    """What one manifest names.

    Attributes:
        prefix: Where the objects are.
        names: Their names below it.
    """

    prefix: S3Location
    names: tuple[str, ...]

    @classmethod
    def parse(cls, chunks: Iterable[bytes], source: str) -> Self:
        """Read a manifest.

        Raises:
            DocumentInvalid: If it is none.
        """
        text = bytearray()
        for chunk in chunks:
            text += chunk
            if len(text) > LARGEST:
                raise DocumentInvalid(f"{source} is larger than {LARGEST >> 20} MB: no manifest.")
        try:
            return cls.from_document(json.loads(text))
        except (ValueError, RecursionError):
            raise DocumentInvalid(
                f"{source} is no manifest of batch transform; accepted is "
                '[{"prefix": "s3://bucket/folder/"}, "name", ...].'
            ) from None

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """Read a decoded manifest.

        Raises:
            ValueError: If it is none.
        """
        if not isinstance(document, list) or not document or not isinstance(document[0], dict):
            raise ValueError(document)
        prefix, names = document[0].get("prefix"), document[1:]
        if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
            raise ValueError(document)
        bucket = S3Location.parse(prefix).bucket
        folder = prefix.removeprefix(f"s3://{bucket}/")
        return cls(S3Location(bucket, folder), tuple(names))

    def objects(self) -> Mapping[str, S3Location]:
        """Where the objects are, by name."""
        return {
            name: S3Location(self.prefix.bucket, f"{self.prefix.key}{name}") for name in self.names
        }


def answers_to(asked: Manifest, written: Sequence[Manifest]) -> Mapping[str, S3Location | None]:
    """The answer to each object of a manifest; ``None`` where there is none, or several are."""
    places: dict[str, set[S3Location]] = {name: set() for name in asked.names}
    for manifest in written:
        for name, place in manifest.objects().items():
            if (question := name.removesuffix(ANSWER)) in places and name.endswith(ANSWER):
                places[question].add(place)
    return {name: next(iter(found)) if len(found) == 1 else None for name, found in places.items()}


def belong_together(asked: Manifest, written: Manifest) -> bool:
    """Whether some object of the one is answered by an object of the other."""
    return not {f"{name}{ANSWER}" for name in asked.names}.isdisjoint(written.names)
