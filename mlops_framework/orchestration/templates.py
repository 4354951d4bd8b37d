"""Whether a CloudFormation template takes the parameters that it is about to be given.

CloudFormation answers the same questions, but only after a stack, a change set and a pipeline run
exist, and one fault at a time.
Source: *AWS CloudFormation User Guide*, "CloudFormation template Parameters syntax" and "quotas".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

TEMPLATE_BODY_LIMIT: Final = 51_200
"""Bytes of a template that is sent with the call."""
TEMPLATE_OBJECT_LIMIT: Final = 1_000_000
"""Bytes of a template that is read from S3."""
VALUE_LIMIT: Final = 4_096
"""Bytes of one parameter value."""
PARAMETER_LIMIT: Final = 200
"""Parameters of one template."""


def declaration_faults(template: Mapping[str, Any], names: frozenset[str]) -> list[str]:
    """What is wrong between the parameters a template declares and the names that will be given.

    Returns:
        One sentence a fault; empty when they agree. A declared parameter with a default may be left
        out: that is how a template reads the platform's values from SSM.
    """
    declared = template.get("Parameters", {})
    faults = [
        f"the template does not declare the parameter {name}"
        for name in sorted(names - declared.keys())
    ]
    faults += [
        f"the template's parameter {name} has no default and nothing gives it a value"
        for name in sorted(declared.keys() - names)
        if "Default" not in declared[name]
    ]
    if len(declared) > PARAMETER_LIMIT:
        faults.append(
            f"it declares {len(declared)} parameters; CloudFormation takes {PARAMETER_LIMIT}"
        )
    return faults


def value_faults(
    template: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """The values that the template's own constraints refuse.

    Yields:
        Parameter name, what is wrong, what is accepted.
    """
    declared = template.get("Parameters", {})
    for name, value in values.items():
        rule = declared.get(name, {})
        size = len(value.encode())
        if size > VALUE_LIMIT:
            yield name, f"it has {size} bytes", f"at most {VALUE_LIMIT} bytes"
        allowed = [str(choice) for choice in rule.get("AllowedValues", ())]
        if allowed and value not in allowed:
            yield name, "it is not one of the accepted values", ", ".join(allowed)
        if "AllowedPattern" in rule and not re.fullmatch(rule["AllowedPattern"], value):
            wanted = (
                rule.get("ConstraintDescription") or f"text that matches {rule['AllowedPattern']}"
            )
            yield name, "it does not have the accepted form", wanted
        yield from _length_faults(name, value, rule)
        if rule.get("Type") == "Number":
            yield from _number_faults(name, value, rule)


def _length_faults(
    name: str, value: str, rule: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    shortest, longest = int(rule.get("MinLength", 0)), int(rule.get("MaxLength", VALUE_LIMIT))
    if not shortest <= len(value) <= longest and len(value.encode()) <= VALUE_LIMIT:
        yield name, f"it has {len(value)} characters", f"{shortest} to {longest} characters"


def _number_faults(
    name: str, value: str, rule: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    try:
        number = float(value)
    except ValueError:
        yield name, "it is no number", "a number"
        return
    low = float(rule.get("MinValue", "-inf"))
    high = float(rule.get("MaxValue", "inf"))
    if not low <= number <= high:
        yield (
            name,
            "it is out of range",
            f"{rule.get('MinValue', '…')} to {rule.get('MaxValue', '…')}",
        )
