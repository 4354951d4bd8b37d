"""The second seam: what a platform team lays over every stack, or puts beside them.

Used at synth only. An extension is a class, offered through the entry point group
``mlops_framework.platform`` and taken where the environment's ``extensions.enabled`` allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import aws_cdk as cdk
from constructs import Construct, IConstruct
from pydantic import BaseModel, ConfigDict

from mlops_framework import naming
from mlops_framework.cdk.errors import ExtensionInvalid
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 40


class ExtensionSettings(BaseModel):
    """What an environment may set for an extension; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlatformExtension:
    """One extension of the platform. Subclass it; the entry point names the subclass.

    Attributes:
        name: kebab-case; equal to the entry point's name.
        summary: One sentence.
        settings_type: Model of ``extensions.settings.<name>`` of the environment.
        config: The environment.
        settings: Its settings for this extension, validated.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    settings_type: ClassVar[type[ExtensionSettings]] = ExtensionSettings

    def __init__(self, config: EnvironmentConfig, settings: Any) -> None:
        """Remember the environment and its settings."""
        self.config = config
        self.settings = settings

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a class that says not what it is.

        Raises:
            ExtensionInvalid: Without a kebab-case name, or without a summary.
        """
        super().__init_subclass__(**kwargs)
        name, summary = getattr(cls, "name", ""), getattr(cls, "summary", "")
        where = f"{cls.__module__}:{cls.__qualname__}"
        if not NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
            raise ExtensionInvalid(
                f"{where} has the name {name!r}; give it a kebab-case name of at most "
                f"{_NAME_LENGTH} characters."
            )
        if not summary.strip():
            raise ExtensionInvalid(f"{where} has no summary; say in one sentence what it does.")

    def aspects(self) -> Iterable[cdk.IAspect]:
        """Visitors of every construct of the platform's stacks and of the blueprints'."""
        return ()

    def add_stacks(self, scope: Construct) -> None:
        """Define stacks beside the platform's; each an :class:`ExtensionStack` below ``scope``."""

    def refuse(self, construct: IConstruct, message: str) -> None:
        """Make the synthesis fail, naming construct, extension and what to do.

        Args:
            construct: What is refused.
            message: What is wrong with it, and what to do.
        """
        cdk.Annotations.of(construct).add_error(f"{message} (extension {self.name})")


class ExtensionStack(FrameworkStack):
    """A stack beside the platform's: tagged and guarded like them, deployed after them.

    Creates: nothing by itself. Fixed: its name, the environment's tags, path and boundary of its
    roles. You choose: what is in it. ``self.platform.value(…)`` reads what the platform publishes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        description: str,
        guarded: bool = True,
    ) -> None:
        """Prepare the stack.

        Args:
            scope: As ``add_stacks`` was given it.
            construct_id: Stable id; ends the stack's name.
            config: The environment.
            description: What it holds, for the CloudFormation console.
            guarded: False for a stack that makes no role.
        """
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=description,
            stack_name=naming.extension_stack(config.prefix, scope.node.id, construct_id),
            env=cdk.Environment(account=config.account, region=config.region),
            termination_protection=config.termination_protection,
            guarded=guarded,
        )
