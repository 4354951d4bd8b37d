"""Runs in front of a Lambda function where calls are recorded: writes down each AWS call it makes.

Handed to the function's interpreter as text, in front of the emulator's own worker, so it imports
the standard library and botocore alone. It writes what :mod:`mlops_framework.local.plane.record`
says; bodies are left out, since who may call what does not depend on them.
"""

from __future__ import annotations

import json
import os
from typing import Any

LONGEST_TEXT = 2000
"""Longer texts are cut: templates and payloads, never names."""


def install(path: str) -> None:
    """Registers with every botocore session that this process makes from now on.

    Args:
        path: File that lines are appended to.
    """
    import botocore.handlers

    taken: dict[str, str] = {}  # Access key of a role that was taken: its ARN.

    def given(params: Any, context: Any, **_: Any) -> None:
        # As the caller wrote them; later, they are a request of HTTP.
        context["mlops_call"] = {"parameters": shown(params)}

    def called(model: Any, request_signer: Any, context: Any, **_: Any) -> None:
        credentials = getattr(request_signer, "_credentials", None)
        context.setdefault("mlops_call", {}).update(
            kind="call",
            function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            role=taken.get(getattr(credentials, "access_key", ""), ""),
            service=model.service_model.service_name,
            operation=model.name,
        )

    def answered(context: Any, parsed: Any = None, **_: Any) -> None:
        error = (parsed or {}).get("Error", {}).get("Code", "")
        line = (json.dumps({**context["mlops_call"], "error": error}) + "\n").encode()
        # One write to a file opened for appending: lines of several functions do not mix.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def assumed(context: Any, parsed: Any, **_: Any) -> None:
        if "Credentials" in parsed:
            role = context["mlops_call"]["parameters"].get("RoleArn", "")
            taken[parsed["Credentials"]["AccessKeyId"]] = role

    botocore.handlers.BUILTIN_HANDLERS += [
        ("before-parameter-build", given),
        ("before-call", called),
        ("after-call", answered),
        ("after-call-error", answered),
        ("after-call.sts.AssumeRole", assumed),
    ]


def shown(value: Any) -> Any:
    """A parameter as JSON has it, without what it carries.

    Args:
        value: As it was given to a client.

    Returns:
        The same with texts cut, and ``None`` for bytes and files.
    """
    if isinstance(value, dict):
        return {str(name): shown(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return None
