"""The house Lambda: what every function of the platform and of the blueprints has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.errors import HandlerMissing
from mlops_framework.cdk.security import acknowledge, allow
from mlops_framework.cdk.sources import defines
from mlops_framework.settings import LambdaSettings

_ARCHITECTURES = {
    "aarch64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}


@dataclass(frozen=True)
class LogPolicy:
    """What happens to log lines.

    Attributes:
        retention_days: One of CloudWatch Logs' numbers of days.
        key: Encrypts them.
        retain: Whether the group outlives its stack.
    """

    retention_days: int
    key: kms.IKey
    retain: bool

    def group(self, scope: Construct, construct_id: str, name: str | None = None) -> logs.LogGroup:
        """A log group that follows the policy."""
        group = logs.LogGroup(
            scope,
            construct_id,
            log_group_name=name,
            encryption_key=self.key,
            removal_policy=cdk.RemovalPolicy.RETAIN if self.retain else cdk.RemovalPolicy.DESTROY,
        )
        resource = group.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        # The number as configured: the L2's enumeration has no way in from a number.
        resource.retention_in_days = self.retention_days
        return group


@dataclass(frozen=True)
class FunctionShape:
    """The size of a function, and what is done when it fails asynchronously.

    Attributes:
        memory_mb: Memory, MB; CPU grows with it.
        timeout_seconds: Longest run, seconds.
        on_failure: Takes events that failed every retry; for functions invoked asynchronously.
        retries: Retries of an asynchronous invocation, 0 to 2.
        name: Physical name, only where another stack's template has to know it.
    """

    memory_mb: int = 256
    timeout_seconds: int = 30
    on_failure: lambda_.IDestination | None = None
    retries: int | None = None
    name: str | None = None


class PythonFunction(lambda_.Function):
    """A Python function from ``lambdas/<service>``.

    Creates: the function, its role, its encrypted log group.
    Fixed: the newest Python that Lambda offers, tracing, a role that may write its own log and
    nothing else, an environment that matches the settings class, a handler that exists.
    You choose: the size, the failure destination, and every further permission.

    Example::

        PythonFunction(self, "Profile", bundle=bundler.bundle("drift"), handler="profile:handler",
                       settings=ProfileSettings, environment={"environment": config.prefix},
                       description="…", logs=log_policy)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bundle: Bundle,
        handler: str,
        settings: type[LambdaSettings],
        environment: Mapping[str, str],
        description: str,
        logs: LogPolicy,
        shape: FunctionShape | None = None,
    ) -> None:
        """Define the function and check what can be checked before it is deployed.

        Args:
            scope: Parent.
            construct_id: Id below the parent.
            bundle: The service's code.
            handler: ``"module:function"`` inside the service.
            settings: What the function reads from its environment.
            environment: Values by field name of ``settings``; tokens welcome.
            description: One line for the console.
            logs: Retention and encryption of its log.
            shape: Size and failure handling.

        Raises:
            HandlerMissing: The module or the function does not exist.
            SettingsInvalid: ``environment`` and ``settings`` name different things.
        """
        shape = shape or FunctionShape()
        module, function = _checked_handler(
            bundle, handler, where=f"{scope.node.path}/{construct_id}"
        )
        variables = settings.environment(**environment)
        role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Runs lambdas/{bundle.service} {handler}",
        )
        log_group = logs.group(scope, f"{construct_id}Log")
        super().__init__(
            scope,
            construct_id,
            description=description,
            function_name=shape.name,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=_ARCHITECTURES[bundle.target.machine],
            code=lambda_.Code.from_asset(
                str(bundle.path),
                asset_hash=bundle.digest,
                asset_hash_type=cdk.AssetHashType.CUSTOM,
            ),
            handler=f"lambdas.{bundle.service}.{module}.{function}",
            environment=variables,
            role=role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            memory_size=shape.memory_mb,
            timeout=cdk.Duration.seconds(shape.timeout_seconds),
            on_failure=shape.on_failure,
            retry_attempts=shape.retries,
        )
        allow(role, actions=perms.WRITE_LOGS, resources=[log_group.log_group_arn])
        acknowledge(
            role,
            "IAM5[Resource::*]",
            "Tracing adds xray:PutTraceSegments and xray:PutTelemetryRecords, for which IAM has no "
            "resource; a test lists every action that is granted on *.",
        )


def _checked_handler(bundle: Bundle, handler: str, *, where: str) -> tuple[str, str]:
    module, separator, function = handler.partition(":")
    if not separator or not module.isidentifier() or not function.isidentifier():
        raise HandlerMissing(f"{where}: {handler!r} is no handler; write 'module:function'")
    file = bundle.folder / f"{module}.py"
    if not file.is_file():
        present = ", ".join(sorted(path.stem for path in bundle.folder.glob("*.py")))
        raise HandlerMissing(
            f"{where}: lambdas/{bundle.service} has no module {module!r}; it has {present}"
        )
    if not defines(file, function):
        raise HandlerMissing(
            f"{where}: lambdas/{bundle.service}/{module}.py defines no {function!r}"
        )
    return module, function
