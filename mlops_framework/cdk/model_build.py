"""What the kinds have in common whose work is one SageMaker Pipeline with training jobs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either, object_arn
from mlops_framework.cdk.containers import let_containers_start, let_images_be_pulled
from mlops_framework.cdk.definitions import substituted
from mlops_framework.cdk.reading import let_read
from mlops_framework.cdk.registration import let_models_be_registered
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.starts import Started, start_builds
from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.jobs import SPOT, TrainingJobs
from mlops_framework.model_build.quality import Evaluation, Gate, Registration
from mlops_framework.model_build.volumes import VOLUME_KEY, volume_key

_BY_PIPELINES = "SageMaker Pipelines names jobs pipelines-<execution>-<step>-<suffix> itself."
_IN_LOCATION = (
    "The request names a prefix, and the job reads or writes the objects below it; nothing beside "
    "that prefix matches."
)


class ModelBuildStack(BlueprintStack):
    """Train in some way, evaluate, gate, register.

    Creates: the SageMaker Pipeline, the role of its jobs, and what starts it by itself. The model
    package group is made by delivery's check and outlives the stack with its versions.
    Fixed: encryption of volumes and outputs, registration that waits for a person. You choose: how
    the model is trained, in :meth:`definition`.
    """

    summary: str
    """What the pipeline does, for its description."""

    def build(self) -> None:
        """Define role, pipeline and starts."""
        self.output_location = self.given_or(
            "output_location",
            f"s3://{self.platform.value('data-bucket-name')}/{naming.MODELS_PREFIX}/"
            f"{self.text('model_name')}",
        )
        self.key_arn = self.given_or("kms_key_arn", self.platform.value("key-arn"))
        self.checkpoints = self.given_or(
            "checkpoint_location", f"{self.output_location}/checkpoints"
        )
        self.role = self.sagemaker_role("JobRole", "Runs the jobs of one model build")
        self._let_jobs_run()
        pipeline = self._pipeline()
        # The service checks the role when the pipeline is made, so its policies have to be there.
        pipeline.node.add_dependency(self.role)
        pipeline.add_resource_dependency(let_read(self, self.role))
        start_builds(
            self,
            Started(
                pipeline, self.arn("sagemaker", f"pipeline/{self.deployed_name}"), pipeline=True
            ),
        )
        self.output("PipelineName", self.deployed_name)
        self.output("ModelPackageGroupName", self.text("model_package_group"))
        self.output("TrainingData", self.text("training_data"))
        self.output("OutputLocation", self.output_location)

    @abstractmethod
    def definition(self, evaluation: Evaluation | None, gate: Gate | None) -> PipelineDefinition:
        """The pipeline, for one way to judge the model."""

    def conditions(self) -> Mapping[str, cdk.CfnCondition]:
        """When each option of the definition is there; override and add to it."""
        return {
            SPOT: self.when("OnSpot", "use_spot", "true"),
            VOLUME_KEY: self.when("VolumesTakeAKey", "encrypts_volumes", "true"),
        }

    def job_grants(self) -> Sequence[tuple[perms.Actions, str, str]]:
        """What the pipeline does with which jobs: actions, ARN and why; override and add to it."""
        return tuple(
            (perms.RUN_JOBS, self.arn("sagemaker", f"{kind}/pipelines-*"), _BY_PIPELINES)
            for kind in ("training-job", "processing-job")
        )

    def jobs(self) -> TrainingJobs:
        """The training jobs, as the contract's parameters say."""
        network = self.config.networking
        return TrainingJobs(
            role_arn="${JobRoleArn}",
            image_uri="${ImageUri}",
            input_mode="${InputMode}",
            channels=Splice("InputDataConfig"),
            metric_rules=Splice("MetricRules"),
            hyperparameters=Splice("Hyperparameters"),
            environment=Splice("Environment"),
            output_location="${Output}",
            instance_type="${InstanceType}",
            instance_count=Splice("InstanceCount"),
            volume_size_gb=Splice("VolumeSizeGb"),
            stopping_condition=Splice("StoppingCondition"),
            kms_key_arn="${KeyArn}",
            volume_key=volume_key("${KeyArn}"),
            encrypt_traffic=Splice("EncryptInterContainerTraffic"),
            spot=Splice("UseSpot"),
            checkpoint_location="${Checkpoints}",
            vpc_config={
                "Subnets": list(network.subnet_ids),
                "SecurityGroupIds": list(network.security_group_ids),
            }
            if network
            else None,
            network_isolation=network.network_isolation if network else False,
        )

    def registration(self) -> Registration:
        """How the model is registered, as the contract's parameters say."""
        return Registration(
            group="${ModelPackageGroup}",
            image_uri="${InferenceImageUri}",
            environment=Splice("InferenceEnvironment"),
        )

    def _pipeline(self) -> sagemaker.CfnPipeline:
        evaluation = Evaluation(
            image_uri="${EvaluationImageUri}",
            script="${EvaluationScript}",
            script_name="${EvaluationScriptName}",
            data="${EvaluationData}",
            max_runtime_seconds=Splice("MaxRuntimeSeconds"),
        )
        gate = Gate(
            metric="${QualityMetric}",
            comparison="${Comparison}",
            direction="${QualityDirection}",
            threshold=Splice("QualityThreshold"),
        )
        conditions = self.conditions()
        by_script, by_own_metric, ungated = (
            self._body(self.definition(*judged), conditions)
            for judged in ((evaluation, gate), (None, gate), (None, None))
        )
        body = either(
            self.left_empty("evaluation_script"),
            either(self.left_empty("quality_metric"), ungated, by_own_metric),
            by_script,
        )
        return sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.deployed_name,
            pipeline_description=self.summary,
            pipeline_definition={"PipelineDefinitionBody": body},
            role_arn=self.role.role_arn,
        )

    def _body(
        self, definition: PipelineDefinition, conditions: Mapping[str, cdk.CfnCondition]
    ) -> str:
        at_least = self.node.try_find_child("GoodIsAtLeast") or self.when(
            "GoodIsAtLeast", "quality_direction", "at-least"
        )
        assert isinstance(at_least, cdk.CfnCondition)
        return substituted(
            definition.to_template(),
            {
                "JobRoleArn": self.role.role_arn,
                "KeyArn": self.key_arn,
                "Output": self.output_location,
                "Checkpoints": self.checkpoints,
                "Comparison": either(at_least, "GreaterThanOrEqualTo", "LessThanOrEqualTo"),
            },
            conditions,
        )

    def _let_jobs_run(self) -> None:
        role = self.role
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[
                f"{object_arn(self, self.output_location)}/*",
                f"{object_arn(self, self.checkpoints)}/*",
            ],
            because=_IN_LOCATION,
        )
        allow(
            role,
            actions=[*perms.LIST_BUCKET, *perms.LOCATE_BUCKET],
            resources=[
                f"arn:{self.partition}:s3:::{bucket_of(location)}"
                for location in (self.output_location, self.checkpoints)
            ],
        )
        allow(role, actions=perms.USE_KEY_FOR_VOLUMES, resources=[self.key_arn])
        for actions, arn, why in self.job_grants():
            allow(role, actions=actions, resources=[arn], because=why)
        let_models_be_registered(self, role)
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        let_containers_start(self, role, self.text("image_uri"))
        let_images_be_pulled(self, role, self.text("evaluation_image_uri"))
