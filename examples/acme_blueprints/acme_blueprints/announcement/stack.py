"""What an acme-announcement deploys: a Step Functions state machine, and nothing of SageMaker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aws_cdk import aws_stepfunctions as states

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.deploy_types import TypePermissions
from mlops_framework.cdk.security import acknowledge, allow


class AnnouncementStack(BlueprintStack):
    """A state machine of two states.

    Creates: the machine and its role. Fixed: it may publish to the platform's alert topic and do
    nothing else. You choose: sentence and delay. Whoever may start it says when.
    """

    deploy_permissions: ClassVar[Mapping[str, TypePermissions]] = {
        "AWS::StepFunctions::StateMachine": TypePermissions(
            changes=(
                "states:CreateStateMachine",
                "states:UpdateStateMachine",
                "states:DeleteStateMachine",
                "states:TagResource",
                "states:UntagResource",
            ),
            reads=("states:DescribeStateMachine", "states:ListTagsForResource"),
            resources=("states:{region}:{account}:stateMachine:{prefix}*",),
            passes_role_to="states.amazonaws.com",
        )
    }

    def build(self) -> None:
        """Define the role, then the machine."""
        topic = self.platform.value("alert-topic-arn")
        role = self.role_for("MachineRole", "states.amazonaws.com", "Announces one model")
        allow(role, actions=perms.PUBLISH, resources=[topic])
        allow(role, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
        machine = states.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=self.deployed_name,
            role_arn=role.role_arn,
            # As text, because the number in it has to stay a number.
            definition_string=self.to_json_string(
                {
                    "StartAt": "Wait",
                    "States": {
                        "Wait": {
                            "Type": "Wait",
                            "Seconds": self.number("delay_seconds"),
                            "Next": "Announce",
                        },
                        "Announce": {
                            "Type": "Task",
                            "Resource": f"arn:{self.partition}:states:::sns:publish",
                            "Parameters": {"TopicArn": topic, "Message": self.text("sentence")},
                            "End": True,
                        },
                    },
                }
            ),
        )
        # The role's policy is a resource of its own; Step Functions tries the role at once.
        machine.node.add_dependency(role)
        acknowledge(
            machine, "SF1", "Step Functions keeps the history of every execution for 90 days."
        )
        acknowledge(machine, "SF2", "Two states in a row; there is nothing to trace between them.")

        self.output("StateMachineArn", machine.attr_arn)
