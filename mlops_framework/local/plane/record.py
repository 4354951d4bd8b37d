"""What happened in the local AWS, one JSON object a line: resources made, calls of functions.

IAM is not enforced here; from this record a test can tell whether it would have let everything
through. Lines are in order, so what a role could do at any moment can be read from those before:

- ``{"kind": "resource", "event": "create" | "update" | "delete", "type", "stack", "logical_id",
  "physical_id", "properties", "attributes"}``: CloudFormation did it; every reference is filled in.
- ``{"kind": "call", "function", "role", "service", "operation", "parameters", "error"}``: a Lambda
  function called an AWS service, by botocore's names, under its own role or, where ``role`` is not
  empty, under one that it took. ``error`` is the code that it was answered with, or empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_framework.local.plane import function_calls


@dataclass(frozen=True)
class Record:
    """A file that is appended to.

    Attributes:
        path: The file.
    """

    path: Path

    def resource(
        self,
        event: str,
        kind: str,
        *,
        stack: str,
        logical_id: str,
        physical_id: str,
        properties: Mapping[str, Any],
        attributes: Mapping[str, Any],
    ) -> None:
        """Writes down what CloudFormation did.

        Args:
            event: ``create``, ``update`` or ``delete``.
            kind: The resource's type.
            stack: Name of its stack; empty where it is not known.
            logical_id: Its name in the template; empty where it is not known.
            physical_id: Its own name or ARN.
            properties: As the template has them, references filled in.
            attributes: What ``Fn::GetAtt`` gives.
        """
        line = {
            "kind": "resource",
            "event": event,
            "type": kind,
            "stack": stack,
            "logical_id": logical_id,
            "physical_id": physical_id,
            "properties": properties,
            "attributes": attributes,
        }
        text = (json.dumps(line, default=str) + "\n").encode()
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, text)
        finally:
            os.close(file)

    def prelude(self) -> str:
        """Python source that makes a process record its AWS calls, to run before anything else."""
        source = Path(function_calls.__file__).read_text(encoding="utf-8")
        return f"{source}\ninstall({str(self.path)!r})\n"
