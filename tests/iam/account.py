"""An account as the record of a local AWS tells it: what is there, and what each role may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.iam.policies import Document

ACCOUNT = "111122223333"
REGION = "us-east-1"


@dataclass(frozen=True)
class Resource:
    """One resource, as CloudFormation made it.

    Attributes:
        kind: Its type.
        stack: Name of its stack.
        logical_id: Its name in the template.
        physical_id: Its own name or ARN.
        properties: With every reference filled in.
        attributes: What ``Fn::GetAtt`` gives.
    """

    kind: str
    stack: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]

    @property
    def arn(self) -> str:
        """Its ARN, where it has that attribute or is named by it."""
        return str(self.attributes.get("Arn") or self.physical_id)


@dataclass
class Account:
    """What is there after some lines of a record."""

    _there: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _deployed_by: dict[str, str] = field(default_factory=dict)

    def apply(self, line: Mapping[str, Any]) -> Resource:
        """Make, change or forget one resource; gives it as it now is, or was."""
        resource = Resource(
            line["type"],
            line["stack"],
            line["logical_id"],
            line["physical_id"],
            line["properties"],
            line["attributes"],
        )
        of_kind = self._there.setdefault(resource.kind, {})
        if line["event"] == "delete":
            of_kind.pop(resource.physical_id, None)
        else:
            of_kind[resource.physical_id] = resource
        return resource

    def tag(self, resource: str, tags: Mapping[str, str]) -> None:
        """Remember the tags that a call gave to what it made.

        Args:
            resource: ARN.
            tags: Values by key.
        """
        self._tags[resource] = tags

    def tags(self, resource: str) -> Mapping[str, str]:
        """What a call tagged a resource with."""
        return self._tags.get(resource, {})

    def hand(self, stack: str, role: str) -> None:
        """Remember the role that CloudFormation was handed for a stack."""
        self._deployed_by[stack] = role

    def deployed_by(self, stack: str) -> str | None:
        """ARN of that role, or nothing where it was handed none."""
        return self._deployed_by.get(stack)

    def all(self, kind: str) -> Iterator[Resource]:
        """Each resource of a type."""
        return iter(self._there.get(kind, {}).values())

    def find(self, kind: str, name: str) -> Resource | None:
        """The resource of a type that has this name, ARN or address."""
        if name in self._there.get(kind, {}):
            return self._there[kind][name]
        return next(
            (
                found
                for found in self.all(kind)
                if found.arn == name or found.arn.endswith((f":{name}", f"/{name}"))
            ),
            None,
        )

    def function(self, name: str) -> Resource:
        """A Lambda function.

        Raises:
            LookupError: There is none of that name.
        """
        found = self.find("AWS::Lambda::Function", name)
        if found is None:
            raise LookupError(f"no stack made the function {name}")
        return found

    def policies(self, role: str) -> tuple[list[Document], Document | None]:
        """A role's own policies, and its boundary.

        Args:
            role: ARN.

        Raises:
            LookupError: There is no such role, or a policy is AWS's own.
        """
        name = role.rpartition("/")[2]
        found = self.find("AWS::IAM::Role", name)
        if found is None:
            raise LookupError(f"no stack made the role {role}")
        own: list[Document] = [
            item["PolicyDocument"] for item in found.properties.get("Policies", ())
        ]
        own += [
            policy.properties["PolicyDocument"]
            # What does not fit into a role's own policy, CDK puts into a managed one.
            for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            for policy in self.all(kind)
            if name in policy.properties.get("Roles", ())
        ]
        own += [self._managed(arn) for arn in found.properties.get("ManagedPolicyArns", ())]
        boundary = found.properties.get("PermissionsBoundary")
        return own, self._managed(boundary) if boundary else None

    def trust(self, role: str) -> Document:
        """Who may take a role.

        Raises:
            LookupError: There is no such role.
        """
        found = self.find("AWS::IAM::Role", role.rpartition("/")[2])
        if found is None:
            raise LookupError(f"no stack made the role {role}")
        document: Document = found.properties["AssumeRolePolicyDocument"]
        return document

    def own_policy(self, resource: str) -> Document:
        """The policy that a queue, a topic, a key or a function has itself; empty if it has none.

        Args:
            resource: ARN.
        """
        match resource.split(":")[2]:
            case "sqs":
                found = self.find("AWS::SQS::Queue", resource)
                queue = found.physical_id if found else ""
                return self._joined("AWS::SQS::QueuePolicy", "Queues", queue)
            case "sns":
                return self._joined("AWS::SNS::TopicPolicy", "Topics", resource)
            case "kms":
                found = self.find("AWS::KMS::Key", resource)
                return found.properties["KeyPolicy"] if found else {"Statement": []}
            case "lambda":
                return {"Statement": list(self._permissions(resource))}
        raise LookupError(f"say in tests/iam/account.py where the policy of {resource} is")

    def _joined(self, kind: str, member: str, name: str) -> Document:
        statements: list[Any] = []
        for found in self.all(kind):
            if name in found.properties[member]:
                statements += found.properties["PolicyDocument"]["Statement"]
        return {"Statement": statements}

    def _permissions(self, function: str) -> Iterator[Document]:
        for found in self.all("AWS::Lambda::Permission"):
            given = found.properties
            if not function.endswith(f":{given['FunctionName'].rpartition(':')[2]}"):
                continue
            yield {
                "Effect": "Allow",
                "Action": given["Action"],
                "Principal": {"Service": given["Principal"]},
                "Resource": function,
                "Condition": {
                    operator: {key: given[member]}
                    for operator, key, member in (
                        ("ArnLike", "aws:SourceArn", "SourceArn"),
                        ("StringEquals", "aws:SourceAccount", "SourceAccount"),
                    )
                    if member in given
                },
            }

    def _managed(self, arn: str) -> Document:
        found = self.find("AWS::IAM::ManagedPolicy", arn)
        if found is None:
            raise LookupError(f"no stack made the policy {arn}")
        document: Document = found.properties["PolicyDocument"]
        return document

    def bucket_key(self, bucket: str) -> str:
        """ARN of the KMS key that a bucket encrypts with; empty where it is none of ours."""
        found = self.find("AWS::S3::Bucket", bucket)
        rules = (found.properties if found else {}).get("BucketEncryption", {})
        for rule in rules.get("ServerSideEncryptionConfiguration", ()):
            key = rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
            if key:
                return str(key)
        return ""

    def topic_key(self, topic: str) -> str:
        """The same of a topic, by its ARN."""
        found = self.find("AWS::SNS::Topic", topic)
        return str(found.properties.get("KmsMasterKeyId", "")) if found else ""

    def queue_key(self, queue: str) -> str:
        """The same of a queue, by its ARN or its address."""
        found = self.find("AWS::SQS::Queue", queue)
        return str(found.properties.get("KmsMasterKeyId", "")) if found else ""

    def table_key(self, table: str) -> str:
        """The same of a table, by its name or ARN."""
        found = self.find("AWS::DynamoDB::Table", table)
        sse = found.properties.get("SSESpecification", {}) if found else {}
        return str(sse.get("KMSMasterKeyId", ""))


def arn(service: str, tail: str) -> str:
    """ARN of something in this account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{tail}"
