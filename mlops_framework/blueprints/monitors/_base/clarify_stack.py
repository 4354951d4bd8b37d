"""What the two kinds that run AWS's Clarify deploy."""

from __future__ import annotations

from typing import Any

from mlops_framework.blueprints.monitors._base.stack import MonitorStack, let_shadow_endpoints_run
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import bucket_of, either, object_arn
from mlops_framework.cdk.function import FunctionShape, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.model_build.baseline import (
    Baseline,
    Input,
    LambdaStep,
    baseline_definition,
)
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.volumes import volume_key

_CONFIGURATION = "analysis_config.json"


class ClarifyStack(MonitorStack):
    """A bias or explainability monitor.

    Clarify's configuration names columns and a model, which a request need not: a function looks
    them up in the baseline data and at the endpoint, as the first step of the baseline pipeline.
    """

    isolated = False  # Clarify asks the model over the network.

    def baseline(self) -> None:
        """Prepare, then one processing job, which is left out where the request brings its result.

        Preparation is needed even then: runs read what it writes.
        """
        function = self._prepare_function()
        let_shadow_endpoints_run(self, self.role)
        allow(self.role, actions=perms.INVOKE_FUNCTION, resources=[function.function_arn])
        prepare = LambdaStep(
            name="Prepare",
            function_arn="${PrepareArn}",
            arguments={
                "analysis": "s3://${ArtifactBucket}/${AnalysisKey}",
                "folder": "${BaselineFolder}",
            },
        )
        job = Baseline(
            role_arn="${JobRoleArn}",
            image_uri="${ImageUri}",
            inputs=(
                Input("dataset", "${BaselineData}", "input/data"),
                Input("analysis_config", f"${{BaselineFolder}}/{_CONFIGURATION}", "input/config"),
            ),
            output_name="analysis_result",
            output_location="${BaselineFolder}",
            environment={},
            instance_type="${InstanceType}",
            instance_count=Splice("InstanceCount"),
            volume_size_gb=Splice("VolumeSizeGb"),
            max_runtime_seconds=Splice("BaselineMaxRuntimeSeconds"),
            kms_key_arn="${KeyArn}",
            volume_key=volume_key("${KeyArn}"),
            **self.network(),
        )
        known = {
            "PrepareArn": function.function_arn,
            "ArtifactBucket": self.platform.value("artifact-bucket-name"),
        }
        body = either(
            self.left_empty("baseline_constraints_location"),
            self.filled(baseline_definition(job, prepare), **known),
            self.filled(baseline_definition(None, prepare), **known),
        )
        self.baseline_pipeline(body)

    def baseline_files(self) -> dict[str, str]:
        """Clarify calls its constraints an analysis."""
        return {"constraints_resource": self.places.baseline_file("constraints", "analysis.json")}

    def application(self) -> dict[str, Any]:
        """What the preparation of the settled baseline wrote."""
        return {"config_uri": f"{self.places.settled_baseline}/monitor/{_CONFIGURATION}"}

    def _prepare_function(self) -> PythonFunction:
        bundle = self.bundler.bundle("monitors")
        function = PythonFunction(
            self,
            "Prepare",
            bundle=bundle,
            handler="prepare:handler",
            settings=bundle.settings("PrepareSettings"),
            environment={},
            description="Writes Clarify's configuration",
            logs=self.logs,
            shape=FunctionShape(timeout_seconds=60),
        )
        artifacts = self.platform.bucket_arn("artifact-bucket-name")
        data = self.places.given("baseline_data")
        allow(
            function,
            actions=perms.READ_OBJECTS,
            resources=[f"{artifacts}/requests/{self.text('pipeline_id')}/documents/*"],
            because="Files of this pipeline's requests are named by their content.",
        )
        allow(
            function,
            actions=perms.READ_OBJECTS,
            resources=[f"{object_arn(self, data)}*"],
            because="The request names a prefix or an object; its header row is read.",
        )
        allow(
            function,
            actions=perms.LIST_BUCKET,
            resources=[artifacts, f"arn:{self.partition}:s3:::{bucket_of(data)}"],
        )
        allow(
            function,
            actions=["s3:PutObject"],
            resources=[f"{object_arn(self, self.places.baselines)}/*"],
            because="Every baseline has a folder of its own below this place.",
        )
        allow(
            function,
            actions=perms.USE_KEY,
            resources=[self.places.key_arn, self.platform.value("key-arn")],
        )
        allow(
            function,
            actions=perms.READ_SERVING,
            resources=[
                self.arn("sagemaker", f"{kind}/*") for kind in ("endpoint", "endpoint-config")
            ],
            because="The endpoint is the request's, its configuration is named by whoever made it.",
        )
        return function
