"""A record of a local AWS, held against the policies of the roles in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from tests.iam import calls
from tests.iam.account import ACCOUNT, Account, Resource
from tests.iam.deploying import deploying, named_in
from tests.iam.handed import stacks_of, uses
from tests.iam.policies import Ask, lets_in, matches, named, permitted
from tests.iam.reference import problem
from tests.iam.running import running
from tests.iam.uses import Use, Visit

# Their guides say so; those of API Gateway, CloudFormation and CodePipeline do not, for the roles
# that they are handed.
_TELL_THE_ACCOUNT = frozenset(
    f"{service}.amazonaws.com"
    for service in ("codebuild", "events", "sagemaker", "scheduler", "states")
)
# Nobody has a policy for a bucket that a test made up.
_NOT_THERE_AT_ALL = frozenset({"NoSuchBucket"})


@dataclass
class Findings:
    """What came of it.

    Attributes:
        asked: How often each role asked for each action.
        operations: How often each operation was called.
        functions: How often each function called something, by its name in the template.
        missing: What a role needed and was not allowed, and what it was first needed for.
        wrong: What this check itself does not know, or knows wrongly.
        granted: The actions that the policies of each role name.
    """

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    missing: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, None] = field(default_factory=dict)
    granted: dict[str, set[str]] = field(default_factory=dict)
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
        self.granted.setdefault(role, set()).update(
            action for document in identity for action in named(document)
        )
        if not permitted(identity, boundary, ask):
            by = "its boundary" if permitted(identity, None, ask) else "its policies"
            told = f"{role.rpartition('/')[2]}: {ask}, not allowed by {by}"
            self.missing.setdefault(told, purpose)

    def never_asked(self) -> dict[str, list[str]]:
        """Actions that a role holds and that nothing here needed, by role."""
        return {
            role: unused
            for role, actions in self.granted.items()
            if (unused := sorted(action for action in actions if (role, action) not in self.asked))
        }

    def use(self, account: Account, use: Use, purpose: str) -> None:
        """Hold a permission against the role that a service was handed, and its trust with it."""
        if use.ask is not None:
            self.ask(account, use.role, use.ask, purpose)
        try:
            trust = account.trust(use.role)
        except LookupError:
            return  # Told already.
        source = {"aws:SourceAccount": ACCOUNT} if use.service in _TELL_THE_ACCOUNT else {}
        taking = Ask("sts:AssumeRole", use.role, source)
        if not lets_in(trust, {"Service": use.service}, taking):
            told = f"{use.role.rpartition('/')[2]}: {use.service}, which it does not trust"
            self.missing.setdefault(told, purpose)

    def visit(self, account: Account, visit: Visit, purpose: str) -> None:
        """Hold a permission against the policy of the resource that a service comes to."""
        self.asked[visit.service, visit.ask.action] += 1
        if fault := problem(visit.ask):
            self.wrong[f"{purpose}: {fault}"] = None
        elif not lets_in(
            account.own_policy(visit.ask.resource), {"Service": visit.service}, visit.ask
        ):
            told = f"{visit.service}: {visit.ask}, which the resource's own policy does not allow"
            self.missing.setdefault(told, purpose)


@dataclass(frozen=True)
class Example:
    """A call that a function may make, and that no test makes it make.

    Attributes:
        function: Pattern of the functions' names in their templates.
        operation: ``<service>.<Operation>``.
        parameters: As it would be made, of the function and its account; ``None`` where its stack
            is not yet so far.
    """

    function: str
    operation: str
    parameters: Callable[[Resource, Account], Mapping[str, Any] | None]

    def by(self, function: Resource, account: Account) -> Mapping[str, Any] | None:
        """The line of a record that it would be."""
        parameters = self.parameters(function, account)
        service, _, operation = self.operation.partition(".")
        return parameters and {
            "kind": "call",
            "function": function.physical_id,
            "role": "",
            "service": service,
            "operation": operation,
            "parameters": parameters,
            "error": "",
        }


def check(lines: Iterable[Mapping[str, Any]], examples: Iterable[Example] = ()) -> Findings:
    """Read a record from its beginning.

    Args:
        lines: As :mod:`mlops_framework.local.plane.record` writes them.
        examples: Calls that are looked at as if their functions had made them.
    """
    account, findings = Account(), Findings()
    whole: dict[str, dict[str, Resource]] = {}  # What waits to be looked at, by stack.
    made_only: set[str] = set()
    rare = tuple(examples)
    for line in lines:
        if line["kind"] == "call":
            _call(account, findings, line)
            if handed := named_in(line):
                account.hand(*handed)
            continue
        # A stack is looked at when it is whole, since its policies may come after what needs them:
        # before it is first changed, before anything of it goes, and at the end.
        there = account.find(line["type"], line["physical_id"])
        stack = line["stack"] or (there.stack if there else "")
        name = f"{line['type']} {line['physical_id']}"
        waiting = whole.setdefault(stack, {})
        if line["event"] == "delete":
            waiting.pop(name, None)
        if line["event"] == "delete" or (line["event"] == "update" and stack in made_only):
            _settle(account, findings, waiting, rare)
            waiting.clear()
            made_only.discard(stack)
        changed = account.apply(line)
        for handed in stacks_of(changed):
            account.hand(*handed)
        if line["event"] != "delete":
            if line["event"] == "create" and not waiting:
                made_only.add(stack)
            waiting[name] = changed
        if line["type"].startswith("AWS::IAM::"):
            findings.changed()
    for waiting in whole.values():
        _settle(account, findings, waiting, rare)
    return findings


def read(record: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a record."""
    with record.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _settle(
    account: Account,
    findings: Findings,
    made: Mapping[str, Resource],
    rare: Iterable[Example],
) -> None:
    for resource in made.values():
        purpose = f"{resource.kind} {resource.logical_id} of {resource.stack}"
        try:
            for found in chain(uses(resource, account), deploying(resource, account)):
                if isinstance(found, Use):
                    findings.use(account, found, purpose)
                else:
                    findings.visit(account, found, purpose)
        except LookupError as error:
            findings.wrong[f"{purpose}: {error}"] = None
        if resource.kind == "AWS::Lambda::Function":
            findings.functions.setdefault(resource.logical_id, 0)
            for example in rare:
                if matches(example.function, resource.logical_id) and (
                    line := example.by(resource, account)
                ):
                    _call(account, findings, line)


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
    findings.functions[function.logical_id] += 1
    own = str(function.properties["Role"])
    for ask in asks:
        findings.ask(account, line["role"] or own, ask, purpose)
    if purpose == "sts.AssumeRole":
        taken = line["parameters"]["RoleArn"]
        if not lets_in(account.trust(taken), {"AWS": own}, Ask("sts:AssumeRole", taken)):
            told = f"{taken.rpartition('/')[2]}: {own}, which it does not trust"
            findings.missing.setdefault(told, purpose)
    for ask, why in running(function, account):
        findings.ask(account, own, ask, why)
