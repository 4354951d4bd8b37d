"""The state machine of a distributed run, in Amazon States Language (JSONPath)."""

from __future__ import annotations

from typing import Any, Final

CONCURRENCY: Final = 40
"""Functions at once: a tenth of an account's usual limit of 1,000 is left alone for the others, and
more would only wait for each other's reads."""

_SHORT: Final = "EXPRESS"
"""Children of a third of the price, which end after five minutes whatever they are doing: less than
the function's fifteen, which parts of large windows and jobs of batch transform may need."""

_RETRY: Final = [
    {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 4,
        "JitterStrategy": "FULL",
    }
]


def scale_definition(*, partition: str, steps_arn: str, evaluate_arn: str) -> dict[str, Any]:
    """Plan, profile until nothing is left, merge until every window is small, join, evaluate.

    The input is ``{"monitor", "from", "to"}``. Profiles never go through a state: the lists of work
    are objects that the map states read, and a step answers how many there are.

    Args:
        partition: Of the region, ``aws`` as a rule.
        steps_arn: The function of ``lambdas/drift/scale.py``.
        evaluate_arn: The function that evaluates a monitor.
    """
    asked = {"monitor.$": "$.monitor", "from.$": "$.from", "to.$": "$.to"}
    run = {"run.$": "$$.Execution.Name"}

    def one(name: str, **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": steps_arn,
            "Parameters": {"step": name, **asked, **run},
            "Retry": _RETRY,
            **more,
        }

    def each(
        name: str, at: str, item: str, following: str, children: str = "STANDARD"
    ) -> dict[str, Any]:
        return {
            "Type": "Map",
            "Label": name.capitalize(),
            "MaxConcurrency": CONCURRENCY,
            "ItemReader": {
                "Resource": f"arn:{partition}:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket.$": f"{at}.bucket", "Key.$": f"{at}.key"},
            },
            "ItemSelector": {
                "step": name,
                "monitor.$": "$.monitor",
                f"{item}.$": "$$.Map.Item.Value",
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": children},
                "StartAt": name.capitalize(),
                "States": {
                    name.capitalize(): {
                        "Type": "Task",
                        "Resource": steps_arn,
                        # What a state may hold is limited, and nobody reads the answers.
                        "ResultSelector": {},
                        "Retry": _RETRY,
                        "End": True,
                    }
                },
            },
            "ResultPath": None,
            "Next": following,
        }

    return {
        "Comment": "Profiles what is not profiled, merges and joins what is too large, evaluates.",
        "StartAt": "Begin",
        "States": {
            "Begin": {
                "Type": "Pass",
                "Parameters": {**asked, "at.$": "$.from"},
                "Next": "Plan",
            },
            "Plan": one(
                "plan",
                Parameters={
                    "step": "plan",
                    "monitor.$": "$.monitor",
                    "from.$": "$.at",
                    "to.$": "$.to",
                    **run,
                },
                ResultPath="$.plan",
                Next="AnythingToProfile",
            ),
            "AnythingToProfile": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.plan.items", "NumericGreaterThan": 0, "Next": "ProfileBatches"}
                ],
                "Default": "EverythingPlanned",
            },
            "ProfileBatches": each("profile", "$.plan", "objects", "EverythingPlanned"),
            "EverythingPlanned": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.plan.more", "BooleanEquals": True, "Next": "PlanOn"}],
                "Default": "Group",
            },
            "PlanOn": {
                "Type": "Pass",
                "Parameters": {**asked, "at.$": "$.plan.from"},
                "Next": "Plan",
            },
            "Group": one("group", ResultPath="$.tree", Next="AnythingToMerge"),
            "AnythingToMerge": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.tree.items", "NumericGreaterThan": 0, "Next": "MergeGroups"}
                ],
                "Default": "BeginJoins",
            },
            "MergeGroups": each("merge", "$.tree", "group", "Group", _SHORT),
            "BeginJoins": {
                "Type": "Pass",
                "Parameters": {**asked, "tree.$": "$.tree", "at.$": "$.from"},
                "Next": "PlanJoins",
            },
            "PlanJoins": one(
                "joins",
                Parameters={
                    "step": "joins",
                    "monitor.$": "$.monitor",
                    "from.$": "$.at",
                    "to.$": "$.to",
                    **run,
                },
                ResultPath="$.joins",
                Next="AnythingToJoin",
            ),
            "AnythingToJoin": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.joins.items", "NumericGreaterThan": 0, "Next": "JoinParts"}
                ],
                "Default": "EverythingJoined",
            },
            # Whatever hinders the joining, the columns are judged; the report says what is missing.
            "JoinParts": {
                **each("join", "$.joins", "part", "EverythingJoined"),
                "Catch": [
                    {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "EverythingJoined"}
                ],
            },
            "EverythingJoined": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.joins.more", "BooleanEquals": True, "Next": "JoinOn"}],
                "Default": "EvaluateTimes",
            },
            "JoinOn": {
                "Type": "Pass",
                "Parameters": {**asked, "tree.$": "$.tree", "at.$": "$.joins.from"},
                "Next": "PlanJoins",
            },
            "EvaluateTimes": {
                "Type": "Map",
                "ItemsPath": "$.tree.times",
                # One after the other: windows are told in their order, from one state.
                "MaxConcurrency": 1,
                "ItemSelector": {
                    "monitor.$": "$.monitor",
                    "from.$": "$$.Map.Item.Value.from",
                    "to.$": "$$.Map.Item.Value.to",
                    "distribute": False,
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Evaluate",
                    "States": {
                        "Evaluate": {
                            "Type": "Task",
                            "Resource": evaluate_arn,
                            "ResultSelector": {},
                            "Retry": _RETRY,
                            "End": True,
                        }
                    },
                },
                "ResultPath": None,
                "End": True,
            },
        },
    }
