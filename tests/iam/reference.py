"""What IAM itself knows of actions and ARNs: the Service Authorization Reference.

cfn-lint ships it, and is locked here. It keeps our own table honest: an action that does not exist,
or a resource that an action is never checked against, would be asked for in vain.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from tests.iam.policies import Ask


def problem(ask: Ask) -> str | None:
    """What is wrong with an ask, or ``None``."""
    service, _, name = ask.action.partition(":")
    known = _services().get(service, {})
    entry = known.get("Actions", {}).get(name.lower())
    if entry is None:
        return f"IAM has no action {ask.action}"
    formats = [
        format_
        for kind in entry.get("Resources", ())
        for format_ in known["Resources"].get(kind, {}).get("ARNFormats", ())
    ]
    if ask.resource == "*" or not formats:
        return None
    if any(re.fullmatch(_pattern(format_), ask.resource) for format_ in formats):
        return None
    return f"{ask.action} is checked against {', '.join(formats)}, not {ask.resource}"


def _pattern(format_: str) -> str:
    return re.sub(r"[$][{]\w+[}]", "[^:]*", format_)


@cache
def _services() -> dict[str, Any]:
    file = resources.files("cfnlint.data.AdditionalSpecs") / "Policies.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
