"""The guard rails keep to what the platform asks of an extension, and do what they are for."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from acme_blueprints.guard_rails import GuardRails
from acme_blueprints.guard_rails.aspects import BoundedLogs, CostCentre
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from mlops_framework.testing.extension_suite import ExtensionSuite


class TestGuardRails(ExtensionSuite):
    extension = GuardRails
    settings = {"cost_centre_tag": "cost-centre"}  # noqa: RUF012
    tags = {"cost-centre": "4711"}  # noqa: RUF012

    def test_its_dashboard_searches_for_the_endpoints_of_the_environment(self, specimen):
        (template,) = specimen.templates.values()
        (dashboard,) = template["Resources"].values()
        assert dashboard["Properties"]["DashboardName"] == "mlops-local-endpoints"
        assert "Invocation5XXErrors" in json.dumps(dashboard["Properties"]["DashboardBody"])


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (logs.RetentionDays.INFINITE, ["Its lines would be kept for ever"]),
        (logs.RetentionDays.TWO_YEARS, ["Its lines would be kept for 731 days"]),
        (logs.RetentionDays.ONE_WEEK, []),
    ],
)
def test_a_log_is_refused_that_is_kept_too_long(days, told):
    refused = []
    stack = cdk.Stack()
    group = logs.LogGroup(stack, "Log", retention=days)

    BoundedLogs(400, lambda _, said: refused.append(said)).visit(group.node.default_child)

    assert [said.split(";")[0] for said in refused] == told


def test_a_stack_without_its_cost_centre_is_refused_once():
    refused = []
    rule = CostCentre("cost-centre", lambda node, _: refused.append(node.node.path))
    app = cdk.App()
    for name in ("Paid", "Unpaid"):
        stack = cdk.Stack(app, name)
        topics = [sns.CfnTopic(stack, topic) for topic in ("First", "Second")]
        if name == "Paid":
            for topic in topics:
                topic.tags.set_tag("cost-centre", "4711")

    for construct in app.node.find_all():
        rule.visit(construct)

    assert refused == ["Unpaid/First"]
