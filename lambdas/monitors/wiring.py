"""The composition root of a monitor's functions."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache

from lambdas.monitors.settings import PrepareSettings, ReportSettings
from mlops_framework.aws.clients import client
from mlops_framework.aws.drift_publisher import BusAndTopic, EmbeddedMetrics
from mlops_framework.aws.model_monitor import NAMESPACE, SOURCE, S3Files, SageMakerJobs
from mlops_framework.model_monitor.service import Preparation, Reporting


@cache
def preparation() -> Preparation:
    """Preparing an analysis, made once per execution environment."""
    logging.getLogger().setLevel(PrepareSettings.from_environ().log_level)
    return Preparation(S3Files(client("s3")), SageMakerJobs(client("sagemaker")))


@cache
def reporting() -> Reporting:
    """Telling of runs, made once per execution environment."""
    settings = ReportSettings.from_environ()
    logging.getLogger().setLevel(settings.log_level)
    return Reporting(
        files=S3Files(client("s3")),
        jobs=SageMakerJobs(client("sagemaker")),
        publisher=BusAndTopic(
            client("events"),
            client("sns"),
            bus="default",
            topic_arn=settings.alert_topic_arn,
            source=SOURCE,
        ),
        metrics=EmbeddedMetrics(_log_line, _now, settings.environment_prefix, NAMESPACE),
        labels={
            "environment": settings.environment_prefix,
            "pipeline_id": settings.pipeline_id,
            "monitoring_type": settings.monitoring_type,
            "model_name": settings.model_name,
            "endpoint_name": settings.endpoint_name,
        },
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _log_line(line: str) -> None:
    """Write a bare line to the log: CloudWatch reads metrics only from lines that are JSON."""
    print(line, flush=True)
