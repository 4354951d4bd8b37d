"""The conditions in which a pipeline cannot be provisioned, shown or removed.

::

    FrameworkFault
    ├── PipelineUnknown        there is no such pipeline
    ├── PipelineBusy           it is being changed; try again later (.retry_after, .running)
    ├── PipelineBroken         CloudFormation cannot bring a stack of it where it has to be; a
    │                          person has to remove the cause (.next_step)
    ├── CatalogueInvalid       the deployed catalogue contradicts itself; the operator's to mend
    └── ServiceRefused         an AWS service said no or did not answer (.service, .code)
        ├── AccessRefused      it said that the platform may not do that
        └── ServiceUnavailable it did not answer in time, or asked for less traffic

    RecordChanged, PipelineMissing, ObjectExists: answers of a port, handled by the use cases and
    never seen by a caller of the API. TakenOver: somebody else goes on with a request.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_framework.errors import FrameworkFault


class PipelineUnknown(FrameworkFault):
    """There is no pipeline of that name in this environment."""

    def __init__(self, pipeline_id: str) -> None:
        self.pipeline_id = pipeline_id
        super().__init__(
            f"There is no pipeline {pipeline_id!r}. A pipeline id is "
            "'<model_name>-<pipeline_type>'; GET /pipelines lists those that exist."
        )


@dataclass(frozen=True)
class Running:
    """What is going on with a pipeline.

    Attributes:
        what: ``request``, ``deletion`` or ``stack``.
        subject: The pipeline or the stack.
        state: How far it is, in the platform's or CloudFormation's word.
        by: Who asked for it; empty if nobody knows.
        since: When it was asked for, ISO 8601; empty if nobody knows.
        correlation_id: Of the request.
    """

    what: str
    subject: str
    state: str = ""
    by: str = ""
    since: str = ""
    correlation_id: str = ""


class PipelineBusy(FrameworkFault):
    """The pipeline is being changed; the same request will be right later.

    Attributes:
        retry_after: Seconds after which it is worth trying again.
        pipeline_id: The pipeline; empty where only a stack is known.
        running: What is going on, if it is known.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: int = 30,
        pipeline_id: str = "",
        running: Running | None = None,
    ) -> None:
        self.retry_after = retry_after
        self.pipeline_id = pipeline_id
        self.running = running
        super().__init__(message)


class PipelineBroken(FrameworkFault):
    """CloudFormation cannot bring a stack where it has to be, whatever is sent.

    Attributes:
        next_step: What a person has to do.
        pipeline_id: The pipeline; empty where only a stack is known.
    """

    def __init__(self, message: str, *, next_step: str, pipeline_id: str = "") -> None:
        self.next_step = next_step
        self.pipeline_id = pipeline_id
        super().__init__(message)


class CatalogueInvalid(FrameworkFault):
    """The catalogue of this deployment contradicts itself; its operator has to deploy again."""


class ServiceRefused(FrameworkFault):
    """An AWS service refused a call.

    Attributes:
        service: The service's name, for example ``CloudFormation``.
        code: Its error code.
    """

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        self.service = service
        self.operation = operation
        self.code = code
        super().__init__(f"{service} refused {operation} ({code}): {message}")


class AccessRefused(ServiceRefused):
    """The platform's own role may not do what it tried; its operator has to grant it."""


class ServiceUnavailable(ServiceRefused):
    """The service did not answer or throttles; the same request may be sent again."""


class RecordChanged(FrameworkFault):
    """A conditional write found another revision than the expected one."""


class TakenOver(FrameworkFault):
    """Another request, or another run of the same one, went on with the pipeline."""


class PipelineMissing(FrameworkFault):
    """There is no CodePipeline of that name."""


class ObjectExists(FrameworkFault):
    """An object that must be new is there already."""
