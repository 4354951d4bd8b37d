"""IAM is not enforced here, so whatever ran in this room is held against the roles it ran under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.iam.account import Account, Resource
from tests.iam.calls import OPERATIONS
from tests.iam.check import Example, Findings, check, read
from tests.iam.policies import matches

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
EXCUSED = {
    "mlops-local-Orchestrator-GitOpsRole*: s3:GetObject on */mlops-local-taken-dr/*": (
        "A CodePipeline that a test made by hand, under the name of one of ours: refusing is right."
    ),
    "mlops-local-deploy-drift-monitor: *mend-by-hand*": (
        "Resources that a test put into a stack by hand, to find it broken."
    ),
    "mlops-local-deploy-drift-monitor: iam:PassRole on *:role/mlops/mlops-local-execution *": (
        "The role of one of those resources."
    ),
}
"""What a role was not allowed and should not be, and why."""


def _always(parameters: Mapping[str, Any]) -> Callable[[Resource, Account], Mapping[str, Any]]:
    return lambda _function, _account: parameters


def _variables(function: Resource) -> Mapping[str, str]:
    found: Mapping[str, str] = function.properties["Environment"]["Variables"]
    return found


def _report(function: Resource, account: Account) -> dict[str, str] | None:
    """A file of the reports of the monitor that a function tells of, once it has a schedule."""
    for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"):
        for found in account.all(f"AWS::SageMaker::{kind}JobDefinition"):
            if found.stack == function.stack:
                (output,) = found.properties[f"{kind}JobOutputConfig"]["MonitoringOutputs"]
                bucket, _, place = output["S3Output"]["S3Uri"].partition("://")[2].partition("/")
                return {"Bucket": bucket, "Key": f"{place}/constraint_violations.json"}
    return None


def _finished(function: Resource, _: Account) -> dict[str, Any]:
    return {"Entries": [{"Source": "mlops.model-monitor", "DetailType": "Run Finished"}]}


_REPOSITORY = _always({"repositoryName": "life/scorer"})
_CARD = _always({"ModelCardName": "mlops-local-life"})
EXAMPLES = (
    # The local AWS builds no images.
    Example("Verify*", "codebuild.BatchGetBuilds", _always({"ids": ["mlops-local-scorer:1"]})),
    Example("Verify*", "ecr.DescribeImages", _REPOSITORY),
    Example("Verify*", "ecr.DescribeImageScanFindings", _REPOSITORY),
    Example("Verify*", "ecr.StartImageScan", _REPOSITORY),
    # Nobody asks for old versions of a card, or for its export twice.
    Example("Api*", "sagemaker.ListModelCardExportJobs", _CARD),
    Example("Api*", "sagemaker.ListModelCardVersions", _CARD),
    # Nothing analyses traffic here, so no run of a Model Monitor ends.
    Example("Report*", "sagemaker.DescribeProcessingJob", _always({"ProcessingJobName": "run"})),
    Example("Report*", "s3.GetObject", _report),
    Example("Report*", "s3.PutObject", _report),
    Example("Report*", "events.PutEvents", _finished),
    Example(
        "Report*",
        "sns.Publish",
        lambda function, _: {"TopicArn": _variables(function)["ALERT_TOPIC_ARN"]},
    ),
)
"""Calls that functions make elsewhere, and not in this room."""
GOES_ON = frozenset({"cloudformation", "codepipeline", "dynamodb", "events", "lambda", "s3"})
"""What the function that continues a long request does of what the one behind the API does."""


DONE_FOR_US = frozenset(
    {
        "cloudformation:CreateChangeSet",  # by CodePipeline
        "iam:CreateRole",  # by CloudFormation
        "kms:GenerateDataKey",
        "lambda:InvokeFunction",  # by Scheduler, Step Functions, EventBridge
        "sagemaker:CreateAutoMLJobV2",  # by Step Functions
        "sagemaker:CreateTrainingJob",  # by SageMaker Pipelines
        "sns:Publish",  # by EventBridge, CloudWatch
        "sqs:ReceiveMessage",  # by Lambda
        "states:DescribeExecution",  # by distributed maps
    }
)
"""Some of what services do under our roles: one of each way in which they come by them."""


@pytest.fixture(scope="module")
def found(record: Path) -> Findings:
    if not record.exists():
        pytest.fail("Nothing was recorded: run this together with the rest of tests/main_job.")
    continued = (
        Example(
            "Continuation*", f"{made['service']}.{made['operation']}", _always(made["parameters"])
        )
        for made in read(record)
        if made["kind"] == "call" and "-Api" in made["function"] and _goes_on(made)
    )
    return check(read(record), (*EXAMPLES, *continued))


def test_every_call_of_every_function_is_allowed_by_its_role(found: Findings) -> None:
    missing = {told: purpose for told, purpose in found.missing.items() if not _excused(told)}

    assert list(found.wrong) == []
    assert missing == {}
    assert sum(found.operations.values()) > 0


def test_every_operation_and_every_function_was_looked_at(
    found: Findings, request: pytest.FixtureRequest
) -> None:
    ran = {item.path for item in request.session.items}
    if not ran >= set(HERE.glob("test_life_cycle_*.py")):
        pytest.skip("only a part of this room runs")

    assert sorted(set(OPERATIONS) - set(found.operations)) == []
    assert [name for name, calls in found.functions.items() if not calls] == []
    asked = {action for _, action in found.asked}
    assert sorted(DONE_FOR_US - asked) == []


def _goes_on(made: Mapping[str, Any]) -> bool:
    # Files are read to answer a request at once, not to go on with it.
    return made["service"] in GOES_ON and made["operation"] != "GetObject"


def _excused(told: str) -> bool:
    return any(matches(f"{pattern}*", told) for pattern in EXCUSED)
