"""The evaluator says what IAM's rules say, and says so when it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.policies import Ask, permitted

READ = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::data/drift/*"}
ASK = Ask("s3:GetObject", "arn:aws:s3:::data/drift/a/report.json")


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_what_a_statement_allows_is_permitted_and_nothing_beside_it() -> None:
    own = [policy(READ)]

    assert permitted(own, None, ASK)
    assert not permitted(own, None, Ask("s3:PutObject", ASK.resource))
    assert not permitted(own, None, Ask("s3:GetObject", "arn:aws:s3:::data/other/report.json"))
    assert not permitted([], None, ASK)


def test_actions_are_read_without_case_and_resources_with_it() -> None:
    own = [policy({**READ, "Action": ["S3:getobject"]})]

    assert permitted(own, None, ASK)
    assert not permitted(own, None, Ask("s3:GetObject", "arn:aws:s3:::data/Drift/a"))


def test_a_denial_wins_over_everything() -> None:
    own = [policy(READ), policy({**READ, "Effect": "Deny", "Resource": "*/report.json"})]

    assert not permitted(own, None, ASK)
    assert permitted(own, None, Ask("s3:GetObject", "arn:aws:s3:::data/drift/a/state.json"))


def test_a_boundary_has_to_allow_it_too_and_gives_nothing_itself() -> None:
    ceiling = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::data/*"})

    assert permitted([policy(READ)], ceiling, ASK)
    assert not permitted([], ceiling, ASK)
    assert not permitted(
        [policy({**READ, "Resource": "*"})], policy(READ), Ask("s3:GetObject", "x")
    )


def test_a_condition_holds_only_where_the_request_carries_its_key() -> None:
    wanted = {"StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com"]}}
    own = [policy({**READ, "Condition": wanted})]

    def via(service: str) -> Ask:
        return Ask(ASK.action, ASK.resource, {"kms:viaservice": service})

    assert permitted(own, None, via("s3.us-east-1.amazonaws.com"))
    assert not permitted(own, None, via("sqs.us-east-1.amazonaws.com"))
    assert not permitted(own, None, ASK)


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
        {**READ, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_what_it_does_not_know_is_an_error_and_never_ignored(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not know"):
        permitted([policy(statement)], None, ASK)
