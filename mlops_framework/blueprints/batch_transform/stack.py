"""What a batch-transform pipeline deploys: a model, a pipeline of one job, and what starts it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_scheduler as scheduler

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, either, object_arn
from mlops_framework.cdk.containers import let_containers_start
from mlops_framework.cdk.definitions import substituted
from mlops_framework.cdk.security import allow
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.transform import (
    CAPTURE,
    INPUT_KEY,
    BatchTransform,
    batch_transform_definition,
)
from mlops_framework.model_build.volumes import VOLUME_KEY

_RETRY_FOR_SECONDS = 3600
_IN_LOCATION = (
    "The request names a prefix, and the job reads or writes the objects below it; nothing beside "
    "that prefix matches."
)


class BatchTransformStack(BlueprintStack):
    """Score objects with one model.

    Creates: the model, a SageMaker Pipeline whose one step is the transform job, a role for each,
    a rule that tells people of a job that failed; as the request says a schedule with its role and
    a rule for new data. Fixed: encryption of volumes, predictions and captures. CloudFormation
    names the model, because a change replaces it.
    """

    def build(self) -> None:
        """Define model, pipeline and starts."""
        data = f"s3://{self.platform.value('data-bucket-name')}"
        self._key_arn = self.given_or("kms_key_arn", self.platform.value("key-arn"))
        self._output = self.given_or(
            "output_location", f"{data}/{naming.PREDICTIONS_PREFIX}/{self.text('model_name')}"
        )
        self._captures = self.given_or(
            "data_capture_location", f"{data}/{naming.CAPTURES_PREFIX}/{self.text('pipeline_id')}"
        )
        model = self._model()
        pipeline = self._pipeline(model)
        self._on_schedule(pipeline)
        self._on_new_data(pipeline)
        self._tell_of_failures(model)

        self.output("PipelineName", self.deployed_name)
        self.output("RunOnDeployment", self.text("run_on_deployment"))
        self.output("ModelName", model.attr_model_name)
        self.output("InputLocation", self.text("input_location"))
        self.output("OutputLocation", self._output)

    def _model(self) -> sagemaker.CfnModel:
        package = self.text("model_package_name")
        packaged = cdk.CfnCondition(
            self,
            "FromPackage",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(package, "")),
        )
        none = cdk.Aws.NO_VALUE
        network = self.config.networking
        role = self.sagemaker_role("ModelRole", "Reads the input, runs the model, writes")
        self._let_it_score(role, packaged)
        model = sagemaker.CfnModel(
            self,
            "ScoringModel",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=either(packaged, package, none),
                image=either(packaged, none, self.text("image_uri")),
                model_data_url=either(packaged, none, self.text("model_artifact_location")),
            ),
            enable_network_isolation=network.network_isolation if network else None,
            vpc_config=sagemaker.CfnModel.VpcConfigProperty(
                subnets=list(network.subnet_ids),
                security_group_ids=list(network.security_group_ids),
            )
            if network
            else None,
        )
        # SageMaker tries the role on the artefact when the model is made.
        model.node.add_dependency(role)
        # W1030: cfn-lint tries the parameters' empty defaults, which the condition keeps out.
        # W3005 is .cfnlintrc's, which this setting replaces.
        self.template_options.metadata = {
            "cfn-lint": {"config": {"ignore_checks": ["W1030", "W3005"]}}
        }
        return model

    def _let_it_score(self, role: iam.Role, packaged: cdk.CfnCondition) -> None:
        data = self.platform.bucket_arn("data-bucket-name")
        artifact = self.text("model_artifact_location")
        bucket = f"arn:{self.partition}:s3:::{self.text('input_bucket')}"
        listed = self.when("ReadsManifest", "s3_data_type", "ManifestFile")
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[f"{data}/{naming.MODELS_PREFIX}/*", f"{data}/{naming.CODE_PREFIX}/*"],
            because="A model package names an artefact below models/ and scripts below code/; "
            "which ones, only the registry knows.",
        )
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[
                either(packaged, f"{data}/{naming.MODELS_PREFIX}", object_arn(self, artifact))
            ],
        )
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[f"{bucket}/{either(listed, '*', self.text('input_key'))}*"],
            because="A prefix means the objects whose names begin with it; a manifest names "
            "objects anywhere in its bucket.",
        )
        allow(role, actions=[*perms.LIST_BUCKET, *perms.LOCATE_BUCKET], resources=[bucket, data])
        allow(
            role,
            actions=perms.WRITE_OBJECTS,
            resources=[
                f"{object_arn(self, self._output)}/*",
                f"{object_arn(self, self._captures)}/*",
            ],
            because=_IN_LOCATION,
        )
        allow(
            role,
            actions=perms.USE_KEY_FOR_VOLUMES,
            resources=[self._key_arn, self.platform.value("key-arn")],
        )
        # A package does not tell CloudFormation its image; it is in this account or AWS's.
        let_containers_start(self, role, either(packaged, "*.dkr", self.text("image_uri")))

    def _pipeline(self, model: sagemaker.CfnModel) -> sagemaker.CfnPipeline:
        role = self.sagemaker_role("PipelineRole", "Starts the transform jobs of one pipeline")
        allow(
            role,
            actions=perms.RUN_TRANSFORM_JOBS,
            resources=[self.arn("sagemaker", "transform-job/pipelines-*")],
            because="SageMaker Pipelines names jobs pipelines-<execution>-<step>-<suffix> itself.",
        )
        allow(role, actions=perms.GRANT_KEY, resources=[self._key_arn])
        body = substituted(
            batch_transform_definition(_transform()).to_template(),
            {
                "Model": model.attr_model_name,
                "Key": self._key_arn,
                "Output": self._output,
                "Captures": self._captures,
                "OutputPath": self._output_path(),
            },
            {
                CAPTURE: self.when("CapturesData", "data_capture", "true"),
                VOLUME_KEY: self.when("VolumesTakeAKey", "encrypts_volumes", "true"),
            },
        )
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.deployed_name,
            pipeline_description="Score the objects of an S3 location",
            pipeline_definition={"PipelineDefinitionBody": body},
            role_arn=role.role_arn,
        )
        # The service checks the role when the pipeline is made, so its policy has to be there.
        pipeline.node.add_dependency(role)
        return pipeline

    def _output_path(self) -> str:
        """JSON of the output's location: the same for every run, or with the run's id."""
        by_run = self.when("OutputByRun", "output_layout", "by-run")
        execution = '{"Get":"Execution.PipelineExecutionId"}'
        joined = f'{{"Std:Join":{{"On":"/","Values":["{self._output}",{execution}]}}}}'
        return either(by_run, joined, f'"{self._output}"')

    @property
    def _pipeline_arn(self) -> str:
        return self.arn("sagemaker", f"pipeline/{self.deployed_name}")

    def _on_schedule(self, pipeline: sagemaker.CfnPipeline) -> None:
        wanted = cdk.CfnCondition(
            self,
            "RunsOnSchedule",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(self.text("schedule_expression"), "")
            ),
        )
        role = self.role_for("ScheduleRole", "scheduler.amazonaws.com", "Starts runs on schedule")
        allow(role, actions=perms.START_MODEL_BUILD, resources=[self._pipeline_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Scores the objects of an S3 location",
            schedule_expression=self.text("schedule_expression"),
            schedule_expression_timezone=self.text("schedule_timezone"),
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._pipeline_arn,
                role_arn=role.role_arn,
                sage_maker_pipeline_parameters=(
                    scheduler.CfnSchedule.SageMakerPipelineParametersProperty(
                        pipeline_parameter_list=[]
                    )
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_RETRY_FOR_SECONDS, maximum_retry_attempts=3
                ),
            ),
        )
        schedule.add_resource_dependency(pipeline)
        parts = [each for each in role.node.find_all() if isinstance(each, cdk.CfnResource)]
        for resource in (schedule, *parts):
            resource.cfn_options.condition = wanted

    def _on_new_data(self, pipeline: sagemaker.CfnPipeline) -> None:
        rule = events.CfnRule(
            self,
            "NewDataRule",
            description="Scores each object that arrives below the input",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self.text("input_bucket")]},
                    "object": {
                        "key": [{"prefix": self.text("input_key")}],
                        # What consoles make to show a folder is an object of no bytes.
                        "size": [{"numeric": [">", 0]}],
                    },
                },
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Score",
                    arn=self._pipeline_arn,
                    role_arn=self.platform.value("sagemaker-event-role-arn"),
                    sage_maker_pipeline_parameters=(
                        events.CfnRule.SageMakerPipelineParametersProperty(
                            pipeline_parameter_list=[
                                events.CfnRule.SageMakerPipelineParameterProperty(
                                    name=INPUT_KEY, value="$.detail.object.key"
                                )
                            ]
                        )
                    ),
                )
            ],
        )
        rule.cfn_options.condition = self.when("StartsOnNewData", "start_on_new_data", "true")
        rule.add_resource_dependency(pipeline)

    def _tell_of_failures(self, model: sagemaker.CfnModel) -> None:
        """Runs that nobody waits for fail aloud too, with the service's own reason."""
        events.CfnRule(
            self,
            "FailureRule",
            description="Tells people of a transform job that failed",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Transform Job State Change"],
                "detail": {
                    # Jobs of a pipeline carry none of its tags; the model is this stack's alone.
                    "ModelName": [model.attr_model_name],
                    "TransformJobStatus": ["Failed"],
                },
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="People",
                    arn=self.platform.value("alert-topic-arn"),
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={
                            "job": "$.detail.TransformJobName",
                            "reason": "$.detail.FailureReason",
                        },
                        input_template=f'"Batch transform {self.deployed_name}: job <job> failed: '
                        '<reason>"',
                    ),
                )
            ],
        )


def _transform() -> BatchTransform:
    return BatchTransform(
        model_name="${Model}",
        environment=Splice("Environment"),
        input_bucket="${InputBucket}",
        input_key="${InputKey}",
        s3_data_type="${S3DataType}",
        content_type="${ContentType}",
        compression="${Compression}",
        split_type="${SplitType}",
        batch_strategy="${BatchStrategy}",
        max_payload_mb=Splice("MaxPayloadMb"),
        max_concurrent_transforms=Splice("MaxConcurrentTransforms"),
        invocation_timeout_seconds=Splice("InvocationTimeoutSeconds"),
        invocation_retries=Splice("InvocationRetries"),
        input_filter="${InputFilter}",
        output_filter="${OutputFilter}",
        join_source="${JoinSource}",
        output_path=Splice("OutputPath"),
        accept="${Accept}",
        assemble_with="${AssembleWith}",
        instance_type="${InstanceType}",
        instance_count=Splice("InstanceCount"),
        kms_key_arn="${Key}",
        capture_location="${Captures}",
        generate_inference_id=Splice("GenerateInferenceId"),
    )
