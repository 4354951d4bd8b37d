"""boto3 clients with the platform's timeouts and retries, made when first used.

botocore's own defaults wait a minute for a connection and a minute for an answer; behind an API
that has 29 seconds, that hides every fault of the network.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10
ATTEMPTS: Final = 3


@cache
def client(service: str, *, read_seconds: int = READ_SECONDS, attempts: int = ATTEMPTS) -> Any:
    """The client of a service in the region and account of the environment.

    Args:
        service: botocore's name of the service, for example ``cloudformation``.
        read_seconds: How long to wait for an answer.
        attempts: Calls in all, the first included; 1 for calls that must not happen twice.
    """
    make: Any = boto3.client  # Its stubs want the service as a literal.
    return make(
        service,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="mlops-framework/1",
        ),
    )
