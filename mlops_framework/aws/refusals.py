"""From botocore's exceptions to the framework's, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from mlops_framework.orchestration.errors import AccessRefused, ServiceRefused, ServiceUnavailable

Condition = Callable[[str], Exception]
"""Makes the exception for an error code of one call from the service's message."""

_BRANCHES: Final[Mapping[str, type[ServiceRefused]]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "AccessDenied",
                "AccessDeniedException",
                "ExpiredToken",
                "ExpiredTokenException",
                "InvalidClientTokenId",
                "KMSAccessDeniedException",
                "UnauthorizedOperation",
                "UnrecognizedClientException",
            ),
            AccessRefused,
        ),
        **dict.fromkeys(
            (
                "ConcurrentModificationException",
                "ConditionalRequestConflict",
                "InternalError",
                "InternalFailure",
                "InternalServerError",
                "LimitExceededException",
                "OperationAborted",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "RequestTimeout",
                "ServiceException",
                "ServiceUnavailable",
                "SlowDown",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            ),
            ServiceUnavailable,
        ),
    }
)


@contextmanager
def refusals(
    service: str, operation: str, conditions: Mapping[str, Condition] = MappingProxyType({})
) -> Iterator[None]:
    """Run one call; turn what botocore raises into a condition of the caller's.

    Args:
        service: Name for people, for example ``CloudFormation``.
        operation: The call.
        conditions: Error codes that mean something to this caller.

    Raises:
        AccessRefused: The platform's role may not do that.
        ServiceUnavailable: No answer, or too much traffic.
        ServiceRefused: Any other refusal.
    """
    try:
        yield
    except ClientError as error:
        code, message = code_of(error), message_of(error)
        if code in conditions:
            raise conditions[code](message) from error
        raise _BRANCHES.get(code, ServiceRefused)(service, operation, code, message) from error
    except NoCredentialsError as error:
        raise AccessRefused(service, operation, "NoCredentials", str(error)) from error
    except BotoCoreError as error:
        kind = type(error).__name__
        raise ServiceUnavailable(service, operation, kind, str(error)) from error


def code_of(error: ClientError) -> str:
    """The service's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """The service's own words."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)
