"""The orchestrator's API, called with Signature Version 4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from mlops_framework.cli.errors import ApiRefused, ApiUnreachable

_SECONDS: Final = 35
"""API Gateway itself gives up after 29."""


class Transport(Protocol):
    """Sends one signed request."""

    def send(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        """HTTP status and body of the answer.

        Raises:
            OSError: If there is no answer.
        """
        ...


class Api:
    """The API's operations, by their paths.

    Args:
        url: Of the API's stage.
        transport: Signs and sends.
    """

    def __init__(self, url: str, transport: Transport) -> None:
        self.url = url.rstrip("/")
        self._transport = transport

    def provision(self, body: Any, *, origin: str = "") -> dict[str, Any]:
        """Request a pipeline; ``origin`` is the folder that the request stands in, if any."""
        query = {"origin": origin} if origin else {}
        return self._call("POST", "/provisionpipeline", body=body, query=query)

    def plan(self, bodies: Mapping[str, Any], *, origin: str, prune: bool) -> dict[str, Any]:
        """What applying a folder of requests would do; changes nothing."""
        body = {"origin": origin, "prune": prune, "files": dict(bodies)}
        return self._call("POST", "/plans", body=body)

    def status(self, pipeline_id: str) -> dict[str, Any]:
        """How a pipeline is doing."""
        return self._call("GET", f"/pipelines/{quote(pipeline_id, safe='')}")

    def delete(self, pipeline_id: str) -> dict[str, Any]:
        """Take a pipeline down."""
        return self._call("DELETE", f"/pipelines/{quote(pipeline_id, safe='')}")

    def pipelines(self) -> list[dict[str, Any]]:
        """Every pipeline, from all pages."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self._call("GET", "/pipelines", query={"next_token": token} if token else {})
            found += page["pipelines"]
            token = page.get("next_token") or ""
            if not token:
                return found

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Any operation, by its path; the commands of model cards use it."""
        return self._call(method, path, body=body, query=query)

    def _call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        try:
            status, text = self._transport.send(method, url, content)
        except OSError as error:
            raise ApiUnreachable(
                f"No answer from {self.url}: {error}. Is the platform deployed and the machine "
                "online? For the local AWS: mlops local status."
            ) from None
        document = _document(text)
        if status >= 400:
            raise ApiRefused(status, document or {"detail": text.decode(errors="replace")[:500]})
        if document is None:
            raise ApiUnreachable(
                f"{url} answered {status} with something that is not JSON; is this the "
                "orchestrator's API?"
            )
        return document


class SignedTransport:
    """botocore's signer and HTTP session.

    Args:
        session: A botocore session with credentials.
        region: That the signature is for.
    """

    def __init__(self, session: Any, region: str) -> None:
        self._session = session
        self._region = region

    def send(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        """HTTP status and body of the answer; see :class:`Transport`."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError, NoCredentialsError
        from botocore.httpsession import URLLib3Session

        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = AWSRequest(method, url, headers=headers, data=body or b"")
        frozen = credentials.get_frozen_credentials()
        SigV4Auth(frozen, "execute-api", self._region).add_auth(request)
        try:
            answer = URLLib3Session(timeout=_SECONDS).send(request.prepare())
        except HTTPClientError as error:
            raise OSError(str(error)) from None
        return answer.status_code, answer.content


def _document(text: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
