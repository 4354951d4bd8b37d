"""Resolves ``#{namespace.variable}`` in an action's configuration.

Source: CodePipeline user guide, "Variables reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_./-]+)\}")


class VariableUnknown(Exception):
    """A configuration refers to a variable that nothing has set."""


def resolve(
    configuration: Mapping[str, str], namespaces: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Replaces every reference in every value.

    Args:
        configuration: The action's configuration.
        namespaces: Variables by namespace; ``variables`` holds the pipeline's own and
            ``codepipeline`` the execution's id.

    Returns:
        The configuration with values in place.

    Raises:
        VariableUnknown: A reference leads nowhere.
    """
    return {key: _resolved(key, value, namespaces) for key, value in configuration.items()}


def _resolved(key: str, value: str, namespaces: Mapping[str, Mapping[str, str]]) -> str:
    def replacement(match: re.Match[str]) -> str:
        namespace, name = match.groups()
        known = namespaces.get(namespace, {})
        if name not in known:
            listed = ", ".join(f"{ns}.{var}" for ns in namespaces for var in namespaces[ns])
            raise VariableUnknown(
                f"{key} refers to #{{{namespace}.{name}}}, which is not set. Set: {listed}."
            )
        return known[name]

    return _REFERENCE.sub(replacement, value)
