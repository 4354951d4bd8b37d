"""Amazon SageMaker Model Monitor's files: read, whoever wrote them, and written in its own schema.

Pure: decoded JSON in, values out, and back. The schemas of what is written are in ``schemas/``.
"""

from mlops_framework.drift.model_monitor_files.constraints import (
    Constraints,
    FeatureConstraints,
    MonitoringSettings,
    is_constraints,
)
from mlops_framework.drift.model_monitor_files.statistics import (
    FeatureStatistics,
    NumberStatistics,
    Statistics,
    TextStatistics,
    UnknownStatistics,
    is_statistics,
)

__all__ = [
    "Constraints",
    "FeatureConstraints",
    "FeatureStatistics",
    "MonitoringSettings",
    "NumberStatistics",
    "Statistics",
    "TextStatistics",
    "UnknownStatistics",
    "is_constraints",
    "is_statistics",
]
