"""What an acme-shadow-endpoint deploys: a realtime endpoint, and a variant in its shadow."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.realtime_endpoint.stack import RealtimeEndpointStack

SHADOW = "Shadow"


class ShadowEndpointStack(RealtimeEndpointStack):
    """A realtime endpoint with a second model behind it.

    Creates: what a realtime endpoint creates, and the challenger's model. Fixed: SageMaker sends
    copies of requests to the challenger and drops its answers; they are captured like the others.
    You choose: the challenger and its share.
    """

    def build(self) -> None:
        """Define the endpoint, then put the challenger beside it."""
        super().build()
        role = self.node.find_child("ModelRole")
        configuration = self.node.find_child("EndpointConfig")
        assert isinstance(role, iam.Role)
        assert isinstance(configuration, sagemaker.CfnEndpointConfig)

        challenger = sagemaker.CfnModel(
            self,
            "Challenger",
            execution_role_arn=role.role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=self.text("challenger_package_name")
            ),
        )
        challenger.node.add_dependency(role)
        configuration.shadow_production_variants = [
            sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                variant_name=SHADOW,
                model_name=challenger.attr_model_name,
                instance_type=self.text("instance_type"),
                initial_instance_count=self.number("instance_count"),
                initial_variant_weight=self.number("challenger_share"),
            )
        ]
        self.output("ChallengerModelName", challenger.attr_model_name)
