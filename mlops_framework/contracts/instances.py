"""What an instance type's name tells of its machine.

Source: *Amazon EC2 User Guide*, "Instance store volumes"; the families are those of SageMaker's
``ProductionVariantInstanceType``. Standard library alone: the local AWS reads it too, in an
environment that has no more.
"""

from __future__ import annotations

import re
from typing import Final

_WITH_LOCAL_DISK: Final = re.compile(r"[a-z]+[0-9]+[a-z]*d[a-z]*")
"""The letter d behind the generation: m5d, c6gd, g4dn, p4de."""
_NAMED_OTHERWISE: Final = re.compile(
    r"(dl1|g5|g6|g6e|gr6|g7|g7e|p5|p5e|p5en|p6-[a-z0-9]+|p6e-[a-z0-9]+|trn1|trn1n|trn2)"
)


def family_of(instance_type: str) -> str:
    """``ml.m5d.large`` is of the family ``m5d``; empty when the text is no instance type."""
    parts = instance_type.split(".")
    return parts[1] if len(parts) == 3 else ""


def has_local_disk(instance_type: str) -> bool:
    """Whether the machine brings NVMe disks of its own, of a fixed size and with keys of its own.

    Such a disk takes the place of the volume that SageMaker would attach, so neither a volume's
    size nor a KMS key of ours applies to it.
    """
    family = family_of(instance_type)
    return bool(_WITH_LOCAL_DISK.fullmatch(family) or _NAMED_OTHERWISE.fullmatch(family))


def is_burstable(instance_type: str) -> bool:
    """Whether the machine earns and spends CPU credits; Application Auto Scaling refuses those."""
    return family_of(instance_type).startswith("t") and not family_of(instance_type).startswith(
        "trn"
    )
