from __future__ import annotations

import json
import os
import subprocess
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local import assembly
from mlops_framework.local.assembly import Place
from mlops_framework.local.deploy import Deployer
from mlops_framework.local.emulator import Emulator
from mlops_framework.local.errors import AssemblyUnreadable, DeployFailed

CDK_CLI = Path(__file__).resolve().parents[2] / "node_modules" / ".bin" / "cdk"
HOME = Place("111122223333", "us-east-1")
BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
BOOTSTRAP = {
    "BootstrapVersion": {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": "/cdk-bootstrap/hnb659fds/version",
    }
}
HANDLER = "def handler(event, context):\n    return 'deployed'\n"


class Assembly:
    """Writes a cloud assembly the way the CDK does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artifacts: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def stack(
        self,
        name: str,
        resources: Mapping[str, Any],
        *,
        needs: tuple[str, ...] = (),
        files: Mapping[str, Path] | None = None,
        **template: Any,
    ) -> None:
        body = {"Resources": resources, "Parameters": BOOTSTRAP, **template}
        (self.folder / f"{name}.template.json").write_text(json.dumps(body))
        sources = {f"{name}.json": self.folder / f"{name}.template.json", **(files or {})}
        assets = {
            key: {
                "source": {
                    "path": str(path.relative_to(self.folder)),
                    "packaging": "zip" if path.is_dir() else "file",
                },
                "destinations": {"here": {"bucketName": BUCKET, "objectKey": key}},
            }
            for key, path in sources.items()
        }
        (self.folder / f"{name}.assets.json").write_text(
            json.dumps({"version": "43.0.0", "files": assets})
        )
        self.artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        self.artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {
                "templateFile": f"{name}.template.json",
                "stackName": name,
                "stackTemplateAssetObjectUrl": f"s3://{BUCKET}/{name}.json",
                "tags": {"app": "mlops"},
            },
            "dependencies": [f"{name}.assets", *needs],
        }

    def nested(self, name: str, *, needs: tuple[str, ...] = ()) -> Assembly:
        self.artifacts[name] = {
            "type": "cdk:cloud-assembly",
            "properties": {"directoryName": name},
            "dependencies": list(needs),
        }
        return Assembly(self.folder / name)

    def write(self) -> Path:
        manifest = {"version": "43.0.0", "artifacts": self.artifacts}
        (self.folder / "manifest.json").write_text(json.dumps(manifest))
        return self.folder


@pytest.fixture
def suffix() -> str:
    return uuid.uuid4().hex[:8]


def test_stacks_come_after_what_they_depend_on_within_and_across_stages(tmp_path: Path) -> None:
    app = Assembly(tmp_path)
    stage = app.nested("Prod", needs=("Base",))
    stage.stack("Api", {}, needs=("Data",))
    stage.stack("Data", {})
    stage.write()
    app.stack("Last", {}, needs=("Prod",))
    app.stack("Base", {})
    app.write()
    paths = [stack.path for stack in assembly.read(tmp_path, HOME)]
    assert paths == ["Base", "Prod/Data", "Prod/Api", "Last"]


def test_a_folder_asset_is_zipped_the_same_way_every_time(tmp_path: Path) -> None:
    app = Assembly(tmp_path)
    code = tmp_path / "asset.abc"
    (code / "inner").mkdir(parents=True)
    (code / "inner" / "b.py").write_text("b")
    (code / "a.py").write_text("a")
    app.stack("One", {}, files={"code.zip": code})
    app.write()
    (asset,) = (item for item in assembly.read(tmp_path, HOME)[0].assets if item.key == "code.zip")
    assert asset.bucket == "cdk-hnb659fds-assets-111122223333-us-east-1"
    assert asset.content() == asset.content()
    packed = tmp_path / "packed.zip"
    packed.write_bytes(asset.content())
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == ["a.py", "inner/b.py"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "synthesize first"),
        ({"manifest.json": "{"}, "is not JSON"),
        ({"manifest.json": "[]"}, "is not a JSON object"),
    ],
)
def test_what_is_no_assembly_is_refused(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(AssemblyUnreadable, match=told):
        assembly.read(tmp_path, HOME)


def test_container_images_are_refused_by_name(tmp_path: Path) -> None:
    app = Assembly(tmp_path)
    app.stack("One", {})
    app.write()
    images = {"dockerImages": {"abc": {"displayName": "TrainingImage"}}}
    (tmp_path / "One.assets.json").write_text(json.dumps(images))
    with pytest.raises(AssemblyUnreadable, match=r"TrainingImage.*no Docker"):
        assembly.read(tmp_path, HOME)


def test_an_assembly_is_deployed_updated_only_where_it_changed_and_destroyed(
    local_aws: Emulator, tmp_path: Path, suffix: str
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "index.py").write_text(HANDLER)
    base, api = f"base-{suffix}", f"api-{suffix}"
    exported = {"Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}, "Export": {"Name": base}}}
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {}, "RoleName": f"role-{suffix}"},
    }
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": f"f-{suffix}",
            "Runtime": "python3.14",
            "Handler": "index.handler",
            "Role": {"Fn::ImportValue": base},
            "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": "code.zip"},
        },
    }
    app = Assembly(tmp_path)
    app.stack(api, {"Function": function}, needs=(base,), files={"code.zip": code})
    app.stack(base, {"Role": role}, Outputs=exported)
    folder = app.write()
    said: list[str] = []
    deployer = Deployer(local_aws, said.append)
    done = deployer.deploy(folder)
    assert [(item.stack, item.changed) for item in done] == [(base, True), (api, True)]
    assert done[0].outputs == {"Role": f"arn:aws:iam::111122223333:role/role-{suffix}"}
    assert f"Deploying {api}" in said
    answer = local_aws.client("lambda").invoke(FunctionName=f"f-{suffix}")
    assert json.loads(answer["Payload"].read()) == "deployed"
    found = local_aws.client("cloudformation").describe_stacks(StackName=base)["Stacks"][0]
    assert found["Tags"] == [{"Key": "app", "Value": "mlops"}]

    assert [item.changed for item in deployer.deploy(folder)] == [False, False]

    app.stack(f"{base}", {"Role": role, "Topic": {"Type": "AWS::SNS::Topic"}}, Outputs=exported)
    folder = app.write()
    # The template's key is the same here, so a deployer that has not seen it publishes it anew.
    local_aws.client("s3").delete_object(
        Bucket="cdk-hnb659fds-assets-111122223333-us-east-1", Key=f"{base}.json"
    )
    changed = {item.stack: item.changed for item in Deployer(local_aws).deploy(folder)}
    assert changed == {base: True, api: False}

    deployer.destroy(folder)
    statuses = local_aws.client("cloudformation").list_stacks()["StackSummaries"]
    live = [item for item in statuses if item["StackStatus"] != "DELETE_COMPLETE"]
    assert not {base, api} & {item["StackName"] for item in live}


def test_a_stack_that_fails_names_the_resource_and_is_replaced_by_the_next_try(
    local_aws: Emulator, tmp_path: Path, suffix: str
) -> None:
    name = f"broken-{suffix}"
    broken = {
        "Type": "AWS::CodePipeline::Pipeline",
        "Properties": {"RoleArn": "arn:aws:iam::111122223333:role/x"},
    }
    app = Assembly(tmp_path)
    app.stack(name, {"Pipeline": broken})
    with pytest.raises(DeployFailed) as failed:
        Deployer(local_aws).deploy(app.write())
    assert failed.value.stack == name
    assert "Pipeline (AWS::CodePipeline::Pipeline): " in failed.value.reasons[0]
    assert f"Stack {name} ended ROLLBACK_COMPLETE" in str(failed.value)
    app.stack(f"{name}", {"Topic": {"Type": "AWS::SNS::Topic"}})
    local_aws.client("s3").delete_object(
        Bucket="cdk-hnb659fds-assets-111122223333-us-east-1", Key=f"{name}.json"
    )
    (done,) = Deployer(local_aws).deploy(app.write())
    assert done.changed


def test_a_type_nobody_carries_is_refused_before_anything_is_made(
    local_aws: Emulator, tmp_path: Path, suffix: str
) -> None:
    app = Assembly(tmp_path)
    app.stack(f"unknown-{suffix}", {"Cluster": {"Type": "AWS::SageMaker::Cluster"}})
    with pytest.raises(DeployFailed, match=r"AWS::SageMaker::Cluster"):
        Deployer(local_aws).deploy(app.write())


def test_a_stack_that_is_not_in_the_assembly_is_named_with_those_that_are(
    local_aws: Emulator, tmp_path: Path
) -> None:
    app = Assembly(tmp_path)
    app.stack("One", {})
    with pytest.raises(AssemblyUnreadable, match=r"no stack \['Two'\]; it has: One"):
        Deployer(local_aws).deploy(app.write(), only=["Two"])


@pytest.mark.skipif(not CDK_CLI.exists(), reason="the CDK CLI is not installed (make setup)")
def test_the_cdk_cli_finds_the_same_stack_deployed_and_nothing_to_change(
    local_aws: Emulator, tmp_path: Path, suffix: str
) -> None:
    name = f"by-cli-{suffix}"
    app = Assembly(tmp_path)
    app.stack(name, {"Topic": {"Type": "AWS::SNS::Topic"}})
    folder = app.write()
    Deployer(local_aws).deploy(folder)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **local_aws.environment()}
    told = subprocess.run(
        [str(CDK_CLI), "deploy", "--all", "--app", str(folder), "--require-approval", "never"],
        env={**environment, "CI": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "(no changes)" in told.stdout


def test_stacks_of_several_regions_go_to_theirs_with_their_assets(
    local_aws: Emulator, tmp_path: Path, suffix: str
) -> None:
    app = Assembly(tmp_path)
    app.stack(f"hub-{suffix}", {"Topic": {"Type": "AWS::SNS::Topic"}})
    app.stack(f"target-{suffix}", {"Queue": {"Type": "AWS::SQS::Queue"}}, needs=(f"hub-{suffix}",))
    app.artifacts[f"target-{suffix}"]["environment"] = "aws://111122223333/eu-west-1"
    done = Deployer(local_aws).deploy(app.write())
    assert [item.changed for item in done] == [True, True]
    queues = local_aws.client("sqs", region="eu-west-1").list_queues()["QueueUrls"]
    assert len(queues) == 1
    bucket = "cdk-hnb659fds-assets-111122223333-eu-west-1"
    found = local_aws.client("s3", region="eu-west-1").list_objects_v2(Bucket=bucket)
    assert [item["Key"] for item in found["Contents"]] == [f"target-{suffix}.json"]
