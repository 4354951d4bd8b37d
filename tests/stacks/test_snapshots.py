"""One snapshot per template, for the reviewer.

``pytest tests/stacks --snapshot-update`` renews them; the diff is what to look at.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.stacks.conftest import KINDS, PLATFORM, Synthesized

_HASH = re.compile(r"[0-9a-f]{64}")
_DEPLOYMENT = re.compile(r"(Deployment[0-9A-F]{8})[0-9a-f]{32}")


def normalised(template: Any) -> Any:
    """The template without what changes with every line of a function's code."""
    text = json.dumps(template, sort_keys=True)
    text = _HASH.sub("<hash>", text)
    return json.loads(_DEPLOYMENT.sub(r"\1", text))


@pytest.mark.parametrize("name", [*PLATFORM, *KINDS, "training-delivery"])
def test_the_template_is_as_it_was_reviewed(
    dev: Synthesized, name: str, snapshot: SnapshotAssertion
) -> None:
    assert normalised(dev.templates[name]) == snapshot(extension_class=JSONSnapshotExtension)
