"""Use case: count what a batch job read and wrote, which its capture manifests name.

Both manifests of a job are written at its end, and their events come in any order. Whichever comes,
the manifest of what was read is counted, with the answers that are known by then, under a name that
depends on these and not on the event; so what the second event counts takes the place of what the
first one did, as a later version of an object does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mlops_framework.drift.batch_rows import records
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import ObjectMissing
from mlops_framework.drift.manifests import Manifest, answers_to, belong_together
from mlops_framework.drift.objects import ManifestKey, ObjectVersion
from mlops_framework.drift.ports import Sources, Store
from mlops_framework.drift.windows import instant

Answers = Mapping[str, S3Location | None]


@dataclass(frozen=True)
class BatchJob:
    """What one manifest of a job read, and the answers to it.

    Attributes:
        source: The manifest, which a job writes once; its version stands for the known answers.
        asked: What it names.
        answers: Where the answer to each object is, as far as it is known.
    """

    source: ObjectVersion
    asked: Manifest
    answers: Answers


def job_of(manifest: ObjectVersion) -> ObjectVersion:
    """What a job's rows are counted under, while it has no answers: its manifest alone."""
    return ObjectVersion(manifest.bucket, manifest.key)


def _version_of(manifest: ObjectVersion, answers: Answers, written: int) -> ObjectVersion:
    """What a job's rows are counted under: a version of its manifest for each set of answers.

    So answers that come later take the place of what was counted without them, and re-open its
    window; the manifests of what was written only become more.
    """
    found = sorted(f"{name}\n{place}" for name, place in answers.items() if place is not None)
    version = hashlib.sha256("\n".join(found).encode()).hexdigest()[:32] if found else ""
    return replace(job_of(manifest), version=version, sequencer=f"{written:08X}")


@dataclass(frozen=True, kw_only=True)
class BatchJobs:
    """Batch jobs by their manifests; the ports are those of the service."""

    sources: Sources
    store: Store

    def of(self, source: ObjectVersion, key: ManifestKey) -> list[BatchJob]:
        """The jobs that a manifest, of either side, belongs to.

        Raises:
            DocumentInvalid: If it is no manifest.
            ObjectMissing: If it is gone.
        """
        if key.side == "input":
            return [self.again(job_of(source))]
        written = self._manifest(source.bucket, source.key)
        asked = (
            ObjectVersion(source.bucket, found)
            for folder in key.folders("input")
            for found in self.store.keys(source.bucket, folder)
        )
        return [
            self.again(one)
            for one in asked
            if belong_together(self._manifest(one.bucket, one.key), written)
        ]

    def again(self, source: ObjectVersion) -> BatchJob:
        """The job of a manifest of what was read, as it is known now."""
        asked = self._manifest(source.bucket, source.key)
        key = ManifestKey.parse(source.key)
        written = [
            self._manifest(source.bucket, found)
            for folder in (key.folders("output") if key else ())
            for found in self.store.keys(source.bucket, folder)
        ]
        answers = answers_to(asked, written)
        return BatchJob(_version_of(source, answers, len(written)), asked, answers)

    def chunks(self, job: BatchJob, key: ManifestKey, columns: tuple[str, ...]) -> Iterator[bytes]:
        """The job's rows as capture records.

        Raises:
            ObjectMissing: If an object that was read is gone.
        """
        for name, place in job.asked.objects().items():
            answer = self._if_there(job.answers[name])
            yield from records(
                lambda place=place: self._text(place),  # type: ignore[misc]
                None if answer is None else (lambda answer=answer: self._text(answer)),  # type: ignore[misc]
                columns=columns,
                time=instant(key.time),
            )

    def _manifest(self, bucket: str, key: str) -> Manifest:
        source = ObjectVersion(bucket, key)
        return Manifest.parse(self.sources.captured(source), str(source))

    def _text(self, place: S3Location) -> Iterator[bytes]:
        return self.sources.captured(ObjectVersion(place.bucket, place.key))

    def _if_there(self, place: S3Location | None) -> S3Location | None:
        """An answer that can be read; a job that failed names some that it never wrote."""
        try:
            return None if place is None or next(self._text(place), None) is None else place
        except ObjectMissing:
            return None
