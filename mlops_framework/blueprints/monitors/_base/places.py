"""Where a monitor's data lies: what its jobs read and write, and how they may."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from mlops_framework.blueprints.monitors._base.contract import UNSETTLED
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either, object_arn
from mlops_framework.cdk.containers import let_containers_start
from mlops_framework.cdk.security import allow
from mlops_framework.contracts.parameters import parameter_name

_IN_LOCATION = (
    "The request names a prefix, and the job reads or writes the objects below it; nothing beside "
    "that prefix matches."
)
_NAMED_BY_SAGEMAKER = "SageMaker names a monitor's jobs itself, by kind and time."


class Places:
    """Locations of one monitor, the request's or the data bucket's.

    Attributes:
        name: The monitor's and its schedule's name.
        captures: What endpoints or batch transforms captured.
        baselines: Folder of every baseline this monitor ever had.
        reports: Where runs put their reports.
        key_arn: Key of volumes and outputs.
        takes_a_key: A condition: the instances have volumes, not disks of their own.
        has_baseline: A condition: there is a baseline to compare with.
    """

    def __init__(self, stack: BlueprintStack) -> None:
        """Read them off the stack's parameters."""
        self._stack = stack
        self.name = stack.text("monitor_name")
        # The request holds them all, resolved: see MonitorRequest.resolved.
        self.captures = stack.text("data_capture_location")
        self.baselines = f"{stack.text('baseline_output_location')}/{self.name}/baseline"
        self.reports = stack.text("output_location")
        self.key_arn = stack.given_or("kms_key_arn", stack.platform.value("key-arn"))
        self.takes_a_key = stack.when("VolumesTakeAKey", "encrypts_volumes", "true")
        self.has_baseline = cdk.CfnCondition(
            stack,
            "HasBaseline",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(stack.text("settled_baseline"), UNSETTLED)
            ),
        )

    @property
    def wanted_baseline(self) -> str:
        """Folder of the baseline that the request asks for."""
        return f"{self.baselines}/{self._stack.text('baseline_key')}"

    @property
    def settled_baseline(self) -> str:
        """Folder of the baseline that runs compare with."""
        return f"{self.baselines}/{self._stack.text('settled_baseline')}"

    def given(self, field: str) -> str:
        """A location that may be left out; the monitor's own place stands for nothing then."""
        return self._stack.given_or(field, self.reports)

    def let_jobs_run(self, role: iam.Role, *read: str, carried: tuple[str, ...] = ()) -> None:
        """Give the monitor's role what its jobs do.

        Args:
            role: Of the baseline job and of every run.
            read: Further fields with a location that the jobs read, if it is given.
            carried: Fields with a file of the baseline that is handed on, if it is.
        """
        stack = self._stack
        readable = [
            self.captures,
            *(self.given(field) for field in read),
            *(either(self._nothing_carried(f), self.reports, stack.text(f)) for f in carried),
        ]
        for location in readable:
            allow(
                role,
                actions=perms.READ_OBJECTS,
                resources=[f"{object_arn(stack, location)}*"],
                because=_IN_LOCATION,
            )
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{object_arn(stack, self.baselines)}/*"],
            because=_IN_LOCATION,
        )
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{object_arn(stack, self.reports)}/*"],
            because=_IN_LOCATION,
        )
        buckets = [bucket_of(uri) for uri in (*readable, self.baselines, self.reports)]
        allow(
            role,
            actions=[*perms.LIST_BUCKET, *perms.LOCATE_BUCKET],
            resources=[f"arn:{stack.partition}:s3:::{bucket}" for bucket in buckets],
        )
        allow(
            role,
            actions=perms.USE_KEY_FOR_VOLUMES,
            resources=[self.key_arn, stack.platform.value("key-arn")],
        )
        allow(
            role,
            actions=perms.RUN_PROCESSING_JOBS,
            resources=[
                stack.arn("sagemaker", f"processing-job/{start}-*")
                for start in (
                    "pipelines",
                    "data-quality-monitoring",
                    "model-quality-monitoring",
                    "model-bias-monitoring",
                    "model-explainability-monitoring",
                    "groundtruth-merge",
                )
            ],
            because=_NAMED_BY_SAGEMAKER,
        )
        allow(
            role,
            actions=perms.READ_SERVING,
            resources=[
                stack.arn("sagemaker", f"{kind}/*")
                for kind in ("endpoint", "endpoint-config", "model")
            ],
            because="The endpoint is the request's; its configuration and model change with it.",
        )
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        let_containers_start(stack, role, stack.text("image_uri"))

    def baseline_file(self, noun: str, computed: str) -> str:
        """A file of the settled baseline: the one handed on, the request's own, or the computed.

        Args:
            noun: ``constraints`` or ``statistics``, in the names of the fields.
            computed: What the baseline job calls it.
        """
        stack, field = self._stack, f"baseline_{noun}_location"
        own = either(
            stack.left_empty(field), f"{self.settled_baseline}/{computed}", stack.text(field)
        )
        carried = f"settled_{noun}"
        return either(self._nothing_carried(carried), own, stack.text(carried))

    def _nothing_carried(self, field: str) -> cdk.CfnCondition:
        """A condition: no earlier request brought this file. Declared once."""
        name = f"No{parameter_name(field)}"
        found = self._stack.node.try_find_child(name)
        condition = found or self._stack.when(name, field, UNSETTLED)
        assert isinstance(condition, cdk.CfnCondition)
        return condition
