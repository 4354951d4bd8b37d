"""Observability: one dashboard, the platform's alarms, and events written so that people read them.

Owned by whoever is on call. Reads the metrics of functions, queue and API by reference from the
stacks that own them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from constructs import Construct

from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.naming import ENVIRONMENT_TAG
from stacks.announcements import Announcement, announcements

_HOUR_SECONDS = 3600


@dataclass(frozen=True)
class Watched:
    """What the platform's other stacks offer to be watched.

    Attributes:
        functions: Role in the platform to function name.
        queue: Name of the profile queue.
        dead_letters: Name of its dead letter queue.
        api: Name of the REST API.
    """

    functions: dict[str, str]
    queue: str
    dead_letters: str
    api: str


class ObservabilityStack(FrameworkStack):
    """Dashboard, alarms, announcements, and the budget if there is one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        watched: Watched,
        **kwargs: Any,
    ) -> None:
        """Define the stack for an environment."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: dashboard, alarms, announcements",
            guarded=False,  # it makes no roles
            **kwargs,
        )
        self._watched = watched
        self._period = cdk.Duration.minutes(config.alarms.period_minutes)
        self._dashboard()
        if config.alarms.enabled:
            self._alarms()
        for announcement in announcements(config.prefix):
            self._announce(announcement)
        self._budget()

    def _alarms(self) -> None:
        limits = self.config.alarms
        for role, name in self._watched.functions.items():
            self._alarm(
                f"{role}Errors",
                self._metric("AWS/Lambda", "Errors", FunctionName=name),
                limits.function_errors,
                f"Function {role} fails; its log says why",
            )
        self._alarm(
            "DeadLetters",
            self._metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "Maximum",
                QueueName=self._watched.dead_letters,
            ),
            1,
            "Capture files could not be profiled after several attempts; they wait in the queue",
        )
        self._alarm(
            "QueueAge",
            self._metric(
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                "Maximum",
                QueueName=self._watched.queue,
            ),
            limits.queue_age_seconds,
            "Capture files wait too long to be profiled",
        )
        self._alarm(
            "ApiServerErrors",
            self._metric("AWS/ApiGateway", "5XXError", ApiName=self._watched.api),
            limits.api_server_errors,
            "The platform's API answers with server errors",
        )

    def _alarm(
        self, construct_id: str, metric: cloudwatch.Metric, threshold: float, text: str
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            f"{construct_id}Alarm",
            alarm_description=text,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_actions = [self.platform.value("alert-topic-arn")]

    def _metric(
        self, namespace: str, name: str, statistic: str = "Sum", **dimensions: str
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=self._period,
        )

    def _dashboard(self) -> None:
        functions = self._watched.functions
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.config.prefix,
            default_interval=cdk.Duration.days(1),
        )

        def graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
            return cloudwatch.GraphWidget(title=title, left=metrics, width=8)

        def per_function(name: str, statistic: str) -> list[cloudwatch.IMetric]:
            return [
                self._metric("AWS/Lambda", name, statistic, FunctionName=function)
                for function in functions.values()
            ]

        dashboard.add_widgets(
            graph(
                "API: requests and errors",
                [
                    self._metric("AWS/ApiGateway", name, ApiName=self._watched.api)
                    for name in ("Count", "4XXError", "5XXError")
                ],
            ),
            graph("Functions: errors", per_function("Errors", "Sum")),
            graph("Functions: duration (p90)", per_function("Duration", "p90")),
        )
        dashboard.add_widgets(
            graph(
                "Captures: waiting and failed",
                [
                    self._metric(
                        "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=queue
                    )
                    for queue in (self._watched.queue, self._watched.dead_letters)
                ],
            ),
            self._search("Drift: largest effect by monitor", "LargestEffect", "Maximum"),
            self._search("Drift: records profiled", "RecordsProfiled", "Sum"),
        )

    def _search(self, title: str, metric: str, statistic: str) -> cloudwatch.GraphWidget:
        """Monitors are made at run time, so their metrics are searched for."""
        expression = (
            f'SEARCH(\'{{MLOps/Drift,Environment,Monitor}} MetricName="{metric}" '
            f"Environment=\"{self.config.prefix}\"', '{statistic}', {_HOUR_SECONDS})"
        )
        return cloudwatch.GraphWidget(
            title=title,
            width=8,
            left=[
                cloudwatch.MathExpression(
                    expression=expression, label="", using_metrics={}, period=cdk.Duration.hours(1)
                )
            ],
        )

    def _announce(self, announcement: Announcement) -> None:
        events.CfnRule(
            self,
            announcement.name,
            description=f"Tells people: {announcement.text}",
            event_pattern=announcement.pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="People",
                    arn=self.platform.value("alert-topic-arn"),
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=announcement.paths,
                        input_template=f'"{announcement.text}"',
                    ),
                )
            ],
        )

    def _budget(self) -> None:
        budget = self.config.budget
        if budget is None:
            return
        addresses = [
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
            for email in self.config.notifications.emails
        ]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self.config.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=budget.monthly_limit_usd, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:{ENVIRONMENT_TAG}${self.config.prefix}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type="ACTUAL",
                        comparison_operator="GREATER_THAN",
                        threshold=budget.alert_percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=addresses,
                )
            ]
            if addresses
            else None,
        )
