"""A construct of Acme's own, and the stack that it stands in."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from mlops_framework.cdk.extension import ExtensionStack
from mlops_framework.environments.models import EnvironmentConfig

_PERIOD_SECONDS = 300
_GRAPHS = (
    ("Requests", "Invocations", "Sum"),
    ("Latency of the model, p90 (microseconds)", "ModelLatency", "p90"),
    ("Errors of the model", "Invocation5XXErrors", "Sum"),
)


class EndpointDashboard(Construct):
    """Traffic, latency and errors of every endpoint of an environment.

    Creates: one CloudWatch dashboard. Fixed: endpoints are searched for by the prefix of their
    names, because they are made at run time. You choose: its name and the prefix.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, prefix: str) -> None:
        """Define the dashboard ``name`` of the endpoints whose names begin with ``prefix``."""
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=name, default_interval=cdk.Duration.days(1)
        )
        dashboard.add_widgets(
            *(_graph(title, metric, statistic, prefix) for title, metric, statistic in _GRAPHS)
        )


class OperationsStack(ExtensionStack):
    """What Acme's people on call look at."""

    def __init__(self, scope: Construct, construct_id: str, *, config: EnvironmentConfig) -> None:
        """Define the stack for an environment."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: every endpoint at a glance",
            guarded=False,  # it makes no role
        )
        name = f"{config.prefix}-endpoints"
        EndpointDashboard(self, "Endpoints", name=name, prefix=config.prefix)
        cdk.CfnOutput(self, "DashboardName", value=name)


def _graph(title: str, metric: str, statistic: str, prefix: str) -> cloudwatch.GraphWidget:
    expression = (
        f'SEARCH(\'{{AWS/SageMaker,EndpointName,VariantName}} MetricName="{metric}" '
        f"{prefix}', '{statistic}', {_PERIOD_SECONDS})"
    )
    return cloudwatch.GraphWidget(
        title=title,
        width=8,
        left=[
            cloudwatch.MathExpression(
                expression=expression,
                label="",
                using_metrics={},
                period=cdk.Duration.seconds(_PERIOD_SECONDS),
            )
        ],
    )
