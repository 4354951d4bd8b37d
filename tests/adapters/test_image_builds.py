"""CodeBuild's and ECR's answers: of the local AWS where it carries them, of AWS's models else."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from mlops_framework.aws.image_builds import CodeBuildImages
from mlops_framework.delivery.image_scan import Finding, Scan
from mlops_framework.orchestration.errors import AccessRefused, ServiceRefused

KEY = "arn:aws:kms:us-east-1:111122223333:key/a-key"
DIGEST = f"sha256:{'a' * 64}"
ASKED = {"repositoryName": "team/churn", "imageId": {"imageDigest": DIGEST}, "maxResults": 1000}


@pytest.fixture
def ecr(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("ecr")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def images(client_of, ecr) -> CodeBuildImages:
    return CodeBuildImages(
        client_of("codebuild"), ecr.client, environment="mlops-test", key_arn=KEY
    )


def test_a_repository_is_made_once_encrypted_immutable_and_scanned(emulator) -> None:
    ecr = emulator("ecr")
    images = CodeBuildImages(emulator("codebuild"), ecr, environment="mlops-test", key_arn=KEY)
    name = f"team/{uuid.uuid4().hex[:8]}"

    images.keep_repository(name)
    images.keep_repository(name)

    (made,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": KEY}
    policy = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    assert [rule["selection"]["tagStatus"] for rule in policy["rules"]] == ["untagged"]
    assert images.uri(name).endswith(f"/{name}")
    assert images.digest(name, "1.0.0") == ""


def test_an_existing_repository_stays_as_it_is(emulator) -> None:
    ecr = emulator("ecr")
    name = f"old/{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name, imageTagMutability="MUTABLE")
    images = CodeBuildImages(emulator("codebuild"), ecr, environment="e", key_arn=KEY)

    images.keep_repository(name)

    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert found["imageTagMutability"] == "MUTABLE"


def test_a_build_is_started_once_and_told_with_what_it_left(emulator) -> None:
    codebuild = emulator("codebuild")
    images = CodeBuildImages(codebuild, emulator("ecr"), environment="e", key_arn=KEY)
    project = f"build-{uuid.uuid4().hex[:8]}"
    commands = ['if [ "$STEP" = fail ]; then exit 4; fi', "export IMAGE_DIGEST=$GIVEN"]
    codebuild.create_project(
        name=project,
        source={
            "type": "NO_SOURCE",
            "buildspec": json.dumps(
                {
                    "version": 0.2,
                    "env": {"exported-variables": ["IMAGE_DIGEST"]},
                    "phases": {"build": {"commands": commands}},
                }
            ),
        },
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole="arn:aws:iam::111122223333:role/mlops/build",
    )

    def ended(build: str):
        while (found := images.look(build)).status == "IN_PROGRESS":
            time.sleep(0.05)
        return found

    build = images.start(project, token="a", variables={"GIVEN": DIGEST})
    again = images.start(project, token="a", variables={"GIVEN": DIGEST})
    good, bad = ended(build), ended(images.start(project, token="b", variables={"STEP": "fail"}))

    assert build == again
    assert (good.status, good.exported) == ("SUCCEEDED", {"IMAGE_DIGEST": DIGEST})
    assert (bad.status, bad.phase) == ("FAILED", "BUILD")
    assert "exit status 4" in bad.reason


def test_a_build_that_is_gone_is_a_refusal(emulator) -> None:
    images = CodeBuildImages(emulator("codebuild"), emulator("ecr"), environment="e", key_arn=KEY)

    with pytest.raises(ServiceRefused, match="no build gone"):
        images.look("gone:1")


def test_the_findings_of_a_basic_scan_are_read_from_every_page(ecr, images) -> None:
    def page(name: str, severity: str) -> dict:
        attributes = [{"key": "package_name", "value": "openssl"}]
        return {
            "imageScanStatus": {"status": "COMPLETE", "description": "done"},
            "imageScanFindings": {
                "findings": [{"name": name, "severity": severity, "attributes": attributes}]
            },
        }

    ecr.add_response(
        "describe_image_scan_findings", {**page("CVE-1", "CRITICAL"), "nextToken": "t"}, ASKED
    )
    ecr.add_response(
        "describe_image_scan_findings", page("CVE-2", "LOW"), {**ASKED, "nextToken": "t"}
    )

    assert images.scan("team/churn", DIGEST) == Scan(
        "COMPLETE",
        "done",
        (Finding("CVE-1", "critical", "openssl"), Finding("CVE-2", "low", "openssl")),
    )


def test_the_findings_of_an_enhanced_scan_leave_out_what_was_suppressed(ecr, images) -> None:
    def finding(name: str, status: str) -> dict:
        details = {
            "vulnerabilityId": name,
            "vulnerablePackages": [{"name": "glibc", "version": "2"}],
        }
        return {"severity": "HIGH", "status": status, "packageVulnerabilityDetails": details}

    answer = {
        "imageScanStatus": {"status": "ACTIVE"},
        "imageScanFindings": {
            "enhancedFindings": [finding("CVE-3", "ACTIVE"), finding("CVE-4", "SUPPRESSED")]
        },
    }
    ecr.add_response("describe_image_scan_findings", answer, ASKED)

    assert images.scan("team/churn", DIGEST).findings == (Finding("CVE-3", "high", "glibc"),)


def test_an_image_without_a_scan_has_none_and_one_can_be_asked_for(ecr, images) -> None:
    ecr.add_client_error("describe_image_scan_findings", "ScanNotFoundException")
    ecr.add_client_error("start_image_scan", "ValidationException")

    assert images.scan("team/churn", DIGEST) == Scan("")
    images.start_scan("team/churn", DIGEST)


def test_a_missing_permission_is_told_as_such(ecr, images) -> None:
    ecr.add_client_error("start_image_scan", "AccessDeniedException", "not yours")

    with pytest.raises(AccessRefused, match="not yours"):
        images.start_scan("team/churn", DIGEST)
