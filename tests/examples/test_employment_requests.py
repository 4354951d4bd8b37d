from __future__ import annotations

import json

import pytest

from mlops_framework.registry import Registry

from .conftest import EXAMPLE


@pytest.mark.parametrize("kind", ["training", "realtime-endpoint", "drift-monitor"])
def test_every_request_of_the_example_is_accepted_as_it_stands(kind: str) -> None:
    body = json.loads((EXAMPLE / "requests" / f"{kind}.json").read_text())

    request = Registry.discover().parse(body)

    assert request.pipeline_type == kind
    assert request.model_name == "employment"
