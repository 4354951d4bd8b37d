"""Captured objects: which they are, whose they are, and the profiles stored of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Self

from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.windows import Window, instant, moment

STORED_KIND: Final = "mlops-drift-stored-profile"
STORED_VERSION: Final = 1
PLACE_DIGITS: Final = 20
"""So many digits of a digest are those of the object, the others those of the version."""
_SEQUENCER_DIGITS: Final = 64
_CAPTURE_KEY: Final = re.compile(
    r"(?:.*/)?(?P<endpoint>[^/]+)/(?P<variant>[^/]+)"
    r"/(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/(?P<minute>\d{2})-(?P<second>\d{2})"
    r"[^/]*?(?:\.share=(?P<share>\d{1,3}))?(?:\.model=(?P<model>[^/]+))?\.jsonl"
)
_MANIFEST_KEY: Final = re.compile(
    r"(?P<root>(?:.*/)?(?P<endpoint>[^/]+))/(?P<side>input|output)"
    r"/(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/[^/]+"
)

Side = Literal["input", "output"]


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        version: S3's version id, or the ETag where the bucket keeps no versions.
        sequencer: S3's hexadecimal sequencer; a later write of the same key has a larger one.
    """

    bucket: str
    key: str
    version: str = ""
    sequencer: str = ""

    @property
    def digest(self) -> str:
        """Name of this version's profile, the same however often its event is delivered.

        Its first half is the same for all versions of the object, so that a sorted list of names
        has them side by side.
        """
        place = hashlib.sha256("\n".join((self.bucket, self.key)).encode()).hexdigest()
        version = hashlib.sha256(self.version.encode()).hexdigest()
        return place[:PLACE_DIGITS] + version[:PLACE_DIGITS]

    def __str__(self) -> str:
        """For messages."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class CaptureKey:
    """What the key of a capture object says: SageMaker's layout, and what our API adds to it.

    Attributes:
        endpoint: The endpoint.
        variant: The production variant.
        time: Moment of the object's first invocation, UTC.
        model: The model of a multi-model endpoint that answered, as calls name it; empty where the
            key names none, which SageMaker's own never do.
        share: Calls that our API captured then, percent; ``None`` where the key does not say.
    """

    endpoint: str
    variant: str
    time: datetime
    model: str = ""
    share: int | None = None

    def is_of(self, variant: str, model: str) -> bool:
        """Whether this is a capture of a variant and of a model; empty for any."""
        return variant in ("", self.variant) and model in ("", self.model)

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read ``<prefix>/<endpoint>/<variant>/yyyy/mm/dd/HH/MM-SS-mmm-<uuid>.jsonl``.

        Before ``.jsonl`` may stand ``.share=<percent>``, and behind that ``.model=<name>``, with
        ``!`` for the slashes in the name.

        Returns:
            ``None`` if the key is not of that form.
        """
        match = _CAPTURE_KEY.fullmatch(key)
        if match is None:
            return None
        time = _time(f"{match['hour']}/{match['minute']}/{match['second']}")
        model = (match["model"] or "").replace("!", "/")
        share = int(match["share"]) if match["share"] else None
        if time is None:
            return None
        return cls(match["endpoint"], match["variant"], time, model, share)


@dataclass(frozen=True)
class ManifestKey:
    """What the key of a batch job's capture manifest says (SageMaker's layout).

    Attributes:
        endpoint: The last folder of the capture destination: the monitor.
        root: The capture destination's key.
        side: Whether it names what was read, or what was written.
        time: Hour of the job, UTC.
    """

    endpoint: str
    root: str
    side: Side
    time: datetime

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read ``<prefix>/<name>/input|output/yyyy/mm/dd/HH/<any>``.

        Returns:
            ``None`` if the key is not of that form, or is an endpoint's capture.
        """
        match = _MANIFEST_KEY.fullmatch(key)
        if match is None or _CAPTURE_KEY.fullmatch(key):
            return None
        time = _time(f"{match['hour']}/00/00")
        side: Side = "input" if match["side"] == "input" else "output"
        return None if time is None else cls(match["endpoint"], match["root"], side, time)

    def folders(self, side: Side) -> tuple[str, ...]:
        """Where the manifests of one side that belong to this one may be.

        That is its hour, and those next to it, where a job ends as the hour does.
        """
        hours = (self.time + timedelta(hours=step) for step in (-1, 0, 1))
        return tuple(f"{self.root}/{side}/{hour:%Y/%m/%d/%H}/" for hour in hours)


def monitor_of(key: str) -> str:
    """The monitor that the key of a capture names; empty if it is no capture's."""
    found = CaptureKey.parse(key) or ManifestKey.parse(key)
    return found.endpoint if found else ""


def newest_share(captured: Iterable[ObjectVersion]) -> int | None:
    """The share of the calls that our API captured last, percent; ``None`` where no key says it."""
    keys = (each.key for each in captured if ".share=" in each.key)
    # From the hour's folders on a key is in order of time; before them stands the variant. Parsing
    # one is enough: a call is an object, so there may be very many.
    last = max(keys, key=lambda key: key.split("/")[-5:], default="")
    found = CaptureKey.parse(last)
    return found.share if found else None


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y/%m/%d/%H/%M/%S").replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True)
class StoredProfile:
    """The profile of one object version's records in one window."""

    source: ObjectVersion
    window: Window
    profile: Profile

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": STORED_KIND,
            "version": STORED_VERSION,
            "source": {
                "bucket": self.source.bucket,
                "key": self.source.key,
                "version": self.source.version,
                "sequencer": self.source.sequencer,
            },
            "window": {"start": instant(self.window.start), "end": instant(self.window.end)},
            "profile": self.profile.to_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, STORED_KIND, STORED_VERSION, source)
        with member(source):
            window = document["window"]
            return cls(
                ObjectVersion(**document["source"]),
                Window(moment(window["start"]), moment(window["end"])),
                Profile.from_document(document["profile"], source),
            )


def count_objects(keys: Iterable[str]) -> int:
    """How many captured objects profiles are of, by their keys: versions of one are one object."""
    return len({key.rpartition("/")[2][:PLACE_DIGITS] for key in keys})


def latest_versions(profiles: Iterable[StoredProfile]) -> tuple[StoredProfile, ...]:
    """Of each object the last version written, so that an overwritten object counts once."""
    latest: dict[tuple[str, str], StoredProfile] = {}
    for stored in profiles:
        place = (stored.source.bucket, stored.source.key)
        known = latest.get(place)
        if known is None or _written_after(stored, known):
            latest[place] = stored
    return tuple(latest[place] for place in sorted(latest))


def sequenced_after(sequencers: Iterable[str]) -> str:
    """A sequencer behind those of some versions, and before that of any later write.

    S3's are at most 64 digits and differ in these, so that digits beyond only part what has the
    same ones.
    """
    latest = max((each.ljust(_SEQUENCER_DIGITS, "0") for each in sequencers), default="")
    return f"{latest.ljust(_SEQUENCER_DIGITS, '0')}1"


def _written_after(one: StoredProfile, other: StoredProfile) -> bool:
    """S3 compares sequencers as text, the shorter one padded on the right with zeros."""
    width = max(len(one.source.sequencer), len(other.source.sequencer))
    first, second = (s.source.sequencer.ljust(width, "0") for s in (one, other))
    return (first, one.source.version) > (second, other.source.version)
