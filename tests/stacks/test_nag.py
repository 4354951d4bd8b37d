from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.cloudformation_include import CfnInclude
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from mlops_framework.cdk import perms
from mlops_framework.cdk.security import acknowledge, check, flatten
from tests.stacks.conftest import ENVIRONMENTS, Synthesize, Synthesized, statements

# Every finding that may be acknowledged, by rule; what matches nothing here has to be discussed.
ALLOWED = (
    r"AwsSolutions-APIG3",
    r"AwsSolutions-COG4",
    r"AwsSolutions-IAM4\[Policy::.*AmazonAPIGatewayPushToCloudWatchLogs\]",
    r"AwsSolutions-IAM5\[Resource::\*\]",
    r"AwsSolutions-IAM5\[Resource::.*[^*].*\]",
)
# And at one construct only.
ALLOWED_AT = {
    # The boundary caps and grants nothing, so it alone may name whole services.
    "Foundation/Boundary": r"AwsSolutions-IAM5\[Action::[a-z0-9-]+:\*\]",
    # The image is chosen by processor, which the rule cannot read.
    "image-builder/Project": r"AwsSolutions-CB5",
    # A state machine that starts one job: the job keeps logs, and its own state, of its own.
    "autopilot/Machine": r"AwsSolutions-SF[12]",
    # Its steps are functions, which log.
    "Drift/AtScale/Machine": r"AwsSolutions-SF[12]",
}


@dataclass(frozen=True)
class Acknowledged:
    """A finding that somebody accepted, and where."""

    construct: IConstruct
    rule: str
    reason: str

    @property
    def path(self) -> str:
        return str(self.construct.node.path)


@pytest.fixture(scope="module")
def acknowledgements(dev: Synthesized, blueprint_app: cdk.App) -> list[Acknowledged]:
    """Of the platform's constructs and of the blueprints'."""
    return [*acknowledged(dev.app), *acknowledged(blueprint_app)]


def acknowledged(scope: cdk.App) -> Iterator[Acknowledged]:
    """Every acknowledgement below ``scope``."""
    for construct in scope.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                for rule, reason in entry.data.items():
                    plain = re.sub("^annotation::", "", rule, flags=re.I)
                    yield Acknowledged(construct, plain, reason)


def resources_of(construct: IConstruct) -> tuple[tuple[str, str], ...]:
    """Stack and logical id of every resource below a construct."""
    stack = cdk.Stack.of(construct)
    return tuple(
        (stack.node.id, stack.resolve(each.logical_id))
        for each in construct.node.find_all()
        if isinstance(each, cdk.CfnResource)
    )


def findings_without_acknowledgements(dev: Synthesized) -> set[tuple[str, ...]]:
    """Rule, stack and logical id: the templates as they are written hold no acknowledgement."""
    app = cdk.App(builtin_cloud_formation_validation=False)
    for name in dev.templates:
        folder = dev.outdir if name in dev.platform else dev.outdir / "catalogue"
        CfnInclude(cdk.Stack(app, name), "T", template_file=f"{folder / name}.template.json")
    return {
        (violation.rule_name, *str(resource.construct_path).split("/T/", 1))
        for violation in AwsSolutionsChecks(app).validate_scope(app).violations
        for resource in violation.violating_resources
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_finding_of_the_platform_is_left_open(synthesize: Synthesize, environment: str) -> None:
    app = synthesize(environment).app

    report = AwsSolutionsChecks(app).validate_scope(app)

    assert [violation.rule_name for violation in report.violations] == []


def test_no_finding_of_a_blueprint_is_left_open(blueprint_app: cdk.App) -> None:
    report = AwsSolutionsChecks(blueprint_app).validate_scope(blueprint_app)

    assert [violation.rule_name for violation in report.violations] == []


def test_a_finding_stops_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    s3.Bucket(cdk.Stack(app, "Stack"), "Open")
    check(app)

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_every_acknowledgement_is_of_an_allowed_kind(
    acknowledgements: list[Acknowledged],
) -> None:
    unexpected = [
        f"{each.path}: {each.rule}"
        for each in acknowledgements
        if not any(
            re.fullmatch(pattern, each.rule)
            for pattern in (*ALLOWED, ALLOWED_AT.get(each.path, "nothing more"))
        )
    ]

    assert unexpected == []


def test_every_acknowledgement_is_of_something_that_cdk_nag_finds(
    dev: Synthesized, acknowledgements: list[Acknowledged]
) -> None:
    found = findings_without_acknowledgements(dev)
    constructs = {each.path: each.construct for each in acknowledgements}
    resources = {path: resources_of(construct) for path, construct in constructs.items()}

    needless = [
        f"{each.path}: {each.rule}"
        for each in acknowledgements
        if found.isdisjoint((each.rule, *resource) for resource in resources[each.path])
    ]

    assert needless == []


def test_every_acknowledgement_names_one_construct_and_a_reason(
    acknowledgements: list[Acknowledged],
) -> None:
    assert len(acknowledgements) > 50
    for each in acknowledgements:
        assert "/" in each.path, f"{each.rule} is acknowledged for the whole stack {each.path}"
        assert len(each.reason.split()) >= 5, f"{each.path}: {each.rule}: {each.reason}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_only_actions_without_a_resource_are_granted_on_everything(
    synthesize: Synthesize, environment: str
) -> None:
    for name, template in synthesize(environment).templates.items():
        for statement in statements(template):
            if statement["Effect"] == "Allow" and "*" in statement["Resource"]:
                taking = set(statement["Action"]) - perms.WITHOUT_RESOURCE
                assert taking == set(), f"{name} grants {taking} on *"


def test_no_action_is_a_wildcard_outside_the_boundary(dev: Synthesized) -> None:
    for name, template in dev.templates.items():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy":
                for statement in statements({"Resources": {"one": resource}}):
                    assert not [action for action in statement["Action"] if "*" in action], name


def test_an_acknowledgement_on_a_stack_is_refused() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")

    with pytest.raises(ValueError, match="not on a stack"):
        acknowledge(stack, "S1", "This would also excuse what somebody writes tomorrow.")


@pytest.mark.parametrize(
    ("rule", "reason", "said"),
    [
        ("AwsSolutions-S1", "The reason is long enough to be read.", "is no rule"),
        ("S1", "because", "a reason that a reviewer can test"),
    ],
)
def test_an_acknowledgement_that_says_nothing_is_refused(rule: str, reason: str, said: str) -> None:
    bucket = s3.Bucket(cdk.Stack(cdk.App(), "Stack"), "Bucket")

    with pytest.raises(ValueError, match=said):
        acknowledge(bucket, rule, reason)


def test_references_are_flattened_as_cdk_nag_does() -> None:
    reference = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Fn::GetAtt": ["Bucket", "Name"]}, "/*"],
        ]
    }

    assert flatten(reference) == "arn:<AWS::Partition>:s3:::<Bucket.Name>/*"
    assert flatten({"Fn::Sub": "arn:${AWS::Partition}:iam"}) == "arn:<AWS::Partition>:iam"
    assert flatten({"Fn::Select": [1, {"Ref": "X"}]}) == '{"Fn::Select":[1,{"Ref":"X"}]}'
