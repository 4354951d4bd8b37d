"""Drift at scale on Spark: SageMaker Processing, EMR Serverless, or any cluster with Python 3.11.

``spark-submit --py-files … drift_spark.py --environment mlops-prod --monitor churn
--from 2026-03-01 --to 2026-04-01``, with this package and its extra ``drift`` on the executors. The
job's role needs what the drift service's scale function has (see ``stacks/drift_stack.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, partial

from mlops_framework.aws.clients import client
from mlops_framework.aws.drift_monitors import ParameterMonitors
from mlops_framework.aws.drift_publisher import EmbeddedMetrics, SilentPublisher
from mlops_framework.aws.drift_scale import S3Listing
from mlops_framework.aws.drift_store import S3Sources, S3Store
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.scale.spark import run
from mlops_framework.drift.scale.steps import Steps
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.drift.windows import moment


@cache
def steps(environment: str) -> Steps:
    """The steps on AWS, made once per executor process."""
    s3 = client("s3", read_seconds=60)
    drift = DriftMonitor(
        monitors=ParameterMonitors(client("ssm"), environment),
        sources=S3Sources(s3),
        store=S3Store(s3),
        publisher=SilentPublisher(),
        metrics=EmbeddedMetrics(_log_line, _now, environment),
        clock=_now,
        keepers=(KeepPredictions(),),
    )
    return Steps(drift, S3Listing(s3))


def main(arguments: Sequence[str]) -> None:
    """Run the job."""
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="prefix, such as mlops-prod")
    parser.add_argument("--monitor", required=True, help="the monitored endpoint")
    parser.add_argument("--from", dest="since", required=True, type=moment)
    parser.add_argument("--to", dest="until", required=True, type=moment)
    given = parser.parse_args(arguments)
    session = SparkSession.builder.appName(f"drift of {given.monitor}").getOrCreate()
    make = partial(steps, given.environment)
    done = run(session.sparkContext, make, given.monitor, given.since, given.until)
    _log_line(json.dumps(done))


def _now() -> datetime:
    return datetime.now(UTC)


def _log_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
