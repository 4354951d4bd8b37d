"""What the product relies on from the emulator itself, each seen working end to end."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest

from mlops_framework.local.emulator import Emulator

T = TypeVar("T")
RECORDER = """
import json, os, boto3
def handler(event, context):
    bad = [record["messageId"] for record in event.get("Records", ())
           if json.loads(record.get("body") or "{}").get("bad")]
    boto3.client("sqs").send_message(QueueUrl=os.environ["SINK"], MessageBody=json.dumps(event))
    return {"batchItemFailures": [{"itemIdentifier": item} for item in bad]}
"""
ASSUMED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]},
        }
    ],
}


def eventually(look: Callable[[], T | None], seconds: float = 30.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


class Stacks:
    """Deploys templates and empties queues."""

    def __init__(self, aws: Emulator) -> None:
        self.aws = aws
        self.cloudformation = aws.client("cloudformation")
        self.sqs = aws.client("sqs")

    def deploy(
        self, resources: Mapping[str, Any], name: str | None = None, **more: Any
    ) -> tuple[str, dict[str, str]]:
        stack = name or f"stack-{uuid.uuid4().hex[:8]}"
        body = json.dumps({"Resources": resources, **more})
        request = {
            "StackName": stack,
            "TemplateBody": body,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        kind = "update" if name else "create"
        getattr(self.cloudformation, f"{kind}_stack")(**request)
        self.cloudformation.get_waiter(f"stack_{kind}_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        found = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return stack, {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", ())}

    def receive(self, queue: str, seconds: float = 30.0) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer = self.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
            for message in answer.get("Messages", ()):
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                body: dict[str, Any] = json.loads(message["Body"])
                return body
            return None

        return eventually(look, seconds)


@pytest.fixture(scope="module")
def stacks(local_aws: Emulator) -> Stacks:
    return Stacks(local_aws)


def key() -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": policy, "EnableKeyRotation": True},
    }


def function(aws: Emulator) -> dict[str, Any]:
    """A function that sends its event to the queue ``Sink`` of its template."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="recorder-code")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", RECORDER)
    s3.put_object(Bucket="recorder-code", Key="code.zip", Body=content.getvalue())
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "Handler": "index.handler",
            "Timeout": 30,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"S3Bucket": "recorder-code", "S3Key": "code.zip"},
            "Environment": {"Variables": {"SINK": {"Ref": "Sink"}}},
        },
    }


def base(aws: Emulator) -> dict[str, Any]:
    return {
        "Key": key(),
        "Sink": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": ASSUMED, "Path": "/mlops/"},
        },
        "Function": function(aws),
    }


def test_a_schedule_invokes_a_function_with_its_context_attributes(
    stacks: Stacks,
) -> None:
    schedule = {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "at(2026-01-01T00:00:00)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": {"Fn::GetAtt": ["Function", "Arn"]},
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "Input": json.dumps(
                    {"monitor": "churn", "scheduled_time": "<aws.scheduler.scheduled-time>"}
                ),
            },
        },
    }
    _, outputs = stacks.deploy(
        {**base(stacks.aws), "Schedule": schedule}, Outputs={"Sink": {"Value": {"Ref": "Sink"}}}
    )
    event = stacks.receive(outputs["Sink"], 90)
    assert event["monitor"] == "churn"
    assert event["scheduled_time"].startswith("20")
    assert event["scheduled_time"].endswith("Z")


def test_an_object_becomes_an_event_a_message_and_a_batch_with_partial_failures(
    stacks: Stacks,
) -> None:
    bucket = f"data-{uuid.uuid4().hex[:8]}"
    queue = {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
            "VisibilityTimeout": 2,
            "RedrivePolicy": {
                "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                "maxReceiveCount": 1,
            },
        },
    }
    resources = {
        **base(stacks.aws),
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BucketName": bucket,
                "NotificationConfiguration": {
                    "EventBridgeConfiguration": {"EventBridgeEnabled": True}
                },
            },
        },
        "Queue": queue,
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sqs:SendMessage",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                        }
                    ],
                },
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {
                        "bucket": {"name": [{"Ref": "Bucket"}]},
                        "object": {"key": [{"prefix": "captures/"}]},
                    },
                },
                "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Sink", "Queue", "Dead")}
    stack, found = stacks.deploy(resources, Outputs=outputs)
    s3 = stacks.aws.client("s3")
    s3.put_object(Bucket=bucket, Key="elsewhere/x.jsonl", Body=b"{}")
    s3.put_object(Bucket=bucket, Key="captures/x.jsonl", Body=b"{}")
    batch = stacks.receive(found["Sink"])
    created = json.loads(batch["Records"][0]["body"])
    assert created["detail"]["object"]["key"] == "captures/x.jsonl"
    assert batch["Records"][0]["eventSource"] == "aws:sqs"
    for bad in (True, False):
        stacks.sqs.send_message(QueueUrl=found["Queue"], MessageBody=json.dumps({"bad": bad}))
    assert stacks.receive(found["Dead"]) == {"bad": True}
    empty = {"QueueUrl": found["Queue"], "AttributeNames": ["ApproximateNumberOfMessages"]}
    eventually(
        lambda: (
            stacks.sqs.get_queue_attributes(**empty)["Attributes"]["ApproximateNumberOfMessages"]
            == "0"
            or None
        )
    )
    stacks.cloudformation.delete_stack(StackName=stack)
    stacks.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    assert s3.head_object(Bucket=bucket, Key="captures/x.jsonl")["ContentLength"] == 2


def test_a_metric_raises_an_alarm_that_reaches_a_queue_through_an_encrypted_topic(
    stacks: Stacks,
) -> None:
    namespace = f"Drift{uuid.uuid4().hex[:8]}"
    resources = {
        "Key": key(),
        "Sink": {"Type": "AWS::SQS::Queue"},
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sns:Publish",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Resource": {"Ref": "Topic"},
                        }
                    ],
                },
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Sink", "Arn"]},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": namespace,
                "MetricName": "Breaches",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [{"Ref": "Topic"}],
            },
        },
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardName": namespace,
                "DashboardBody": json.dumps({"widgets": []}),
            },
        },
    }
    _, found = stacks.deploy(resources, Outputs={"Sink": {"Value": {"Ref": "Sink"}}})
    cloudwatch = stacks.aws.client("cloudwatch")
    assert cloudwatch.get_dashboard(DashboardName=namespace)["DashboardBody"]
    cloudwatch.put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": "Breaches", "Value": 2.0}]
    )
    told = json.loads(stacks.receive(found["Sink"], 60)["Message"])
    assert told["NewStateValue"] == "ALARM"


def test_values_cross_stacks_by_parameter_store_and_by_export(stacks: Stacks) -> None:
    prefix = f"/mlops-{uuid.uuid4().hex[:8]}"
    platform = {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": f"{prefix}/platform/alert-topic-arn",
                "Value": {"Ref": "Topic"},
            },
        },
    }
    export = f"export-{uuid.uuid4().hex[:8]}"
    outputs = {"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": export}}}
    _, provided = stacks.deploy(platform, Outputs=outputs)
    parameter = {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": f"{prefix}/platform/alert-topic-arn",
    }
    _, found = stacks.deploy(
        {"Queue": {"Type": "AWS::SQS::Queue"}},
        Parameters={"TopicArn": parameter},
        Outputs={
            "ByParameter": {"Value": {"Ref": "TopicArn"}},
            "ByExport": {"Value": {"Fn::ImportValue": export}},
        },
    )
    assert found == {"ByParameter": provided["Topic"], "ByExport": provided["Topic"]}


def test_an_api_asks_for_a_signature_and_checks_the_body_against_its_model(
    stacks: Stacks,
) -> None:
    import urllib.error
    import urllib.request

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    schema = {"type": "object", "required": ["pipeline_type"]}
    invoke = {
        "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        "${Function.Arn}/invocations"
    }
    resources = {
        **base(stacks.aws),
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "orders"}},
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {"RestApiId": {"Ref": "Api"}, "ValidateRequestBody": True},
        },
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ContentType": "application/json",
                "Name": "Request",
                "Schema": schema,
            },
        },
        "Orders": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "PathPart": "orders",
            },
        },
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Orders"},
                "HttpMethod": "POST",
                "AuthorizationType": "AWS_IAM",
                "RequestValidatorId": {"Ref": "Validator"},
                "RequestModels": {"application/json": {"Ref": "Model"}},
                "Integration": {
                    "Type": "AWS_PROXY",
                    "IntegrationHttpMethod": "POST",
                    "Uri": invoke,
                },
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Method"],
            "Properties": {"RestApiId": {"Ref": "Api"}},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "v1",
            },
        },
        "Allowed": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "apigateway.amazonaws.com",
            },
        },
    }
    url = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/v1/orders"}
    _, found = stacks.deploy(
        resources, Outputs={"Url": {"Value": url}, "Sink": {"Value": {"Ref": "Sink"}}}
    )
    address = stacks.aws.local_url(found["Url"])

    def post(body: Any, *, signed: bool) -> int:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = AWSRequest("POST", address, data=data, headers=headers)
        if signed:
            credentials = Credentials("111122223333", "local")
            SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
        try:
            prepared = urllib.request.Request(address, data, dict(request.headers), method="POST")
            with urllib.request.urlopen(prepared) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert post({"pipeline_type": "training"}, signed=False) == 403
    assert post({"nothing": 1}, signed=True) == 400
    # The recorder gives no status code, which API Gateway answers with 502; it was invoked.
    assert post({"pipeline_type": "training"}, signed=True) in (200, 502)
    assert json.loads(stacks.receive(found["Sink"])["body"]) == {"pipeline_type": "training"}


def test_an_event_that_a_function_refuses_for_good_reaches_its_failure_destination(
    stacks: Stacks,
) -> None:
    resources = {
        **base(stacks.aws),
        "Invocations": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
                "DestinationConfig": {
                    "OnFailure": {"Destination": {"Fn::GetAtt": ["Dead", "Arn"]}}
                },
            },
        },
        "Dead": {"Type": "AWS::SQS::Queue"},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Function", "Dead")}
    _, found = stacks.deploy(resources, Outputs=outputs)
    # The recorder cannot read a record without a JSON body.
    event = {"Records": [{"messageId": "1", "body": "not JSON"}]}
    stacks.aws.client("lambda").invoke(
        FunctionName=found["Function"], InvocationType="Event", Payload=json.dumps(event).encode()
    )
    told = stacks.receive(found["Dead"])
    assert told["requestPayload"] == event
    assert told["requestContext"]["condition"] == "RetriesExhausted"
