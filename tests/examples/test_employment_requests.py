from __future__ import annotations

import pytest

from mlops_framework.cli.request_file import expand, read_request
from mlops_framework.registry import Registry

from .conftest import EXAMPLE


@pytest.mark.parametrize(
    "kind", ["training", "realtime-endpoint", "batch-transform", "drift-monitor"]
)
def test_every_request_of_the_example_is_accepted_as_it_stands(kind: str) -> None:
    body = expand(read_request(EXAMPLE / "requests" / f"{kind}.json"), lambda key: f"the-{key}")

    request = Registry.discover().parse(body)

    assert request.pipeline_type == kind
    assert request.model_name == "employment"
