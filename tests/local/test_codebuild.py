"""CodeBuild on the local AWS: real commands, sources and artifacts; Docker refused by name."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator
from mlops_framework.local.plane.codebuild.buildspec import BuildspecInvalid, parse

ROLE = "arn:aws:iam::111122223333:role/mlops/build"
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


class Builds:
    """Projects over a bucket, and builds of them to their end."""

    def __init__(self, aws: Emulator) -> None:
        self.aws = aws
        self.client = aws.client("codebuild")
        self.s3 = aws.client("s3")
        self.bucket = f"builds-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)

    def project(self, spec: Mapping[str, Any], **more: Any) -> str:
        name = f"project-{uuid.uuid4().hex[:8]}"
        environment = {
            "type": "LINUX_CONTAINER",
            "image": IMAGE,
            "computeType": "BUILD_GENERAL1_SMALL",
            **more.pop("environment", {}),
        }
        source = {"type": "NO_SOURCE", **more.pop("source", {})}
        if spec:
            source["buildspec"] = json.dumps({"version": 0.2, **spec})
        self.client.create_project(
            name=name,
            source=source,
            artifacts=more.pop("artifacts", {"type": "NO_ARTIFACTS"}),
            environment=environment,
            serviceRole=ROLE,
            **more,
        )
        return name

    def start(self, project: str, **overrides: Any) -> str:
        return str(self.client.start_build(projectName=project, **overrides)["build"]["id"])

    def run(self, project: str, **overrides: Any) -> dict[str, Any]:
        return self.ended(self.start(project, **overrides))

    def ended(self, build: str) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            (found,) = self.client.batch_get_builds(ids=[build])["builds"]
            if found["buildComplete"]:
                return dict(found)
            time.sleep(0.05)
        raise AssertionError(f"build {build} does not end: {found['currentPhase']}")

    def log(self, build: Mapping[str, Any]) -> str:
        logs = build["logs"]
        found = self.aws.client("logs").get_log_events(
            logGroupName=logs["groupName"], logStreamName=logs["streamName"]
        )
        return "\n".join(event["message"] for event in found["events"])

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())


@pytest.fixture
def builds(local_aws: Emulator) -> Builds:
    return Builds(local_aws)


def phases(build: Mapping[str, Any]) -> dict[str, str]:
    return {one["phaseType"]: one.get("phaseStatus", "") for one in build["phases"]}


def why(build: Mapping[str, Any]) -> str:
    return " ".join(
        context["message"] for phase in build["phases"] for context in phase.get("contexts", ())
    )


def test_a_zip_is_built_and_its_artifact_uploaded(builds: Builds) -> None:
    spec = {
        "env": {"variables": {"GREETING": "hello"}, "exported-variables": ["RESULT"]},
        "phases": {
            "install": {"commands": ["mkdir out"]},
            "pre_build": {"commands": ["cd out", "COUNT=41"]},
            "build": {"commands": ['echo "$GREETING $WHO $(cat ../name.txt)" > greeting.txt']},
            "post_build": {"commands": ["export RESULT=$((COUNT + 1))"]},
        },
        "artifacts": {"files": ["**/*"], "base-directory": "out"},
    }
    builds.s3.put_object(
        Bucket=builds.bucket,
        Key="source.zip",
        Body=zipped({"name.txt": "Ada", "buildspec.yml": json.dumps({"version": 0.2, **spec})}),
    )
    project = builds.project(
        {},
        source={"type": "S3", "location": f"{builds.bucket}/source.zip"},
        artifacts={
            "type": "S3",
            "location": builds.bucket,
            "path": "made",
            "name": "out.zip",
            "packaging": "ZIP",
        },
        environment={"environmentVariables": [{"name": "WHO", "value": "dear"}]},
    )

    build = builds.run(project)

    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    assert build["exportedEnvironmentVariables"] == [{"name": "RESULT", "value": "42"}]
    assert list(phases(build))[1:-1] == [
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "UPLOAD_ARTIFACTS",
    ]
    with zipfile.ZipFile(io.BytesIO(builds.read("made/out.zip"))) as archive:
        assert archive.read("greeting.txt") == b"hello dear Ada\n"
    assert "Running command mkdir out" in builds.log(build)
    assert builds.client.list_builds_for_project(projectName=project)["ids"] == [build["id"]]


def test_a_command_that_fails_ends_its_phase_and_is_told_with_its_status(builds: Builds) -> None:
    project = builds.project(
        {
            "phases": {
                "build": {
                    "commands": ["echo before", "exit 3", "echo never"],
                    "finally": ["echo finally"],
                },
                "post_build": {"commands": ["echo succeeding $CODEBUILD_BUILD_SUCCEEDING"]},
            }
        }
    )

    build = builds.run(project)

    log = builds.log(build)
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["BUILD"] == "FAILED"
    assert "Error while executing command: exit 3. Reason: exit status 3" in why(build)
    assert "\nnever" not in log
    assert "\nfinally" in log
    assert "\nsucceeding 0" in log


def test_nothing_is_built_after_an_install_that_fails(builds: Builds) -> None:
    project = builds.project(
        {"phases": {"install": {"commands": ["false"]}, "post_build": {"commands": ["echo ran"]}}}
    )

    build = builds.run(project)

    assert "POST_BUILD" not in phases(build)


def test_variables_come_from_parameters_secrets_and_overrides(
    local_aws: Emulator, builds: Builds
) -> None:
    name = f"/build/{uuid.uuid4().hex[:8]}"
    local_aws.client("ssm").put_parameter(Name=name, Value="from-ssm", Type="String")
    local_aws.client("secretsmanager").create_secret(
        Name=name, SecretString=json.dumps({"word": "from-secret"})
    )
    project = builds.project(
        {
            "env": {
                "parameter-store": {"A": name},
                "secrets-manager": {"B": f"{name}:word"},
                "variables": {"C": "from-spec", "D": "from-spec"},
                "exported-variables": ["A", "B", "C", "D"],
            },
            "phases": {"build": {"commands": ["true"]}},
        },
        environment={"environmentVariables": [{"name": "C", "value": "from-project"}]},
    )

    build = builds.run(project, environmentVariablesOverride=[{"name": "D", "value": "from-start"}])

    exported = {one["name"]: one["value"] for one in build["exportedEnvironmentVariables"]}
    assert exported == {
        "A": "from-ssm",
        "B": "from-secret",
        "C": "from-project",
        "D": "from-start",
    }


def test_a_stopped_build_ends_with_everything_it_started(builds: Builds) -> None:
    project = builds.project({"phases": {"build": {"commands": ["sleep 300 & sleep 300"]}}})
    build = builds.start(project)
    while True:
        (found,) = builds.client.batch_get_builds(ids=[build])["builds"]
        if found["currentPhase"] == "BUILD":
            break
        time.sleep(0.02)

    builds.client.stop_build(id=build)

    ended = builds.ended(build)
    assert ended["buildStatus"] == "STOPPED"
    assert phases(ended)["BUILD"] == "STOPPED"


def test_a_repeated_start_with_one_token_is_one_build(builds: Builds) -> None:
    project = builds.project({"phases": {"build": {"commands": ["true"]}}})

    first = builds.start(project, idempotencyToken="once")
    again = builds.start(project, idempotencyToken="once")

    assert first == again
    builds.ended(first)


def test_docker_is_refused_by_name_with_what_to_do(builds: Builds) -> None:
    privileged = builds.project(
        {"phases": {"build": {"commands": ["true"]}}}, environment={"privilegedMode": True}
    )
    plain = builds.project({"phases": {"build": {"commands": ["docker build ."]}}})

    with pytest.raises(ClientError) as refused:
        builds.start(privileged)
    build = builds.run(plain)

    assert refused.value.response["Error"]["Code"] == "NotCarriedByLocalAws"
    assert "Build the image on AWS" in refused.value.response["Error"]["Message"]
    assert build["buildStatus"] == "FAILED"
    assert "docker: the local AWS runs no Docker" in builds.log(build)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": {"type": "GITHUB", "location": "https://github.com/a/b"}}, "type GITHUB"),
        ({"environment": {"type": "WINDOWS_SERVER_2022_CONTAINER"}}, "WINDOWS_SERVER_2022"),
    ],
)
def test_what_is_not_carried_is_refused_by_name(
    builds: Builds, changes: dict[str, Any], said: str
) -> None:
    project = builds.project({"phases": {"build": {"commands": ["true"]}}}, **changes)

    with pytest.raises(ClientError, match=said):
        builds.start(project)


def test_a_source_without_a_specification_says_so(builds: Builds) -> None:
    builds.s3.put_object(Bucket=builds.bucket, Key="empty.zip", Body=zipped({"a": "b"}))
    source = {"type": "S3", "location": f"{builds.bucket}/empty.zip"}

    build = builds.run(builds.project({}, source=source))

    assert phases(build)["DOWNLOAD_SOURCE"] == "FAILED"
    assert "buildspec.yml: no such file" in why(build)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 0.1\nphases: {build: {commands: [a]}}", "carries 0.2"),
        ("version: 0.2", "no phases"),
        ("version: 0.2\nphases: {build: {commands: [a]}}\nreports: {}", "does not carry reports"),
        ("version: 0.2\nphases: {build: {commands: [a], run-as: x}}", "does not carry run-as"),
        ("version: 0.2\nphases: {build: {on-failure: CONTINUE}}", "carries ABORT"),
        ("version: 0.2\nphases: {build: {commands: {a: b}}}", "has to be a list of texts"),
        ("a: [", "YAML_FILE_ERROR"),
    ],
)
def test_a_specification_is_read_strictly(text: str, said: str) -> None:
    with pytest.raises(BuildspecInvalid, match=said):
        parse(text)


def test_a_stack_makes_changes_and_removes_a_project(local_aws: Emulator, builds: Builds) -> None:
    cloudformation = local_aws.client("cloudformation")
    stack = f"build-{uuid.uuid4().hex[:8]}"

    def template(word: str) -> str:
        spec = {"version": 0.2, "phases": {"build": {"commands": [f"echo {word}"]}}}
        return json.dumps(
            {
                "Resources": {
                    "Project": {
                        "Type": "AWS::CodeBuild::Project",
                        "Properties": {
                            "Name": stack,
                            "ServiceRole": ROLE,
                            "Artifacts": {"Type": "NO_ARTIFACTS"},
                            "Source": {"Type": "NO_SOURCE", "BuildSpec": json.dumps(spec)},
                            "Environment": {
                                "Type": "LINUX_CONTAINER",
                                "Image": IMAGE,
                                "ComputeType": "BUILD_GENERAL1_SMALL",
                                "PrivilegedMode": "false",
                            },
                            "TimeoutInMinutes": "5",
                        },
                    }
                },
                "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}},
            }
        )

    cloudformation.create_stack(StackName=stack, TemplateBody=template("one"))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 0.1}
    )
    first = builds.log(builds.run(stack))
    cloudformation.update_stack(StackName=stack, TemplateBody=template("two"))
    cloudformation.get_waiter("stack_update_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 0.1}
    )
    second = builds.log(builds.run(stack))
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 0.1}
    )

    assert "\none" in first
    assert "\ntwo" in second
    assert found["Outputs"][0]["OutputValue"].endswith(f":project/{stack}")
    assert builds.client.batch_get_projects(names=[stack])["projectsNotFound"] == [stack]
