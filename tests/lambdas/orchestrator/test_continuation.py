"""The function that goes on with a request: as long as it may, and only with its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.orchestrator.continuation import RESERVE_SECONDS, go_on
from mlops_framework.orchestration.errors import PipelineBroken, ServiceUnavailable, TakenOver
from mlops_framework.orchestration.provisioning import Outcome, Provisioned
from mlops_framework.testing.events import FakeContext

EVENT = {"pipeline_id": "income-training", "revision": 3}


@dataclass
class Going:
    """The use case: what it was asked, and what it comes to."""

    comes_to: Exception | Provisioned
    asked: list[tuple[str, int, float]] = field(default_factory=list)

    def go_on(self, pipeline_id: str, revision: int, *, seconds: float) -> Provisioned:
        self.asked.append((pipeline_id, revision, seconds))
        if isinstance(self.comes_to, Exception):
            raise self.comes_to
        return self.comes_to


def run(going: Going, milliseconds: int = 900_000) -> dict[str, str]:
    context: Any = FakeContext(milliseconds=milliseconds)
    return go_on(EVENT, context, orchestrator=going)  # type: ignore[arg-type]


def test_it_waits_for_as_long_as_the_function_lives() -> None:
    going = Going(Provisioned("income-training", Outcome.UPDATED, "done"))

    assert run(going) == {"pipeline_id": "income-training", "outcome": "updated"}
    assert going.asked == [("income-training", 3, 900 - RESERVE_SECONDS)]


def test_with_no_time_left_it_only_hands_over() -> None:
    going = Going(Provisioned("income-training", Outcome.CONTINUES, "goes on"))

    assert run(going, milliseconds=1_000)["outcome"] == "continues"
    assert going.asked[0][2] == 0


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (TakenOver("another one went on"), "taken over"),
        (PipelineBroken("it is held", next_step="let go"), "broken"),
    ],
)
def test_what_another_try_would_find_too_is_no_failure_of_the_function(
    fault: Exception, outcome: str
) -> None:
    assert run(Going(fault))["outcome"] == outcome


def test_a_service_that_does_not_answer_is_a_failure_that_raises_the_alarm() -> None:
    with pytest.raises(ServiceUnavailable):
        run(Going(ServiceUnavailable("S3", "PutObject", "SlowDown", "later")))
