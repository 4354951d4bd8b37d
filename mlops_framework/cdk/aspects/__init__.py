"""Rules laid over every stack, whoever wrote it."""

from __future__ import annotations

from mlops_framework.cdk.aspects.roles import GuardedRoles

__all__ = ["GuardedRoles"]
