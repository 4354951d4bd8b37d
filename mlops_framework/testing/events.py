"""The events that AWS hands to a Lambda function, as AWS writes them.

Sources: *Amazon API Gateway Developer Guide*, "Input format of a Lambda function for proxy
integration"; *AWS CodePipeline User Guide*, "JSON event example" of the Lambda invoke action;
*Amazon S3 User Guide*, "EventBridge event message structure".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

ACCOUNT = "111122223333"
REGION = "us-east-1"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/ana"


def api_event(
    method: str,
    path: str,
    body: object = None,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    caller: str = CALLER,
    encoded: bool = False,
) -> dict[str, Any]:
    """A REST API request with IAM authorization, proxy integration.

    Args:
        method: For example ``POST``.
        path: For example ``/pipelines/income-training``.
        body: Text as it is; anything else becomes JSON; ``None`` = no body.
        query: Query string parameters.
        headers: Request headers.
        caller: ARN of the principal that signed.
        encoded: Whether the body travels in BASE64, as for binary media types.
    """
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    if encoded and text is not None:
        text = base64.b64encode(text.encode()).decode()
    given = {"Content-Type": "application/json", **(headers or {})}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": (
            {name: [value] for name, value in query.items()} if query else None
        ),
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "api0000000",
            "httpMethod": method,
            "path": f"/prod{path}",
            "stage": "prod",
            "requestId": "11111111-2222-4333-8444-555555555555",
            "identity": {"userArn": caller, "accountId": ACCOUNT, "sourceIp": "192.0.2.1"},
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def code_pipeline_event(
    user_parameters: object,
    *,
    job_id: str = "11111111-abcd-4111-8111-111111abcdef",
    continuation_token: str = "",
) -> dict[str, Any]:
    """A job of CodePipeline's Lambda invoke action.

    Args:
        user_parameters: Text as it is; anything else becomes JSON.
        job_id: A new one for every invocation.
        continuation_token: What an earlier invocation of the same action left.
    """
    text = user_parameters if isinstance(user_parameters, str) else json.dumps(user_parameters)
    data: dict[str, Any] = {
        "actionConfiguration": {
            "configuration": {"FunctionName": "delivery", "UserParameters": text}
        },
        "inputArtifacts": [],
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": "unused",
            "secretAccessKey": "unused",
            "sessionToken": "unused",
        },
    }
    if continuation_token:
        data["continuationToken"] = continuation_token
    return {"CodePipeline.job": {"id": job_id, "accountId": ACCOUNT, "data": data}}


def event_bridge_event(source: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """An event as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "99999999-8888-4777-8666-555555555555",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": dict(detail),
    }


class FakeContext:
    """The second argument of a handler."""

    def __init__(self, *, function_name: str = "function", milliseconds: int = 29_000) -> None:
        self.function_name = function_name
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"
        self.memory_limit_in_mb = 256
        self.aws_request_id = "00000000-1111-4222-8333-444444444444"
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""
        return self._milliseconds
