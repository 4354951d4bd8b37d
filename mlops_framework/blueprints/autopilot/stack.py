"""What an autopilot pipeline deploys: a state machine, its role, the search's role, its starts."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as states

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either, object_arn
from mlops_framework.cdk.containers import let_containers_work
from mlops_framework.cdk.definitions import substituted
from mlops_framework.cdk.reading import let_read
from mlops_framework.cdk.registration import let_models_be_registered
from mlops_framework.cdk.security import acknowledge, allow
from mlops_framework.cdk.starts import Started, start_builds
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.search import (
    OBJECTIVE,
    SPLIT,
    ModelSearch,
    model_search_definition,
)

_NAMED_BY_AUTOPILOT = (
    "Autopilot names its own jobs and models, and begins each with the search's name, which begins "
    "with the request's prefix."
)
_IN_LOCATION = "The request names the prefix; the search writes its models and reports below it."
_PARTS = (
    *("training-job", "processing-job", "transform-job", "hyper-parameter-tuning-job", "model"),
    "automl-job",
)


class AutopilotStack(BlueprintStack):
    """Search a model, gate, register the best candidate.

    Creates: a state machine that starts the search, waits for it and registers the best candidate;
    its role and the search's; a rule that starts it when a drift monitor of the model asks for it,
    and as the request says a rule for new data and a schedule. The model package group is made by
    delivery's check and outlives the stack with its versions.
    Fixed: encryption of volumes and outputs, registration that waits for a person.
    """

    def build(self) -> None:
        """Define roles, state machine and starts."""
        self.output_location = self.given_or(
            "output_location",
            f"s3://{self.platform.value('data-bucket-name')}/{naming.MODELS_PREFIX}/"
            f"{self.text('model_name')}",
        )
        self.key_arn = self.given_or("kms_key_arn", self.platform.value("key-arn"))
        search = self._search_role()
        machine = self._machine(search)
        machine.add_resource_dependency(let_read(self, search))
        start_builds(self, Started(machine, machine.attr_arn, pipeline=False))
        self.output("StateMachineArn", machine.attr_arn)
        self.output("ModelPackageGroupName", self.text("model_package_group"))
        self.output("TrainingData", self.text("training_data"))
        self.output("OutputLocation", self.output_location)

    def _search_role(self) -> iam.Role:
        role = self.sagemaker_role("SearchRole", "Runs the jobs of one Autopilot search")
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{object_arn(self, self.output_location)}/*"],
            because=_IN_LOCATION,
        )
        allow(
            role,
            actions=[*perms.LIST_BUCKET, *perms.LOCATE_BUCKET],
            resources=[f"arn:{self.partition}:s3:::{bucket_of(self.output_location)}"],
        )
        allow(role, actions=perms.USE_KEY_FOR_VOLUMES, resources=[self.key_arn])
        allow(
            role,
            actions=perms.RUN_SEARCH_PARTS,
            resources=[
                self.arn("sagemaker", f"{part}/{self.text('job_prefix')}-*") for part in _PARTS
            ],
            because=_NAMED_BY_AUTOPILOT,
        )
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        allow(
            role,
            actions=perms.PULL_IMAGE,
            resources=[f"arn:{self.partition}:ecr:{self.region}:*:repository/*"],
            because="Autopilot takes AWS's own images, whose accounts differ by region and by "
            "image; their repositories say who may pull.",
        )
        let_containers_work(self, role)
        return role

    def _machine(self, search: iam.Role) -> states.CfnStateMachine:
        role = self.role_for("MachineRole", "states.amazonaws.com", "Starts and watches a search")
        allow(
            role,
            actions=perms.RUN_AUTOML,
            resources=[self.arn("sagemaker", f"automl-job/{self.text('job_prefix')}-*")],
            because=_NAMED_BY_AUTOPILOT,
        )
        let_models_be_registered(self, role)
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[search.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        machine = states.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=self.deployed_name,
            role_arn=role.role_arn,
            definition_string=self._definition(search),
        )
        # The roles' policies are resources of their own; Step Functions tries its role at once.
        machine.node.add_dependency(role, search)
        acknowledge(
            machine, "SF1", "Step Functions keeps the history of every execution for 90 days."
        )
        acknowledge(machine, "SF2", "It waits for one job of hours; its steps are in that history.")
        return machine

    def _definition(self, search: iam.Role) -> str:
        network = self.config.networking
        at_least = self.when("GoodIsAtLeast", "quality_direction", "at-least")
        gated = self.when("HasGate", "gate", "true")
        written = model_search_definition(
            ModelSearch(
                partition="${AWS::Partition}",
                name_prefix="${JobPrefix}",
                role_arn="${SearchRoleArn}",
                channels=Splice("InputDataConfig"),
                job=Splice("TabularJobConfig"),
                objective="${ObjectiveMetric}",
                split=Splice("DataSplitConfig"),
                output_location="${Output}",
                kms_key_arn="${KeyArn}",
                encrypt_traffic=Splice("EncryptInterContainerTraffic"),
                comparison="${Comparison}",
                threshold=Splice("QualityThreshold"),
                direction="${QualityDirection}",
                below_the_gate="${BelowTheGate}",
                model_package_group="${ModelPackageGroup}",
                vpc_config={
                    "Subnets": list(network.subnet_ids),
                    "SecurityGroupIds": list(network.security_group_ids),
                }
                if network
                else None,
            )
        )
        return substituted(
            written,
            {
                "SearchRoleArn": search.role_arn,
                "KeyArn": self.key_arn,
                "Output": self.output_location,
                "Comparison": either(at_least, "NumericGreaterThanEquals", "NumericLessThanEquals"),
                "BelowTheGate": either(gated, "Reject", "Register"),
            },
            {
                OBJECTIVE: self._given("HasObjective", "objective_metric"),
                SPLIT: self._given("SplitsData", "data_split_config"),
            },
        )

    def _given(self, construct_id: str, field: str) -> cdk.CfnCondition:
        return cdk.CfnCondition(
            self,
            construct_id,
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.text(field), "")),
        )
