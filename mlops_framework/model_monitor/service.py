"""The two use cases: prepare an analysis, tell of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework.model_monitor.analysis import columns_in, completed
from mlops_framework.model_monitor.errors import AnalysisInvalid
from mlops_framework.model_monitor.ports import Files, Jobs, Metrics, Publisher
from mlops_framework.model_monitor.runs import VIOLATIONS_FILE, Run, judge

FINISHED: Final = "Monitor Run Finished"
CONFIGURATION: Final = "analysis_config.json"
TOLD_FILE: Final = "mlops-run.json"
_HEADER_BYTES: Final = 65536


@dataclass(frozen=True)
class Preparation:
    """Writes the two files that Clarify reads."""

    files: Files
    jobs: Jobs

    def prepare(self, analysis: str, folder: str) -> dict[str, str]:
        """Complete an analysis and write its two configurations.

        Args:
            analysis: S3 URI of what the request says.
            folder: S3 prefix of the baseline.

        Returns:
            Where they are: ``baseline`` and ``monitor``.

        Raises:
            AnalysisInvalid: Something that has to be looked up is not there.
        """
        text = self.files.read(analysis)
        if text is None:
            raise AnalysisInvalid(f"There is no object {analysis}; send the request again.")
        document = json.loads(text)
        headers_of, model_of = document.get("headers_of", ""), document.get("model_of", "")
        baseline, monitor = completed(
            document,
            columns=(
                columns_in(self.files.beginning(headers_of, _HEADER_BYTES), headers_of)
                if headers_of
                else ()
            ),
            model=self.jobs.model_of(model_of) if model_of else "",
        )
        written = {
            "baseline": f"{folder}/{CONFIGURATION}",
            "monitor": f"{folder}/monitor/{CONFIGURATION}",
        }
        self.files.write(written["baseline"], json.dumps(baseline, sort_keys=True))
        self.files.write(written["monitor"], json.dumps(monitor, sort_keys=True))
        return written


@dataclass(frozen=True)
class Reporting:
    """Tells of finished runs; of each one once, though SageMaker sends some events twice.

    What was told is noted beside the report, afterwards: a crash in between tells it twice rather
    than never.
    """

    files: Files
    jobs: Jobs
    publisher: Publisher
    metrics: Metrics
    labels: Mapping[str, str]

    def report(self, job_name: str) -> Run | None:
        """Look at a job that ended, and tell of it if it was a run of a monitor.

        Returns:
            The run; nothing for other jobs, and for what was told before.
        """
        job = self.jobs.look(job_name)
        if not job.is_run:
            return None
        told = f"{job.output}/{TOLD_FILE}" if job.output else ""
        if told and self.files.read(told) is not None:
            return None
        violations = self.files.read(f"{job.output}/{VIOLATIONS_FILE}") if job.output else None
        run = judge(job, violations)
        detail: dict[str, Any] = run.detail(self.labels)
        self.metrics.record(run.monitor, run.metrics())
        self.publisher.event(FINISHED, detail)
        if alert := run.alert():
            self.publisher.alert(*alert)
        if told:
            self.files.write(told, json.dumps(detail, sort_keys=True))
        return run
