"""A record of a local AWS, held against the policies of the roles in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.iam import calls
from tests.iam.account import Account
from tests.iam.policies import Ask, permitted
from tests.iam.reference import problem
from tests.iam.running import running

# Nobody has a policy for a bucket that a test made up.
_NOT_THERE_AT_ALL = frozenset({"NoSuchBucket"})


@dataclass
class Findings:
    """What came of it.

    Attributes:
        asked: How often each role asked for each action.
        operations: How often each operation was called.
        missing: What a role needed and was not allowed, and for what.
        wrong: What this check itself does not know, or knows wrongly.
    """

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    missing: dict[str, None] = field(default_factory=dict)
    wrong: dict[str, None] = field(default_factory=dict)
    _held: dict[str, bool] = field(default_factory=dict, init=False)

    def changed(self) -> None:
        """Forget what roles were allowed: a policy is another one now."""
        self._held.clear()

    def ask(self, account: Account, role: str, ask: Ask, purpose: str) -> None:
        """Hold one permission against a role as it is now."""
        self.asked[role, ask.action] += 1
        tags = {f"aws:ResourceTag/{key}": tag for key, tag in account.tags(ask.resource).items()}
        ask = replace(ask, context={**ask.context, **tags})
        question = f"{role} {ask}"
        if question in self._held:
            return
        self._held[question] = True
        if fault := problem(ask):
            self.wrong[f"{purpose}: {fault}"] = None
            return
        try:
            identity, boundary = account.policies(role)
        except LookupError as error:
            self.wrong[f"{purpose}: {error}"] = None
            return
        if not permitted(identity, boundary, ask):
            by = "its permissions boundary" if permitted(identity, None, ask) else "no policy of it"
            name = role.rpartition("/")[2]
            self.missing[f"{name}: {ask} (for {purpose}; {by} allows it)"] = None


def check(lines: Iterable[Mapping[str, Any]]) -> Findings:
    """Read a record from its beginning.

    Args:
        lines: As :mod:`mlops_framework.local.plane.record` writes them.
    """
    account, findings = Account(), Findings()
    for line in lines:
        if line["kind"] == "call":
            _call(account, findings, line)
            continue
        account.apply(line)
        if line["type"].startswith("AWS::IAM::"):
            findings.changed()
    return findings


def read(record: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a record."""
    with record.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _call(account: Account, findings: Findings, line: Mapping[str, Any]) -> None:
    purpose = f"{line['service']}.{line['operation']}"
    findings.operations[purpose] += 1
    if line["error"] in _NOT_THERE_AT_ALL:
        return
    try:
        function = account.function(line["function"])
        asks = calls.asks_of(line, account)
    except LookupError as error:
        findings.wrong[f"{purpose}: {error}"] = None
        return
    own = str(function.properties["Role"])
    for ask in asks:
        findings.ask(account, line["role"] or own, ask, purpose)
    for ask, why in running(function, account):
        findings.ask(account, own, ask, why)
