"""One snapshot per template, for the reviewer.

``pytest tests/stacks --snapshot-update`` renews them; the diff is what to look at.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.stacks.conftest import KINDS, PLATFORM, Synthesized

_HASH = re.compile(r"[0-9a-f]{64}")
_DEPLOYMENT = re.compile(r"(Deployment[0-9A-F]{8})[0-9a-f]{32}")
_WIDTH = 100
# Of kinds that are deployed in a way of their own; others are delivered as training is.
DELIVERIES = ("data-quality-monitor-delivery", "training-delivery")


class Reviewed(SingleFileSnapshotExtension):
    """A file of JSON text."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"


def normalised(template: Any) -> Any:
    """The template without what changes with every line of a function's code."""
    text = json.dumps(template, sort_keys=True)
    text = _HASH.sub("<hash>", text)
    return json.loads(_DEPLOYMENT.sub(r"\1", text))


def laid_out(value: Any, indent: int = 0, taken: int = 0) -> str:
    """JSON with sorted keys in which what fits into a line takes one.

    Args:
        value: What to write.
        indent: Spaces before the value's own line.
        taken: Characters before the value on its line.
    """
    flat = json.dumps(value, sort_keys=True)
    if not isinstance(value, dict | list) or indent + taken + len(flat) <= _WIDTH:
        return flat
    names = [f"{json.dumps(key)}: " for key in sorted(value)] if isinstance(value, dict) else []
    inner = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
    starts = names or [""] * len(inner)
    lines = [
        f"{' ' * (indent + 1)}{start}{laid_out(each, indent + 1, len(start))}"
        for start, each in zip(starts, inner, strict=True)
    ]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, ",\n".join(lines), " " * indent + closing])


@pytest.mark.parametrize("name", [*PLATFORM, *KINDS, *DELIVERIES])
def test_the_template_is_as_it_was_reviewed(
    dev: Synthesized, name: str, snapshot: SnapshotAssertion
) -> None:
    template = normalised(dev.templates[name])

    text = laid_out(template) + "\n"

    assert json.loads(text) == template
    assert text == snapshot(extension_class=Reviewed)
