"""The table of what CloudFormation needs, held against CloudFormation's own registry."""

from __future__ import annotations

import pytest

from mlops_framework.cdk import perms
from mlops_framework.cdk.deploy_role import ROLE_CONTENT
from mlops_framework.cdk.deploy_types import PASSED_TO, TYPES
from tests.iam.handlers import ONLY_WITH, called, needed

UNREGISTERED = frozenset({"AWS::CodeBuild::Project"})
"""Types whose handlers the registry says nothing of."""


@pytest.mark.parametrize("kind", sorted(set(TYPES) - UNREGISTERED))
def test_the_table_holds_what_the_handlers_of_a_type_call(kind: str) -> None:
    entry = TYPES[kind]
    held = {*entry.changes, *entry.reads}
    if kind in ("AWS::IAM::Role", "AWS::IAM::Policy"):
        held |= set(ROLE_CONTENT)
    if kind in PASSED_TO or entry.passes_role_to:
        held |= set(perms.PASS_ROLE)
    if entry.key:
        held |= set(perms.GRANT_KEY)

    assert sorted(needed(kind) - held) == []


def test_nothing_is_left_out_that_no_handler_calls() -> None:
    unknown = {kind: sorted(set(actions) - called(kind)) for kind, actions in ONLY_WITH.items()}

    assert {kind: actions for kind, actions in unknown.items() if actions} == {}
