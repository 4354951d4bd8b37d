"""IAM is not enforced here, so whatever ran in this room is held against the roles it ran under."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.iam.calls import OPERATIONS
from tests.iam.check import Findings, check, read
from tests.iam.policies import matches

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
EXCUSED = {
    "mlops-local-Orchestrator-GitOpsRole*: s3:GetObject on */mlops-local-taken-dr/*": (
        "A CodePipeline that a test made by hand, under the name of one of ours: refusing is right."
    ),
}
"""What a role was not allowed and should not be, and why."""
NOT_CALLED = {
    "s3.AbortMultipartUpload": "no upload of several parts fails here",
    "codebuild.StartBuild": "the local AWS builds no images",
}
"""Operations that no run of this room calls, and why."""


@pytest.fixture(scope="module")
def found(record: Path) -> Findings:
    if not record.exists():
        pytest.fail("Nothing was recorded: run this together with the rest of tests/main_job.")
    return check(read(record))


def test_every_call_of_every_function_is_allowed_by_its_role(found: Findings) -> None:
    missing = [told for told in found.missing if not _excused(told)]

    assert list(found.wrong) == []
    assert missing == []
    assert sum(found.operations.values()) > 0


def test_every_operation_that_functions_use_was_seen(
    found: Findings, request: pytest.FixtureRequest
) -> None:
    ran = {item.path for item in request.session.items}
    if not ran >= set(HERE.glob("test_life_cycle_*.py")):
        pytest.skip("only a part of this room runs")

    assert sorted(set(OPERATIONS) - set(found.operations) - set(NOT_CALLED)) == []


def _excused(told: str) -> bool:
    return any(matches(f"{pattern} *", told) for pattern in EXCUSED)
