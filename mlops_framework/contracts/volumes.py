"""The template parameter that says whether a job's instances have volumes to encrypt."""

from __future__ import annotations

from typing import Final

from mlops_framework.contracts.parameters import Parameter

ENCRYPTS_VOLUMES: Final = Parameter(
    name="EncryptsVolumes",
    kind="String",
    allowed_values=("true", "false"),
    description="Whether the instances have volumes that take a key, and no disks of their own.",
    field="encrypts_volumes",
)
