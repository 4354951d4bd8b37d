"""What a card takes from SageMaker's own records: the model, its job, its files of metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from mlops_framework.contracts.faults import faults_of, shown
from mlops_framework.contracts.model_cards.content import MetricGroup
from mlops_framework.contracts.model_cards.requests import (
    METRIC_TYPES,
    CardEvaluation,
    CardSections,
    CardTraining,
)
from mlops_framework.errors import Fault
from mlops_framework.governance.card_metrics import MetricsUnreadable, metric_groups
from mlops_framework.governance.errors import MetricFileUnreadable
from mlops_framework.governance.ports import CardPorts, TrainingFacts

_NAME_LENGTH: Final = 255
_VALUE_LENGTH: Final = 255
_METRICS: Final = 50
_HYPERPARAMETERS: Final = 100
_LOCATIONS: Final = 15


class Discovery:
    """Turns the sections of a request into those of a card; collects every fault on the way.

    What a request says itself wins over what is found out.

    Attributes:
        faults: What could not be found or read.
    """

    def __init__(self, ports: CardPorts) -> None:
        self._ports = ports
        self.faults: list[Fault] = []

    def sections(self, request: CardSections) -> dict[str, Any]:
        """The content that a request gives, complete with what was found out."""
        given: dict[str, Any] = request.model_dump(exclude_none=True, exclude={"status"})
        content = {
            name: section
            for name, section in given.items()
            if name not in ("name", "kms_key_arn", "training_details", "evaluation_details")
        }
        overview = content.get("model_overview", {})
        if overview.get("model_name"):
            content["model_overview"] = self._model(overview)
        if request.training_details is not None:
            content["training_details"] = self._training(request.training_details)
        if request.evaluation_details is not None:
            content["evaluation_details"] = [
                self._evaluation(one, f"evaluation_details.{position}")
                for position, one in enumerate(request.evaluation_details)
            ]
        return content

    def _model(self, overview: Mapping[str, Any]) -> dict[str, Any]:
        """A model of SageMaker's gives its ARN, files and images; another one is as it is told."""
        name = overview["model_name"]
        facts = self._ports.facts.model(name)
        if facts is None:
            if not overview.get("model_id"):
                self._miss(
                    "model_overview.model_name",
                    f"SageMaker has no model {name!r}. For a model that is not SageMaker's give "
                    "model_id beside its name.",
                    "the name of a SageMaker model, or model_id beside it",
                    name,
                )
            return dict(overview)
        found = {
            "model_id": facts.arn,
            "model_artifact": list(facts.artifacts)[:_LOCATIONS],
            "inference_environment": {"container_image": list(facts.images)[:_LOCATIONS]},
        }
        return {**{key: value for key, value in found.items() if value}, **overview}

    def _training(self, request: CardTraining) -> dict[str, Any]:
        section = request.model_dump(exclude_none=True, exclude={"model_name", "training_job_name"})
        facts = None
        if request.training_job_name:
            facts = self._job(request.training_job_name, "training_details.training_job_name")
        elif request.model_name:
            facts = self._job_of_model(request.model_name)
        if facts is not None:
            details = {**_job_details(facts), **section.get("training_job_details", {})}
            section["training_job_details"] = details
        return section

    def _job(self, name: str, path: str) -> TrainingFacts | None:
        facts = self._ports.facts.training_job(name)
        if facts is None:
            said = f"SageMaker has no training job {name!r}."
            self._miss(path, said, "the name of a training job of this account and region", name)
        return facts

    def _job_of_model(self, name: str) -> TrainingFacts | None:
        """The job that wrote the model's file: SageMaker puts its name into the file's path."""
        path = "training_details.model_name"
        model = self._ports.facts.model(name)
        if model is None:
            self._miss(path, f"SageMaker has no model {name!r}.", "the name of a model", name)
            return None
        for artifact in model.artifacts:
            folders = artifact.removeprefix("s3://").split("/")[1:-2]
            for folder in reversed(folders):
                facts = self._ports.facts.training_job(folder)
                if facts is not None and facts.artifact == artifact:
                    return facts
        self._miss(
            path,
            f"No training job is known to have made the model {name!r}. Give training_job_name.",
            "a model whose file still lies where its training job wrote it",
            name,
        )
        return None

    def _evaluation(self, request: CardEvaluation, path: str) -> dict[str, Any]:
        section = request.model_dump(
            exclude_none=True, exclude={"metric_file_s3_url", "metric_type"}
        )
        if request.metric_file_s3_url is None:
            if request.metric_type is not None:
                self._miss(
                    f"{path}.metric_file_s3_url",
                    "metric_type says what wrote a file, and there is none.",
                    "s3://bucket/key",
                    None,
                )
            return section
        if request.metric_type is None:
            accepted = f"one of {', '.join(METRIC_TYPES)}"
            said = f"Say what wrote {request.metric_file_s3_url}: {accepted}."
            self._miss(f"{path}.metric_type", said, accepted, None)
            return section
        groups = self._metrics(request, f"{path}.metric_file_s3_url")
        return {**section, "metric_groups": [*section.get("metric_groups", []), *groups]}

    def _metrics(self, request: CardEvaluation, path: str) -> list[dict[str, Any]]:
        assert request.metric_file_s3_url is not None  # the caller looked
        assert request.metric_type is not None
        uri = request.metric_file_s3_url
        try:
            document = json.loads(self._ports.files.read(uri))
            groups = metric_groups(request.metric_type, document)
            return [
                MetricGroup.model_validate(group).model_dump(exclude_none=True) for group in groups
            ]
        except MetricFileUnreadable as fault:
            self._miss(path, str(fault), "a file that the platform may read", uri)
        except MetricsUnreadable as fault:
            said = f"This is no file of {request.metric_type}: {fault}."
            self._miss(path, said, f"a file that {request.metric_type} names", uri)
        except ValidationError as error:
            inner = faults_of(error, MetricGroup)[0]
            said = f"A metric in this file does not fit into a model card: {inner}"
            self._miss(path, said, inner.accepted, uri)
        except ValueError as fault:
            self._miss(path, f"This is no JSON file: {fault}.", "a JSON file", uri)
        return []

    def _miss(self, path: str, message: str, accepted: str, found: Any) -> None:
        self.faults.append(Fault(path, message, accepted, shown(found) if found else "nothing"))


def _job_details(facts: TrainingFacts) -> dict[str, Any]:
    details = {
        "training_arn": facts.arn,
        "training_datasets": list(facts.datasets)[:_LOCATIONS],
        "training_environment": {"container_image": list(facts.images)[:_LOCATIONS]},
        "training_metrics": [
            {"name": name, "value": value} for name, value in list(facts.metrics.items())[:_METRICS]
        ],
        # Values longer than a card takes are paths and JSON of script mode, not settings.
        "hyper_parameters": [
            {"name": name, "value": value}
            for name, value in facts.hyperparameters.items()
            if len(name) <= _NAME_LENGTH and 0 < len(value) <= _VALUE_LENGTH
        ][:_HYPERPARAMETERS],
    }
    return {name: value for name, value in details.items() if value}
