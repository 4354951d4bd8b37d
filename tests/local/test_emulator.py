from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local import ports, processes
from mlops_framework.local.emulator import Emulator, status
from mlops_framework.local.errors import EmulatorFailed, PortInUse, StateInUse

PROBE = """
import importlib.util, os, sys
def handler(event, context):
    found = {name: bool(importlib.util.find_spec(name)) for name in event["modules"]}
    return {"found": found, "environment": dict(os.environ), "path": sys.path}
"""


def _function(aws: Emulator, name: str, code: str) -> Any:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", code)
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName=name,
        Role="arn:aws:iam::111122223333:role/any",
        Runtime="python3.14",
        Handler="index.handler",
        Timeout=20,
        Code={"ZipFile": content.getvalue()},
    )
    return functions


def _invoke(functions: Any, name: str, event: Any) -> Any:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def test_it_answers_as_the_local_account_and_listens_on_this_machine_alone(
    local_aws: Emulator,
) -> None:
    identity = local_aws.client("sts").get_caller_identity()
    assert identity["Account"] == "111122223333"
    assert local_aws.endpoint.startswith("http://127.0.0.1:")
    other = socket.gethostbyname(socket.gethostname())
    if not other.startswith("127."):
        with socket.socket() as probe:
            # Would be taken if the emulator listened on every address.
            probe.bind((other, local_aws.running.port))


def test_its_environment_serves_any_aws_client(local_aws: Emulator) -> None:
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {"PATH": os.environ["PATH"], **local_aws.environment()}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "111122223333"


def test_a_function_sees_what_aws_brings_and_nothing_of_the_emulator_or_the_checkout(
    local_aws: Emulator,
) -> None:
    functions = _function(local_aws, "isolation", PROBE)
    modules = ["boto3", "ministack", "mlops_framework", "numpy", "pydantic", "cbor2"]
    seen = _invoke(functions, "isolation", {"modules": modules})
    assert seen["found"] == {name: name == "boto3" for name in modules}
    environment = seen["environment"]
    assert not [name for name in environment if name.startswith("PYTHON")]
    assert "AWS_PROFILE" not in environment
    assert environment["HOME"] != os.environ.get("HOME")
    assert environment["AWS_ENDPOINT_URL"] == local_aws.endpoint


def test_a_second_emulator_over_the_same_folder_is_refused_by_name(local_aws: Emulator) -> None:
    with pytest.raises(StateInUse, match=rf"process {local_aws.running.pid}") as refused:
        Emulator(local_aws.state_dir).start()
    assert "mlops local down" in str(refused.value)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 is in use"):
            Emulator(tmp_path, port=port).start()
    assert status(tmp_path) is None


def test_a_port_lost_to_somebody_else_while_starting_is_given_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offered = iter([taken.getsockname()[1], ports.free()])
        monkeypatch.setattr(ports, "free", lambda: next(offered))
        with Emulator(tmp_path) as emulator:
            assert emulator.running.port != taken.getsockname()[1]
            assert emulator.client("sts").get_caller_identity()["Account"] == "111122223333"


def test_what_does_not_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(EmulatorFailed, match="No emulator runs over"):
        _ = Emulator(tmp_path).endpoint
    Emulator(tmp_path).stop()


def test_kept_state_survives_and_unkept_state_does_not(tmp_path: Path) -> None:
    declared = {
        "name": "kept",
        "roleArn": "arn:aws:iam::111122223333:role/any",
        "artifactStore": {"type": "S3", "location": "kept-bucket"},
        "pipelineType": "V2",
        "stages": [
            {
                "name": "Source",
                "actions": [
                    {
                        "name": "Fetch",
                        "actionTypeId": {
                            "category": "Source",
                            "owner": "AWS",
                            "provider": "S3",
                            "version": "1",
                        },
                        "configuration": {
                            "S3Bucket": "kept-bucket",
                            "S3ObjectKey": "source.zip",
                            "PollForSourceChanges": "false",
                        },
                        "outputArtifacts": [{"name": "Source"}],
                    }
                ],
            },
            {
                "name": "Gate",
                "actions": [
                    {
                        "name": "Approve",
                        "actionTypeId": {
                            "category": "Approval",
                            "owner": "AWS",
                            "provider": "Manual",
                            "version": "1",
                        },
                    }
                ],
            },
        ],
    }
    with Emulator(tmp_path, keep_state=True) as first:
        s3 = first.client("s3")
        s3.create_bucket(Bucket="kept-bucket")
        s3.put_bucket_versioning(
            Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"}
        )
        version = s3.put_object(Bucket="kept-bucket", Key="source.zip", Body=b"x")["VersionId"]
        _invoke(_function(first, "kept", PROBE), "kept", {"modules": []})
        first.client("codepipeline").create_pipeline(pipeline=declared)
        time.sleep(0.5)
    assert status(tmp_path) is None
    with Emulator(tmp_path, keep_state=True) as second:
        found = second.client("s3").get_object(Bucket="kept-bucket", Key="source.zip")
        assert (found["Body"].read(), found["VersionId"]) == (b"x", version)
        answer = _invoke(second.client("lambda"), "kept", {"modules": ["boto3"]})
        assert answer["found"] == {"boto3": True}
        pipelines = second.client("codepipeline")
        assert pipelines.get_pipeline(name="kept")["pipeline"]["name"] == "kept"
        executions = pipelines.list_pipeline_executions(pipelineName="kept")
        assert executions["pipelineExecutionSummaries"][0]["status"] == "Stopped"
    with Emulator(tmp_path) as third:
        assert third.client("s3").list_buckets()["Buckets"] == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["emulator.log", "kept"]


def _owner(state_dir: Path, *, then: str) -> subprocess.Popen[str]:
    """Another process that starts an emulator, like a demo that is then interrupted."""
    code = textwrap.dedent(
        f"""
        import os, signal, sys, time
        from pathlib import Path
        from mlops_framework.local.emulator import Emulator
        emulator = Emulator(Path({str(state_dir)!r})).start()
        print(emulator.running.pid, flush=True)
        {then}
        """
    )
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )


def _gone(group: int) -> bool:
    deadline = time.monotonic() + 20
    while processes.group_members(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes.group_members(group)


def test_it_ends_by_itself_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    owner = _owner(tmp_path, then="time.sleep(60)")
    assert owner.stdout is not None
    with owner.stdout:
        group = int(owner.stdout.readline())
    assert status(tmp_path) is not None
    owner.kill()
    owner.wait()
    assert _gone(group)
    with Emulator(tmp_path) as again:
        assert again.client("sts").get_caller_identity()["Account"] == "111122223333"


def test_an_emulator_that_was_killed_leaves_nothing_in_the_way_of_the_next(
    tmp_path: Path,
) -> None:
    first = Emulator(tmp_path).start()
    group = first.running.pid
    functions = _function(first, "orphan", PROBE)
    _invoke(functions, "orphan", {"modules": []})
    assert len(processes.group_members(group)) == 2
    os.kill(group, signal.SIGKILL)
    first.stop()
    assert processes.group_members(group) == []
    record = {"pid": group, "mark": "1", "port": 1, "account": "1", "region": "r"}
    (tmp_path / "emulator.json").write_text(json.dumps({**record, "keep_state": False}))
    assert status(tmp_path) is None
    with Emulator(tmp_path) as second:
        assert second.client("lambda").list_functions()["Functions"] == []


def test_a_detached_emulator_outlives_its_owner_and_is_stopped_by_another(
    tmp_path: Path,
) -> None:
    emulator = Emulator(tmp_path, detached=True).start()
    found = Emulator.attach(tmp_path)
    assert found is not None
    assert found.endpoint == emulator.endpoint
    found_pid = found.running.pid
    assert found.client("sts").get_caller_identity()["Account"] == "111122223333"
    found.stop()
    assert Emulator.attach(tmp_path) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["emulator.log"]
    emulator.stop()
    with pytest.raises(ChildProcessError):
        os.waitpid(found_pid, os.WNOHANG)


def test_an_api_address_of_a_stack_output_is_turned_into_the_local_one(
    local_aws: Emulator,
) -> None:
    url = "https://abc123.execute-api.us-east-1.amazonaws.com/v1/pipelines"
    expected = f"{local_aws.endpoint}/restapis/abc123/v1/_user_request_/pipelines"
    assert local_aws.local_url(url) == expected
    with pytest.raises(ValueError, match="not an API Gateway address"):
        local_aws.local_url("https://example.com/")
