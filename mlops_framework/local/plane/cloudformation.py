"""CloudFormation resource types of the plane: how one is written.

A type is a class with ``create``, ``update`` and ``delete``. What those raise becomes the
resource's status reason in the stack's events, word for word; a boto3 ``ClientError`` reads
"Code: Message (Service: sagemaker, Operation: CreateModel)".
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import AwsFault, Scope

Created = tuple[str, Mapping[str, Any]]
Type = TypeVar("Type", bound="type[ResourceType]")


@dataclass(frozen=True)
class ResourceContext:
    """Where a resource stands.

    Attributes:
        host: The emulator; ``host.client(...)`` calls the service the resource belongs to.
        scope: Account and region of the stack.
        stack_name: The stack.
        logical_id: The resource's name in the template.
        seed: Differs from one replacement to the next; part of generated names.
    """

    host: PlaneHost
    scope: Scope
    stack_name: str
    logical_id: str
    seed: str = ""

    def client(self, service: str) -> Any:
        """A boto3 client in the stack's account and region."""
        return self.host.client(service, self.scope)

    def generated_name(self, limit: int, *, lower: bool = False) -> str:
        """The name CloudFormation gives a resource that has none: stack, logical id, suffix.

        The suffix depends on stack, logical id and replacement alone, so a repeated create finds
        the same one.

        Args:
            limit: The longest name the service takes.
            lower: Whether the service takes lower case only.
        """
        parts = (self.scope.account, self.scope.region, self.stack_name, self.logical_id, self.seed)
        suffix = hashlib.sha256("/".join(parts).encode()).hexdigest()[:12]
        room = limit - len(suffix) - 1
        name = f"{self.stack_name}-{self.logical_id}"[:room].rstrip("-") + f"-{suffix}"
        return name.lower() if lower else name


class ResourceType(ABC):
    """One CloudFormation resource type.

    Attributes:
        type_name: ``AWS::SageMaker::Model``; set by :func:`resource_type`.
        attributes: What ``Fn::GetAtt`` may ask for.
        replaced_by: Properties whose change replaces the resource (new one first, old one
            deleted when the update is through). ``"*"`` for a type that is never changed in
            place.
        name_property: The property that gives the resource its name, or ``None``. A replacement
            that keeps a given name is refused, as CloudFormation does.
        tags: The property CloudFormation puts the stack's tags into, or ``None``.
    """

    type_name: ClassVar[str]
    attributes: ClassVar[frozenset[str]]
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    name_property: ClassVar[str | None] = None
    tags: ClassVar[str | None] = "Tags"

    @abstractmethod
    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Creates the resource and waits until it is usable.

        Args:
            properties: The template's properties, all intrinsics resolved.
            context: Where it stands.

        Returns:
            The physical id (what ``Ref`` gives) and the attributes.
        """

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Changes the resource in place; only called when nothing of ``replaced_by`` changed.

        Returns:
            The physical id and the attributes.
        """
        changed = ", ".join(changed_properties(before, after))
        raise AwsFault("NotUpdatable", f"{self.type_name} cannot change {changed} in place.")

    @abstractmethod
    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Deletes the resource; one that is already gone is fine."""

    def replaces(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """Whether going from one set of properties to another needs a new resource."""
        if "*" in self.replaced_by:
            return bool(changed_properties(before, after, ignore=self.tags))
        return bool(self.replaced_by & set(changed_properties(before, after)))


def resource_type(
    type_name: str, *, attributes: frozenset[str] | set[str] | Mapping[str, Any] = frozenset()
) -> Callable[[Type], Type]:
    """Names the CloudFormation type a class implements.

    Args:
        type_name: For example ``AWS::SageMaker::Model``.
        attributes: The names ``Fn::GetAtt`` accepts.
    """

    def mark(cls: Type) -> Type:
        cls.type_name = type_name
        cls.attributes = frozenset(attributes)
        return cls

    return mark


def changed_properties(
    before: Mapping[str, Any], after: Mapping[str, Any], *, ignore: str | None = None
) -> tuple[str, ...]:
    """The names of the properties that differ, sorted."""
    names = before.keys() | after.keys()
    return tuple(
        sorted(name for name in names if name != ignore and before.get(name) != after.get(name))
    )
