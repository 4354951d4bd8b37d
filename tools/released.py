"""Holds the published contracts against their released form.

``docs/reference/released/`` has the API document and the events' schema of the last release,
without prose. What was released keeps holding: a request that was taken is taken and means the
same, an answer can be read as before. Everything else is a break, and somebody has to say so:

    python tools/released.py            # fails, and tells each break that nobody declared
    python tools/released.py --release  # at a release: what is published now is the released form

A break is declared in ``docs/reference/released/breaks.json``, with a version that may break and a
line in the changelog; CONTRIBUTING.md has the way.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlops_framework.contracts.compatibility import Break, api_breaks, schema_breaks
from mlops_framework.contracts.events import events_document
from mlops_framework.contracts.openapi import openapi_document
from mlops_framework.registry import Registry

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "reference" / "released"
BREAKS: Final = "breaks.json"
HEADING: Final = "### Breaking"
_PROSE: Final = ("title", "description", "summary")
_WAY_OUT: Final = (
    "Keep what was released: give a new field a default, keep an old one and mark it deprecated, "
    "widen a limit instead of moving it. If it has to break, or is shown to be none, declare it in "
    "docs/reference/released/breaks.json as CONTRIBUTING.md says under Contracts."
)


@dataclass(frozen=True)
class Published:
    """What clients and consumers read."""

    api: Mapping[str, Any]
    events: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Of the project, as the API document says it."""
        return str(self.api["info"]["version"])

    def breaks(self, current: Published) -> Iterator[Break]:
        """What another state breaks of this one."""
        yield from api_breaks(self.api, current.api)
        # Event by event: rules match the ones they know, and none of them sees a new one.
        events = _events(current.events)
        for name, event in _events(self.events).items():
            if name not in events:
                yield Break(f"event {name}", "the event was removed")
                continue
            for each in schema_breaks(event, events[name], role="sent"):
                yield Break(f"event {each.path}", each.said)


def _events(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """A schema for each event, by source and detail type."""
    return {
        f"{each['properties']['source']['const']} {each['properties']['detail-type']['const']}": {
            **document,
            "oneOf": [each],
        }
        for each in document["oneOf"]
    }


def published() -> Published:
    """The state of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    api = openapi_document(Registry.discover(), version=project["version"])
    return Published(*(json.loads(json.dumps(each)) for each in (api, events_document())))


def released(folder: Path = FOLDER) -> Published:
    """The state of the last release."""
    return Published(
        *(json.loads((folder / name).read_text("utf-8")) for name in ("api.json", "events.json"))
    )


def declared(folder: Path = FOLDER) -> list[Any]:
    """The breaks since the last release that somebody stands for."""
    found: list[Any] = json.loads((folder / BREAKS).read_text("utf-8"))
    return found


def complaints(old: Published, new: Published, listed: list[Any], changelog: str) -> Iterator[str]:
    """What has to be done before this state may be published; nothing if it may.

    Args:
        old: The released form.
        new: The form of this checkout.
        listed: Declared breaks: ``path`` and ``said`` as they are told here, ``why``, and either
            ``instead`` (what clients do now) or ``harmless`` (why it breaks nobody).
        changelog: Its text.
    """
    found = sorted(set(old.breaks(new)))
    known = {Break(each["path"], each["said"]): each for each in listed}
    for each in found:
        if each not in known:
            yield f"{each}\n    {_WAY_OUT}"
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0]
    breaking = unreleased.partition(HEADING)[2].partition("\n### ")[0]
    for each, entry in known.items():
        if each not in found:
            yield f"{each.path}: declared in {BREAKS}, and nothing of the kind breaks; remove it."
        elif entry.get("harmless"):
            continue
        elif not (entry.get("why") and entry.get("instead")):
            yield f"{each.path}: say in {BREAKS} why, and what clients do instead."
        elif not may_break(old.version, new.version):
            yield (
                f"{each.path}: a break needs a version that may break; {new.version} after "
                f"{old.version} may not. Raise it in pyproject.toml."
            )
        elif field_of(each.path) not in breaking:
            yield (
                f"{each.path}: name {field_of(each.path)} below '{HEADING}' of Unreleased in "
                "CHANGELOG.md."
            )


def may_break(old: str, new: str) -> bool:
    """Whether Semantic Versioning lets one version break what another released.

    Below 1.0.0 it is the middle number that says so.
    """
    before, now = ([int(part) for part in text.split(".")[:2]] for text in (old, new))
    return now[0] > before[0] or (before[0] == 0 and now > before)


def field_of(path: str) -> str:
    """What a path is about, as a reader of the changelog knows it."""
    return path.rpartition(" ")[2].rpartition(".")[2].removesuffix("[]") or path


def without_prose(node: Any) -> Any:
    """A document without what no comparison reads."""
    if isinstance(node, dict):
        return {
            name: without_prose(value)
            for name, value in node.items()
            if not (name in _PROSE and isinstance(value, str))
        }
    return [without_prose(each) for each in node] if isinstance(node, list) else node


def release(folder: Path = FOLDER) -> None:
    """Make this checkout's state the released one."""
    state = published()
    folder.mkdir(parents=True, exist_ok=True)
    api = {**state.api, "info": {"version": state.version}}
    for name, document in (("api.json", api), ("events.json", state.events)):
        text = json.dumps(without_prose(document), indent=1, sort_keys=True)
        (folder / name).write_text(text + "\n", "utf-8")
    (folder / BREAKS).write_text("[]\n", "utf-8")


def main() -> int:
    """Check, or release."""
    parser = argparse.ArgumentParser(description="Holds the contracts against their released form.")
    parser.add_argument("--release", action="store_true", help="make the present form the released")
    if parser.parse_args().release:
        release()
        return 0
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    said = list(complaints(released(), published(), declared(), changelog))
    print("\n".join(said), file=sys.stderr, end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
