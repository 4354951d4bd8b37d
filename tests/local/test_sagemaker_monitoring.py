"""Model Monitor's definitions and schedules: kept and checked; runs refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

ANALYZER = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer:latest"
ROLE = "arn:aws:iam::111122223333:role/monitor"
DEFINITION: dict[str, Any] = {
    "DataQualityAppSpecification": {"ImageUri": ANALYZER},
    "DataQualityJobInput": {
        "EndpointInput": {"EndpointName": "watched", "LocalPath": "/opt/ml/processing/input"}
    },
    "DataQualityJobOutputConfig": {
        "MonitoringOutputs": [
            {"S3Output": {"S3Uri": "s3://b/reports", "LocalPath": "/opt/ml/processing/output"}}
        ]
    },
    "JobResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    },
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
}


@pytest.fixture(scope="module")
def sagemaker(local_aws: Emulator) -> Iterator[Any]:
    client = local_aws.client("sagemaker")
    client.create_data_quality_job_definition(JobDefinitionName="watch", **DEFINITION)
    yield client
    client.delete_data_quality_job_definition(JobDefinitionName="watch")


def schedule(
    client: Any, name: str, kind: str = "DataQuality", definition: str = "watch", **when: str
) -> None:
    client.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": definition,
            "MonitoringType": kind,
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)", **when},
        },
    )


def test_a_schedule_is_kept_stopped_started_changed_and_forgotten(sagemaker: Any) -> None:
    schedule(sagemaker, "hourly")
    name = {"MonitoringScheduleName": "hourly"}

    (listed,) = sagemaker.list_monitoring_schedules(EndpointName="watched")[
        "MonitoringScheduleSummaries"
    ]
    assert (listed["MonitoringScheduleStatus"], listed["MonitoringJobDefinitionName"]) == (
        "Scheduled",
        "watch",
    )
    sagemaker.stop_monitoring_schedule(**name)
    assert sagemaker.describe_monitoring_schedule(**name)["MonitoringScheduleStatus"] == "Stopped"
    sagemaker.start_monitoring_schedule(**name)
    sagemaker.update_monitoring_schedule(
        **name,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": "watch",
            "MonitoringType": "DataQuality",
            "ScheduleConfig": {"ScheduleExpression": "cron(0 6 ? * * *)"},
        },
    )
    described = sagemaker.describe_monitoring_schedule(**name)
    assert described["MonitoringScheduleStatus"] == "Scheduled"
    assert described["MonitoringScheduleConfig"]["ScheduleConfig"] == {
        "ScheduleExpression": "cron(0 6 ? * * *)"
    }
    with pytest.raises(ClientError, match="ResourceInUse"):
        schedule(sagemaker, "hourly")

    sagemaker.delete_monitoring_schedule(**name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_monitoring_schedule(**name)


def test_a_run_fails_by_name_and_says_what_watches_traffic_here(sagemaker: Any) -> None:
    schedule(
        sagemaker,
        "once",
        ScheduleExpression="NOW",
        DataAnalysisStartTime="-PT1H",
        DataAnalysisEndTime="-PT0H",
    )

    (run,) = sagemaker.list_monitoring_executions(MonitoringScheduleName="once")[
        "MonitoringExecutionSummaries"
    ]

    assert run["MonitoringExecutionStatus"] == "Failed"
    assert "sagemaker-model-monitor-analyzer" in run["FailureReason"]
    assert "drift-monitor" in run["FailureReason"]
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="once")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"definition": "nobody"}, "Could not find the job definition"),
        ({"ScheduleExpression": "rate(5 minutes)"}, "is not supported: hourly"),
        ({"ScheduleExpression": "NOW"}, "needs DataAnalysisStartTime and DataAnalysisEndTime"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused(
    sagemaker: Any, given: dict[str, str], said: str
) -> None:
    with pytest.raises(ClientError, match=said):
        schedule(sagemaker, "refused", **given)
    assert (
        sagemaker.list_monitoring_schedules(NameContains="refused")["MonitoringScheduleSummaries"]
        == []
    )


def test_a_run_may_not_take_longer_than_the_time_to_the_next_one(sagemaker: Any) -> None:
    long = {**DEFINITION, "StoppingCondition": {"MaxRuntimeInSeconds": 7200}}
    sagemaker.create_data_quality_job_definition(JobDefinitionName="long", **long)

    with pytest.raises(ClientError, match="may take 3600 seconds"):
        schedule(sagemaker, "too-long", definition="long")
    schedule(sagemaker, "two-hourly", definition="long", ScheduleExpression="cron(0 0/2 ? * * *)")

    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="two-hourly")
    sagemaker.delete_data_quality_job_definition(JobDefinitionName="long")
