"""The policy in the service: a window judged by Model Monitor's rules, and its files written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.bias.condition import Condition
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.layout import model_monitor_folder
from mlops_framework.drift.model_monitor_files.constraints import Constraints
from mlops_framework.drift.model_monitor_files.counted import (
    suggested_constraints,
    window_statistics,
)
from mlops_framework.drift.model_monitor_files.sections import (
    CONSTRAINTS,
    STATISTICS,
    FacetName,
    Files,
    attribution_files,
    bias_files,
    model_quality_files,
)
from mlops_framework.drift.model_monitor_files.violations import NAME, violations_document
from mlops_framework.drift.model_monitor_policy.checks import Checked, checks_of, violations_of
from mlops_framework.drift.model_monitor_policy.preparing import POLICY, asked
from mlops_framework.drift.model_monitor_policy.sentences import finding, judged
from mlops_framework.drift.policy import Judgement
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.rulings import Ruling
from mlops_framework.drift.watching import ReportFile
from mlops_framework.drift.windows import Window

COMPLETED: Final = "Completed"
VIOLATED: Final = "CompletedWithViolations"
_JSON: Final = "application/json"


def constraints_of(baseline: Baseline) -> Constraints:
    """The constraints in force: the baseline's own, or those that its training data suggests."""
    return baseline.constraints or suggested_constraints(baseline)


class ModelMonitorRule:
    """Judges columns as Model Monitor does; see :class:`~mlops_framework.drift.rulings.Rule`."""

    def rule(
        self,
        config: MonitorConfig,
        window: Window,
        baseline: Baseline,
        profile: Profile,
        judgement: Judgement,
    ) -> Ruling | None:
        """The window by Model Monitor's rules, where the monitor asks for its verdict or files.

        Records that cannot be read in numbers stay a finding, although Model Monitor has no such
        check. A window with too few records for the engine's tests is judged all the same.
        """
        if not asked(config) or not profile.rows:
            return None
        checked = checks_of(constraints_of(baseline), baseline, profile)
        violations = violations_of(checked)
        document = {
            "decides": config.policy == POLICY,
            "status": VIOLATED if violations else COMPLETED,
            "violations": [violation.to_document() for violation in violations],
            "files": str(folder_of(config, window)),
        }
        if config.policy != POLICY:
            return Ruling(judgement, None, {"model_monitor": document})
        records = tuple(test for test in judgement.tests if not test.column)
        breached = violations or any(test.breached for test in records)
        return Ruling(
            Judgement(
                "drift" if breached else "healthy",
                (*records, *map(judged, checked)),
                judgement.claims,
            ),
            tuple(finding(one) for one in _worst_first(checked)),
            {"model_monitor": document},
        )


class ModelMonitorFiles:
    """Writes Model Monitor's files: of data quality, and of every other kind that is watched.

    The files of the other kinds lie beside those of data quality, in folders of their own: each
    kind is a schedule of its own in Model Monitor.
    """

    def files(self, evaluation: Evaluation, report: Mapping[str, Any]) -> Sequence[ReportFile]:
        """See :class:`~mlops_framework.drift.watching.Filer`; none for a window without rows."""
        config, profile = evaluation.config, evaluation.profile
        if not asked(config) or not profile.rows:
            return ()
        baseline = evaluation.baseline
        constraints = constraints_of(baseline)
        violations = violations_of(checks_of(constraints, baseline, profile))
        kinds: dict[str, Files] = {
            "": {
                STATISTICS: window_statistics(baseline, profile),
                CONSTRAINTS: constraints.to_document(),
                NAME: violations_document(violations),
            }
        }
        if "model_quality" in report:
            kinds["model-quality"] = model_quality_files(report["model_quality"])
        if "bias" in report and config.bias is not None:
            kinds["bias"] = bias_files(
                report["bias"], _facets(config.bias), _wanted(config.bias.label)
            )
        if "attribution" in report:
            kinds["explainability"] = attribution_files(report["attribution"])
        return [
            ReportFile(
                name,
                json.dumps(document, ensure_ascii=False),
                _JSON,
                folder_of(config, evaluation.task.window, kind),
            )
            for kind, files in kinds.items()
            for name, document in files.items()
        ]


def _facets(settings: BiasSettings) -> dict[str, FacetName]:
    return {
        facet.name: FacetName(facet.column, _wanted(facet.members)) for facet in settings.facets
    }


def _wanted(condition: Condition) -> str:
    """Values or threshold of a condition, as Clarify writes them."""
    if condition.values:
        return ",".join(condition.values)
    limit = condition.above if condition.above is not None else condition.up_to
    return "" if limit is None else f"{limit:g}"


def folder_of(config: MonitorConfig, window: Window, kind: str = "") -> S3Location:
    """Where the files of a window go; of other kinds than data quality by their name."""
    return S3Location(config.data_bucket, model_monitor_folder(config, window, kind))


def _worst_first(checked: Sequence[Checked]) -> list[Checked]:
    violated = [one for one in checked if one.violated]
    return sorted(violated, key=lambda one: -judged(one).effect)


__all__ = ["ModelMonitorFiles", "ModelMonitorRule", "constraints_of", "folder_of"]
