"""What a policy says to a request: IAM's evaluation of one account, by its documents alone.

An explicit denial wins; otherwise a statement of the role has to allow it and, where the role has a
permissions boundary, one of the boundary too. Only the elements and operators that this project's
policies hold are known; any other is an error, so that nothing is read as less than it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]

_KNOWN = frozenset({"Sid", "Effect", "Action", "Resource", "Condition", "Principal"})


@dataclass(frozen=True)
class Ask:
    """One permission that a request needs.

    Attributes:
        action: ``service:Action``.
        resource: ARN, or ``*`` where IAM knows none for the action.
        context: Condition keys that the request carries.
        some: ``resource`` is a pattern, for a name that is made at run time: it has to be allowed
            for some resource that fits, since which one is not known.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    some: bool = False

    def __str__(self) -> str:
        """As it is told to who reads a failure."""
        given = ", ".join(f"{key}={value}" for key, value in sorted(self.context.items()))
        return f"{self.action} on {self.resource}" + (f" with {given}" if given else "")


def permitted(identity: Iterable[Document], boundary: Document | None, ask: Ask) -> bool:
    """Whether a role may do something.

    Args:
        identity: The role's own policies.
        boundary: Its permissions boundary, if it has one.
        ask: What it needs.

    Raises:
        ValueError: A statement holds what is not known here.
    """
    own = [statement for document in identity for statement in _statements(document)]
    ceiling = _statements(boundary) if boundary is not None else []
    if any(_effect(statement) == "Deny" and _covers(statement, ask) for statement in own + ceiling):
        return False
    return _allows(own, ask) and (boundary is None or _allows(ceiling, ask))


def lets_in(document: Document, principal: Mapping[str, str], ask: Ask) -> bool:
    """Whether a policy of a resource (of a role, a queue, a topic, a key) lets somebody do it.

    Args:
        document: The policy.
        principal: ``{"Service": "events.amazonaws.com"}`` or ``{"AWS": <ARN of a role>}``.
        ask: What they want.

    Raises:
        ValueError: A statement holds what is not known here.
    """
    fitting = [
        _effect(statement)
        for statement in _statements(document)
        # The policy of a role names no resource: it is about the role.
        if _names(statement.get("Principal"), principal)
        and _covers({"Resource": "*", **statement}, ask)
    ]
    return "Allow" in fitting and "Deny" not in fitting


def named(document: Document) -> list[str]:
    """The actions that a policy allows, as it writes them."""
    return [
        action
        for statement in _statements(document)
        if _effect(statement) == "Allow"
        for action in _listed(statement["Action"])
    ]


def _statements(document: Document) -> list[Document]:
    found: Any = document["Statement"]
    statements: list[Document] = found if isinstance(found, list) else [found]
    for statement in statements:
        if unknown := sorted(set(statement) - _KNOWN):
            raise ValueError(f"the evaluator does not know {', '.join(unknown)}: {statement}")
    return statements


def _effect(statement: Document) -> str:
    return str(statement["Effect"])


def _allows(statements: Sequence[Document], ask: Ask) -> bool:
    return any(_effect(one) == "Allow" and _covers(one, ask) for one in statements)


def _covers(statement: Document, ask: Ask) -> bool:
    return (
        any(
            matches(pattern.lower(), ask.action.lower()) for pattern in _listed(statement["Action"])
        )
        and any(_on(pattern, statement, ask) for pattern in _listed(statement["Resource"]))
        and _holds(statement.get("Condition", {}), ask.context)
    )


def _on(pattern: str, statement: Document, ask: Ask) -> bool:
    # A denial of some of what might be meant is not a denial of it.
    if ask.some and _effect(statement) == "Allow":
        return meet(pattern, ask.resource)
    return matches(pattern, ask.resource)


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    given = {key.lower(): value for key, value in context.items()}
    return all(
        _compare(operator, given.get(key.lower()), [str(item) for item in _listed(wanted)])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _compare(operator: str, found: str | None, wanted: Sequence[str]) -> bool:
    match operator:
        case "StringEquals":
            return found in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return found is not None and any(matches(pattern, found) for pattern in wanted)
        case "Bool":
            return found is not None and found.lower() in {item.lower() for item in wanted}
    raise ValueError(f"the evaluator does not know the condition operator {operator}")


def _names(principals: Any, principal: Mapping[str, str]) -> bool:
    if principals == "*":
        return True
    ((kind, who),) = principal.items()
    account = who.split(":")[4] if kind == "AWS" else ""
    return any(
        name in (who, "*", account) or (account and name.endswith(f"::{account}:root"))
        for name in _listed((principals or {}).get(kind, ()))
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def matches(pattern: str, value: str) -> bool:
    """Whether a value fits IAM's pattern, where ``*`` is any text and ``?`` any character."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=4096)
def meet(one: str, other: str) -> bool:
    """Whether some value fits two patterns at once."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and meet(one[1:], other[1:])


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern)
    return re.compile("".join(parts), re.DOTALL)
