"""What Lambda does under a function's role around its calls: logs, traces, events, failures.

Source: the Lambda developer guide's pages on execution roles, SQS event sources and destinations.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.iam.account import Account, Resource, arn
from tests.iam.calls import key
from tests.iam.policies import Ask


def running(function: Resource, account: Account) -> Iterator[tuple[Ask, str]]:
    """The permissions, each with what it is for.

    Args:
        function: The function that runs.
        account: Where it runs.
    """
    group = function.properties.get("LoggingConfig", {}).get("LogGroup")
    stream = arn("logs", f"log-group:{group or f'/aws/lambda/{function.physical_id}'}:log-stream:1")
    yield Ask("logs:CreateLogStream", stream.rpartition(":log-stream")[0] + ":*"), "its log"
    yield Ask("logs:PutLogEvents", stream), "its log"
    if function.properties.get("TracingConfig", {}).get("Mode") == "Active":
        for action in ("PutTraceSegments", "PutTelemetryRecords"):
            yield Ask(f"xray:{action}", "*"), "its traces"
    for source in account.all("AWS::Lambda::EventSourceMapping"):
        if source.properties["FunctionName"] == function.physical_id:
            queue = source.properties["EventSourceArn"]
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield Ask(f"sqs:{action}", queue), "its queue"
            for ask in key(account.queue_key(queue), "sqs", "Decrypt"):
                yield ask, "its queue"
    for invocation in account.all("AWS::Lambda::EventInvokeConfig"):
        if invocation.properties["FunctionName"] != function.physical_id:
            continue
        for outcome in invocation.properties.get("DestinationConfig", {}).values():
            yield from _delivering(outcome["Destination"], account)


def _delivering(destination: str, account: Account) -> Iterator[tuple[Ask, str]]:
    why = "what failed"
    match destination.split(":")[2]:
        case "sqs":
            yield Ask("sqs:SendMessage", destination), why
            asks = key(account.queue_key(destination), "sqs", "GenerateDataKey", "Decrypt")
        case "sns":
            yield Ask("sns:Publish", destination), why
            asks = key(account.topic_key(destination), "sns", "GenerateDataKey", "Decrypt")
        case service:
            raise LookupError(f"say in tests/iam/running.py what delivering to {service} needs")
    yield from ((ask, why) for ask in asks)
