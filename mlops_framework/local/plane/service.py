"""What every local service is made of: named operations, checked on the way in and out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, StructureShape

from mlops_framework.local.plane import shapes

if TYPE_CHECKING:
    from mlops_framework.local.plane.host import PlaneHost

_log = logging.getLogger(__name__)
_MARK = "_aws_operation"
Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Scope:
    """The account and region a call acts in.

    Attributes:
        account: Twelve digits.
        region: For example ``us-east-1``.
    """

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Builds ``arn:aws:<service>:<region>:<account>:<resource>``."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


class AwsFault(Exception):
    """An error a service answers its caller with.

    Attributes:
        code: AWS's error code, for example ``ValidationException``.
        message: The sentence the caller reads.
        status: The HTTP status.
        members: Further members of the error shape, by name (``OriginalMessage``, ...).
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Keeps the parts; ``str()`` gives the message alone."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


def operation(name: str) -> Callable[[Method], Method]:
    """Marks a method as the implementation of one AWS operation.

    Args:
        name: The operation as botocore spells it, for example ``CreateTrainingJob``.

    Returns:
        A decorator for ``method(self, request, scope) -> response``.
    """

    def mark(method: Method) -> Method:
        setattr(method, _MARK, name)
        return method

    return mark


class LocalService:
    """One AWS service, as far as it is carried.

    A subclass sets :attr:`name` and decorates methods with :func:`operation`. A method receives
    the request already checked against AWS's own model (timestamps as aware datetimes, blobs as
    bytes) and returns the response as a mapping, which is checked just the same. It raises
    :class:`AwsFault` for an error that belongs to the caller.

    Attributes:
        name: botocore's name of the service.
        validation_code: The error code this service uses for a malformed request.
    """

    name: ClassVar[str]
    validation_code: ClassVar[str] = "ValidationException"

    def __init__(self, host: PlaneHost) -> None:
        """Collects the operations.

        Args:
            host: What the service may ask of the emulator around it.

        Raises:
            ValueError: An operation does not exist in AWS's model of this service.
        """
        self.host = host
        self.model: ServiceModel = host.service_model(self.name)
        self._operations: dict[str, Callable[..., Any]] = {}
        for attribute in dir(type(self)):
            carried = getattr(getattr(type(self), attribute, None), _MARK, None)
            if carried is None:
                continue
            if carried not in self.model.operation_names:
                raise ValueError(
                    f"{type(self).__name__}.{attribute} claims the operation {carried!r}, "
                    f"which AWS's model of {self.name!r} does not have; correct the name."
                )
            self._operations[carried] = getattr(self, attribute)

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations carried, sorted."""
        return tuple(sorted(self._operations))

    def operation_model(self, name: str) -> OperationModel:
        """Looks an operation up in AWS's model.

        Raises:
            AwsFault: ``UnknownOperationException`` when AWS has no such operation.
        """
        try:
            return self.model.operation_model(name)
        except OperationNotFoundError:
            raise AwsFault(
                "UnknownOperationException", f"{self.name} has no operation {name!r}.", 404
            ) from None

    def call(self, name: str, request: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
        """Runs one operation: check, do, check.

        Args:
            name: The operation.
            request: Its parameters, as boto3 would pass them.
            scope: The account and region.

        Returns:
            The response, free of ``None`` members.

        Raises:
            AwsFault: The operation is not carried, the request is malformed, or the service
                refused it.
        """
        model = self.operation_model(name)
        method = self._operations.get(name)
        if method is None:
            raise AwsFault(
                "NotCarriedByLocalAws",
                f"The local AWS does not carry {self.name}:{name}. "
                f"It carries: {', '.join(self.operations)}.",
                501,
            )
        parameters = shapes.decode(model.input_shape, request) if model.input_shape else {}
        if model.input_shape is not None:
            found = shapes.faults(model.input_shape, parameters)
            if found:
                raise AwsFault(self.validation_code, shapes.sentence(found))
        response: dict[str, Any] = _without_none(dict(method(parameters, scope) or {}))
        self._check_response(name, model.output_shape, response)
        return response

    def _check_response(
        self, name: str, shape: StructureShape | None, response: dict[str, Any]
    ) -> None:
        if shape is None:
            if response:
                _log.error("%s:%s answers %s but has no output", self.name, name, sorted(response))
                raise AwsFault("InternalFailure", f"{name} has no output in AWS's model.", 500)
            return
        found = shapes.faults(shape, response)
        if found:
            # Our own mistake, not the caller's: say so instead of letting boto3 drop the member.
            _log.error("%s:%s answers wrongly: %s", self.name, name, found)
            raise AwsFault(
                "InternalFailure",
                f"The local AWS answered {self.name}:{name} against AWS's model: "
                + shapes.sentence(found),
                500,
            )


def snake_case(name: str) -> str:
    """``CreateTrainingJob`` -> ``create_training_job``, as boto3 names its methods."""
    return re.sub(r"(?<!^)(?=[A-Z][a-z])|(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
