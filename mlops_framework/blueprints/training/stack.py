"""What a training pipeline deploys: a SageMaker Pipeline, its role, its trigger."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either, object_arn
from mlops_framework.cdk.containers import let_containers_start
from mlops_framework.cdk.security import allow
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.training import ModelBuild, model_build_definition

_IN_LOCATION = (
    "The request names a prefix, and the job reads or writes the objects below it; nothing beside "
    "that prefix matches."
)


class TrainingStack(BlueprintStack):
    """Train, evaluate, gate, register.

    Creates: the SageMaker Pipeline, the role of its jobs, a rule that starts the pipeline when a
    drift monitor of the model asks for it. The model package group is made by delivery's check and
    outlives the stack with its versions.
    Fixed: encryption of volumes and outputs, the gate before the registry, registration that waits
    for a person.
    """

    def build(self) -> None:
        """Define role, pipeline and trigger."""
        output_location = self.given_or(
            "output_location",
            f"s3://{self.platform.value('data-bucket-name')}/{naming.MODELS_PREFIX}/"
            f"{self.text('model_name')}",
        )
        role = self.sagemaker_role("JobRole", "Runs the jobs of one model build")
        self._let_jobs_run(role, output_location)
        self._pipeline(role, output_location)
        self._retrain_on_drift()

        self.output("PipelineName", self.deployed_name)
        self.output("ModelPackageGroupName", self.text("model_package_group"))

    def _pipeline(self, role: iam.Role, output_location: str) -> None:
        at_least = self.when("GoodIsAtLeast", "quality_direction", "at-least")
        network = self.config.networking
        definition = model_build_definition(
            ModelBuild(
                role_arn="${JobRoleArn}",
                image_uri="${ImageUri}",
                training_data="${TrainingData}",
                evaluation_data="${EvaluationData}",
                source_archive="${SourceArchive}",
                evaluation_script="${EvaluationScript}",
                inference_entry_point="${InferenceEntryPoint}",
                output_location="${Output}",
                hyperparameters=Splice("Hyperparameters"),
                instance_type="${InstanceType}",
                instance_count=Splice("InstanceCount"),
                volume_size_gb=Splice("VolumeSizeGb"),
                max_runtime_seconds=Splice("MaxRuntimeSeconds"),
                metric="${QualityMetric}",
                comparison="${Comparison}",
                direction="${QualityDirection}",
                threshold=Splice("QualityThreshold"),
                model_package_group="${ModelPackageGroup}",
                kms_key_arn="${KeyArn}",
                vpc_config={
                    "Subnets": list(network.subnet_ids),
                    "SecurityGroupIds": list(network.security_group_ids),
                }
                if network
                else None,
                network_isolation=network.network_isolation if network else False,
            )
        )
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.deployed_name,
            pipeline_description=cdk.Fn.sub(
                "Train with ${TrainingEntryPoint}, evaluate, gate, register"
            ),
            pipeline_definition={
                "PipelineDefinitionBody": cdk.Fn.sub(
                    definition.to_template_text(),
                    {
                        "JobRoleArn": role.role_arn,
                        "KeyArn": self.platform.value("key-arn"),
                        "Output": output_location,
                        "Comparison": either(at_least, "GreaterThanOrEqualTo", "LessThanOrEqualTo"),
                    },
                )
            },
            role_arn=role.role_arn,
        )
        # The service checks the role when the pipeline is made, so its policy has to be there.
        pipeline.node.add_dependency(role)

    def _let_jobs_run(self, role: iam.Role, output_location: str) -> None:
        readable = ("training_data", "evaluation_data", "source_archive", "evaluation_script")
        for field in readable:
            allow(
                role,
                actions=perms.READ_OBJECTS,
                resources=[f"{object_arn(self, self.text(field))}*"],
                because=_IN_LOCATION,
            )
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{object_arn(self, output_location)}/*"],
            because=_IN_LOCATION,
        )
        buckets = [bucket_of(self.text(field)) for field in readable] + [bucket_of(output_location)]
        allow(
            role,
            actions=[*perms.LIST_BUCKET, *perms.LOCATE_BUCKET],
            resources=[f"arn:{self.partition}:s3:::{bucket}" for bucket in buckets],
        )
        allow(
            role,
            actions=perms.USE_KEY_FOR_VOLUMES,
            resources=[self.platform.value("key-arn")],
        )
        allow(
            role,
            actions=perms.RUN_JOBS,
            resources=[
                self.arn("sagemaker", "training-job/pipelines-*"),
                self.arn("sagemaker", "processing-job/pipelines-*"),
            ],
            because="SageMaker Pipelines names jobs pipelines-<execution>-<step>-<suffix> itself.",
        )
        allow(
            role,
            actions=perms.REGISTER_MODEL,
            resources=[
                self.arn("sagemaker", f"model-package-group/{self.text('model_package_group')}"),
                self.arn("sagemaker", f"model-package/{self.text('model_package_group')}/*"),
            ],
            because="Versions of this request's own model package group; the registry counts them.",
        )
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        let_containers_start(self, role, self.text("image_uri"))

    def _retrain_on_drift(self) -> None:
        wanted = self.when("RetrainsOnDrift", "retrain_on_drift", "true")
        rule = events.CfnRule(
            self,
            "RetrainingRule",
            description="Starts the model build when a drift monitor of the model asks for it",
            event_pattern={
                "source": ["mlops.drift"],
                "detail-type": ["Retraining Requested"],
                "detail": {
                    "environment": [self.config.prefix],
                    "model_name": [self.text("model_name")],
                },
            },
            state=either(wanted, "ENABLED", "DISABLED"),
            targets=[
                events.CfnRule.TargetProperty(
                    id="ModelBuild",
                    arn=self.arn("sagemaker", f"pipeline/{self.deployed_name}"),
                    role_arn=self.platform.value("sagemaker-event-role-arn"),
                    sage_maker_pipeline_parameters=(
                        events.CfnRule.SageMakerPipelineParametersProperty(
                            pipeline_parameter_list=[]
                        )
                    ),
                )
            ],
        )
        pipeline = self.node.find_child("Pipeline")
        assert isinstance(pipeline, sagemaker.CfnPipeline)
        rule.add_resource_dependency(pipeline)
