"""A monitor's job definition, which is immutable and so is replaced by every change."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from mlops_framework.blueprints.monitors._base.places import Places
from mlops_framework.cdk.blueprint import BlueprintStack, either

_INPUT = "/opt/ml/processing/input/endpoint"
_OUTPUT = "/opt/ml/processing/output"


class JobDefinition:
    """Writes one of the four L1 job definitions, which differ in their names and in few members.

    Args:
        stack: The monitor's stack.
        places: Its locations.
        construct: The L1 class, ``sagemaker.CfnDataQualityJobDefinition`` for example.
        noun: Its members' prefix, ``data_quality`` for example.
    """

    def __init__(self, stack: BlueprintStack, places: Places, construct: Any, noun: str) -> None:
        self._stack = stack
        self._places = places
        self._construct = construct
        self._noun = noun

    def resource(
        self,
        role_arn: str,
        *,
        application: dict[str, Any],
        baseline: dict[str, str],
        fields: tuple[str, ...],
        isolated: bool,
    ) -> Any:
        """The definition, there as long as there is a baseline.

        Args:
            role_arn: Of its jobs.
            application: Members of the kind's application specification beside the image.
            baseline: URIs of the baseline's files by member, ``constraints_resource`` for example.
            fields: Fields of the contract that are members of the input, by the same names.
            isolated: Whether the environment's network isolation may hold for the container.
        """
        kind, stack = self._construct, self._stack
        definition = kind(
            stack,
            "JobDefinition",
            role_arn=role_arn,
            job_resources=kind.MonitoringResourcesProperty(
                cluster_config=kind.ClusterConfigProperty(
                    instance_count=stack.number("instance_count"),
                    instance_type=stack.text("instance_type"),
                    volume_size_in_gb=stack.number("volume_size_gb"),
                    volume_kms_key_id=either(
                        self._places.takes_a_key, self._places.key_arn, cdk.Aws.NO_VALUE
                    ),
                )
            ),
            stopping_condition=kind.StoppingConditionProperty(
                max_runtime_in_seconds=stack.number("max_runtime_seconds")
            ),
            network_config=self._network(isolated),
            **{
                f"{self._noun}_app_specification": self._member("AppSpecification")(
                    image_uri=stack.text("image_uri"),
                    environment={"publish_cloudwatch_metrics": stack.text("published_metrics")},
                    **application,
                ),
                f"{self._noun}_baseline_config": self._member("BaselineConfig")(
                    **{
                        member: self._resource(member)(s3_uri=uri)
                        for member, uri in baseline.items()
                    }
                ),
                f"{self._noun}_job_input": self._member("JobInput")(**self._input(fields)),
                f"{self._noun}_job_output_config": kind.MonitoringOutputConfigProperty(
                    kms_key_id=self._places.key_arn,
                    monitoring_outputs=[
                        kind.MonitoringOutputProperty(
                            s3_output=kind.S3OutputProperty(
                                local_path=_OUTPUT,
                                s3_uri=self._places.reports,
                                s3_upload_mode="EndOfJob",
                            )
                        )
                    ],
                ),
            },
        )
        definition.cfn_options.condition = self._places.has_baseline
        return definition

    def _member(self, name: str) -> Any:
        return getattr(self._construct, f"{_pascal(self._noun)}{name}Property")

    def _resource(self, member: str) -> Any:
        return getattr(self._construct, f"{_pascal(member)}Property")

    def _input(self, fields: tuple[str, ...]) -> dict[str, Any]:
        """An endpoint's captures or a batch transform's, and the truth where the kind wants it.

        Plain dicts with CloudFormation's own names: the L1 classes translate theirs only where no
        condition stands between.
        """
        stack = self._stack
        batch = stack.left_empty("endpoint_name").logical_id
        common: dict[str, Any] = {
            "LocalPath": _INPUT,
            "S3DataDistributionType": "FullyReplicated",
            "S3InputMode": "File",
            **{_pascal(field): self._unless_empty(field) for field in fields if field in _TEXTS},
            **{_pascal(field): stack.text(field) for field in fields if field in _OFFSETS},
        }
        if "probability_threshold" in fields:
            common["ProbabilityThresholdAttribute"] = cdk.Fn.condition_if(
                stack.left_empty("probability_threshold").logical_id,
                cdk.Aws.NO_VALUE,
                stack.text("probability_threshold"),
            )
        endpoint = {"EndpointName": stack.text("endpoint_name"), **common}
        transform = {
            "DataCapturedDestinationS3Uri": self._places.captures,
            "DatasetFormat": self._format(),
            **common,
        }
        members: dict[str, Any] = {
            "endpoint_input": cdk.Fn.condition_if(batch, cdk.Aws.NO_VALUE, endpoint),
            "batch_transform_input": cdk.Fn.condition_if(batch, transform, cdk.Aws.NO_VALUE),
        }
        if "ground_truth_location" in fields:
            members["ground_truth_s3_input"] = self._construct.MonitoringGroundTruthS3InputProperty(
                s3_uri=stack.text("ground_truth_location")
            )
        return members

    def _unless_empty(self, field: str) -> Any:
        stack = self._stack
        return either(stack.left_empty(field), cdk.Aws.NO_VALUE, stack.text(field))

    def _format(self) -> Any:
        """Of batch captures."""
        stack = self._stack
        detail = stack.text("capture_detail")
        return cdk.Fn.condition_if(
            stack.when("CapturesJson", "capture_kind", "json").logical_id,
            {"Json": {"Line": detail}},
            {"Csv": {"Header": detail}},
        )

    def _network(self, isolated: bool) -> Any:
        kind, network = self._construct, self._stack.config.networking
        return kind.NetworkConfigProperty(
            enable_inter_container_traffic_encryption=True,
            enable_network_isolation=bool(network and network.network_isolation and isolated),
            vpc_config=kind.VpcConfigProperty(
                subnets=list(network.subnet_ids),
                security_group_ids=list(network.security_group_ids),
            )
            if network
            else None,
        )


_TEXTS = frozenset(
    {
        "features_attribute",
        "inference_attribute",
        "probability_attribute",
        "exclude_features_attribute",
    }
)
_OFFSETS = frozenset({"start_time_offset", "end_time_offset"})


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
