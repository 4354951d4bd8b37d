from __future__ import annotations

import pytest

from lambdas.orchestrator.teardown import remove
from mlops_framework.orchestration.teardown import Removal, Removed
from mlops_framework.testing.events import FakeContext


class OneRun:
    """A teardown that comes to what a test says."""

    def __init__(self, removal: Removal) -> None:
        self.removal = removal
        self.seconds = 0.0

    def run(self, pipeline_id: str, *, seconds: float) -> Removed:
        self.seconds = seconds
        return Removed(pipeline_id, self.removal, "said")


@pytest.mark.parametrize(
    ("removal", "starts"),
    [(Removal.CONTINUES, 1), (Removal.FINISHED, 0), (Removal.FAILED, 0)],
)
def test_only_what_is_not_finished_is_started_again(removal, starts) -> None:
    started: list[tuple[str, str]] = []
    context = FakeContext(function_name="teardown", milliseconds=900_000)

    remove(
        {"pipeline_id": "income-training"},
        context,
        teardown=OneRun(removal),
        start_again=lambda function, pipeline: started.append((function, pipeline)),
    )

    assert started == [(context.invoked_function_arn, "income-training")] * starts


def test_time_is_kept_back_to_start_the_next_run() -> None:
    teardown = OneRun(Removal.FINISHED)

    remove(
        {"pipeline_id": "income-training"},
        FakeContext(milliseconds=900_000),
        teardown=teardown,
        start_again=lambda *_: None,
    )

    assert teardown.seconds == 880
