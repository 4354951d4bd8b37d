"""The composition root of the drift functions."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from lambdas.drift.settings import BaselineSettings, EvaluateSettings, ProfileSettings
from mlops_framework.aws.clients import client
from mlops_framework.aws.drift_captures import SageMakerCaptures
from mlops_framework.aws.drift_monitors import ParameterMonitors
from mlops_framework.aws.drift_predictor import EndpointPredictor, RuntimeClients
from mlops_framework.aws.drift_publisher import BusAndTopic, EmbeddedMetrics, SilentPublisher
from mlops_framework.aws.drift_scale import MachineDistribution, S3Listing
from mlops_framework.aws.drift_store import S3Sources, S3Store
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.model_monitor_policy.rule import ModelMonitorFiles, ModelMonitorRule
from mlops_framework.drift.ports import Publisher
from mlops_framework.drift.scale.planning import Listing
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.watchers import watchers_of


@cache
def profiling() -> DriftMonitor:
    """Drift monitoring as the profile function uses it, made once per execution environment."""
    settings = ProfileSettings.from_environ()
    return _monitor(settings.environment_prefix, settings.log_level, SilentPublisher())


@cache
def evaluation() -> DriftMonitor:
    """Drift monitoring as the evaluate function uses it."""
    settings = EvaluateSettings.from_environ()
    publisher = BusAndTopic(
        client("events"),
        client("sns"),
        bus=settings.event_bus_name,
        topic_arn=settings.alert_topic_arn,
    )
    monitor = _monitor(settings.environment_prefix, settings.log_level, publisher)
    captures = SageMakerCaptures(client("sagemaker"))
    predictor = EndpointPredictor(
        RuntimeClients(client("sts"), time.monotonic), lambda: uuid.uuid4().hex
    )
    watchers = watchers_of(monitor.store, captures, _now, predictor, time.monotonic)
    distribution = MachineDistribution(client("stepfunctions"), settings.scale_machine_arn)
    return replace(monitor, watchers=watchers, distribution=distribution)


@cache
def scaling() -> tuple[DriftMonitor, Listing]:
    """Drift monitoring as the scale function uses it, and who lists captured objects."""
    settings = ProfileSettings.from_environ()
    monitor = _monitor(settings.environment_prefix, settings.log_level, SilentPublisher())
    return monitor, S3Listing(client("s3", read_seconds=60))


@cache
def baselines() -> DriftMonitor:
    """Drift monitoring as the baseline function uses it."""
    settings = BaselineSettings.from_environ()
    return _monitor(settings.environment_prefix, settings.log_level, SilentPublisher())


def _monitor(environment: str, log_level: str, publisher: Publisher) -> DriftMonitor:
    logging.getLogger().setLevel(log_level)
    s3 = client("s3", read_seconds=60)
    return DriftMonitor(
        monitors=ParameterMonitors(client("ssm"), environment),
        sources=S3Sources(s3),
        store=S3Store(s3),
        publisher=publisher,
        metrics=EmbeddedMetrics(_log_line, _now, environment),
        clock=_now,
        keepers=(KeepPredictions(),),
        filers=(ModelMonitorFiles(),),
        rules=(ModelMonitorRule(),),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _log_line(line: str) -> None:
    """Write a bare line to the log: CloudWatch reads metrics only from lines that are JSON."""
    print(line, flush=True)
