"""One execution of a pipeline: which step runs when, and what is kept and told about it."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import REASON_LIMIT, iso, now
from mlops_framework.local.plane.sagemaker.pipelines.definition import Definition, Step
from mlops_framework.local.plane.sagemaker.pipelines.expressions import ExpressionError
from mlops_framework.local.plane.sagemaker.pipelines.steps import (
    Run,
    Service,
    StepFailed,
    StepStopped,
    run_step,
)
from mlops_framework.local.plane.service import Scope

FAILED = "Step failure: One or multiple steps failed."
Keep = Callable[[str, Mapping[str, Any]], None]


class Execution:
    """A running pipeline: keeps its steps' results, starts what is ready, waits for the rest."""

    def __init__(
        self,
        host: PlaneHost,
        service: Service,
        scope: Scope,
        *,
        definition: Definition,
        parameters: Mapping[str, Any],
        variables: Mapping[str, Any],
        parallel: int,
        keep: Keep,
    ) -> None:
        """Prepare it.

        Args:
            host: the emulator.
            service: SageMaker.
            scope: account and region.
            definition: what is run.
            parameters: their values.
            variables: the values of `Execution.…`.
            parallel: at most so many steps at once.
            keep: keeps changes of a step's record: its name, and what is new.
        """
        self._host, self._service, self._scope = host, service, scope
        self._definition, self._parameters = definition, parameters
        self._variables, self._parallel, self._keep = variables, parallel, keep
        self._results: dict[str, Mapping[str, Any]] = {}
        self._files: dict[tuple[str, str], Any] = {}
        self._ended: queue.Queue[tuple[str, str]] = queue.Queue()
        self.stop = threading.Event()

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter."""
        return self._parameters[name]

    def variable(self, name: str) -> Any:
        """A value of the execution itself."""
        if name == "CurrentDateTime":
            return iso(now())
        return self._variables[name]

    def result(self, step: str) -> Mapping[str, Any]:
        """What a finished step produced."""
        return self._results[step]

    def property_file(self, step: str, name: str) -> Any:
        """The JSON content of a file that a processing step wrote; read once.

        Raises:
            ExpressionError: the file is not there, or is not JSON.
        """
        if (step, name) in self._files:
            return self._files[step, name]
        output, path = self._definition.steps[step].property_files[name]
        outputs = self._results[step].get("ProcessingOutputConfig", {}).get("Outputs", [])
        place = next((each for each in outputs if each["OutputName"] == output), None)
        if place is None:
            raise ExpressionError(f"The step {step!r} has no output {output!r}.")
        uri = f"{place['S3Output']['S3Uri'].rstrip('/')}/{path}"
        try:
            bucket, key = objects.split(uri)
            body = self._host.client("s3", self._scope).get_object(Bucket=bucket, Key=key)["Body"]
            content = json.loads(body.read())
        except (ClientError, BotoCoreError, objects.DataError) as error:
            raise ExpressionError(
                f"The property file {name!r} of the step {step!r} cannot be read from {uri}: "
                f"{error}"
            ) from error
        except ValueError as error:
            raise ExpressionError(
                f"The property file {name!r} of the step {step!r} ({uri}) is not JSON: {error}"
            ) from error
        self._files[step, name] = content
        return content

    def run(self) -> tuple[str, str | None]:
        """Run all steps.

        Returns:
            The execution's status, and why it failed.
        """
        statuses: dict[str, str] = {}
        while True:
            running = sum(status == "Executing" for status in statuses.values())
            if not self.stop.is_set() and "Failed" not in statuses.values():
                for step in self._ready(statuses)[: self._parallel - running]:
                    statuses[step.name] = "Executing"
                    running += 1
                    self._host.spawn(f"step {step.name}", self._do, step)
            if not running:
                break
            name, status = self._ended.get()
            statuses[name] = status
        if "Failed" in statuses.values():
            return "Failed", FAILED
        return ("Stopped", None) if self.stop.is_set() else ("Succeeded", None)

    def _ready(self, statuses: Mapping[str, str]) -> list[Step]:
        """The steps not started yet whose branch is taken and whose forerunners succeeded.

        A step in a branch that is not taken is never ready, nor is what waits for it.
        """
        return [
            step
            for step in self._definition.steps.values()
            if step.name not in statuses
            and all(statuses.get(name) == "Succeeded" for name in step.waits_for)
            and self._taken(step)
        ]

    def _taken(self, step: Step) -> bool:
        if step.branch is None:
            return True
        condition, side = step.branch
        return condition in self._results and self._results[condition]["Outcome"] is side

    def _do(self, step: Step) -> None:
        self._keep(step.name, {"StepStatus": "Executing", "StartTime": now()})
        run = Run(
            service=self._service,
            scope=self._scope,
            execution_id=self._variables["PipelineExecutionId"],
            execution_arn=self._variables["PipelineExecutionArn"],
            values=self,
            stop=self.stop,
            note=lambda metadata: self._keep(step.name, {"Metadata": metadata}),
        )
        status, changes = "Failed", {}
        try:
            self._results[step.name] = run_step(step, run)
            status = "Succeeded"
        except StepStopped:
            status = "Stopped"
        except (StepFailed, ExpressionError) as error:
            changes = {"FailureReason": str(error)[:REASON_LIMIT]}
        except Exception as error:
            told = f"InternalServerError: {type(error).__name__}: {error}"
            changes = {"FailureReason": told[:REASON_LIMIT]}
            raise
        finally:
            self._keep(step.name, {"StepStatus": status, "EndTime": now(), **changes})
            self._ended.put((step.name, status))
