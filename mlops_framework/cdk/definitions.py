"""From a written definition to the property of a resource that holds it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk

from mlops_framework.cdk.blueprint import either
from mlops_framework.model_build.writing import TemplateText, variables_in


def substituted(
    written: TemplateText,
    variables: Mapping[str, str],
    conditions: Mapping[str, cdk.CfnCondition],
) -> str:
    """The text with everything put in that the template knows.

    Args:
        written: The definition.
        variables: Texts by name; names that are not here are parameters of the template.
        conditions: Of each option of the text, by name, when it is there.

    Raises:
        KeyError: An option has no condition.
    """
    options = {
        name: either(conditions[name], _sub(text, variables), "")
        for name, text in written.options.items()
    }
    return _sub(written.text, {**variables, **options})


def _sub(text: str, variables: Mapping[str, str]) -> str:
    used = set(variables_in(text))
    return cdk.Fn.sub(text, {name: value for name, value in variables.items() if name in used})
