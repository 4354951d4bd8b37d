"""The rule by which files are judged: a monitor's request, as far as it is about data at hand.

A request says more than files need (a schedule, where captures lie, when to retrain). What is not
used is named, so that nobody believes it was; what no request has is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import MonitorInvalid
from mlops_framework.drift.model_monitor_policy.preparing import POLICY
from mlops_framework.drift.thresholds import EVERY_COLUMN, WORDS, Thresholds
from mlops_framework.errors import Fault

KIND: Final = "drift-monitor"
USED: Final = (
    "label_column",
    "time_column",
    "records",
    "minimum_records",
    "effect_threshold",
    "rate_threshold",
    "significance",
    "thresholds",
    "ignored_columns",
    "policy",
    "ground_truth",
    "bias",
    "attribution",
)
"""Settings of a request that files are judged by."""
NOT_USED: Final = (
    "pipeline_type",
    "model_name",
    "description",
    "owner",
    "endpoint_name",
    "baseline_data",
    "baseline_captures",
    "capture_location",
    "variant_name",
    "target_model",
    "monitor_name",
    "schedule_expression",
    "window_minutes",
    "grace_seconds",
    "distributed_above",
    "slow_drift",
    "model_monitor_files",
    "constraints_location",
    "monitoring_schedule_name",
    "heartbeat",
    "column_metrics",
    "ground_truth_location",
    "retrain",
    "retrain_breaches",
    "retrain_windows",
    "retrain_cooldown_minutes",
    "retrain_monthly_cap",
)
"""Settings that are about an endpoint, its traffic over time, or what is done about drift."""
_OWN_RULE: Final = (
    "effect_threshold",
    "rate_threshold",
    "minimum_records",
    "thresholds",
    "ignored_columns",
)
_PER_STAGE: Final = ("minimum_records", "effect_threshold", "rate_threshold")
_WHY: Final[Mapping[str, str]] = {
    "slow_drift": "slow_drift is watched by a monitor alone: it takes many windows.",
    "constraints_location": "constraints_location is in S3; give a copy with --constraints.",
}
_PLACE: Final = {"environment": "files", "data_bucket": "files", "model_name": "not-named"}


@dataclass(frozen=True)
class Asked:
    """What a request asks of files.

    Attributes:
        settings: Settings that are used, as its document has them.
        notes: What it asks for and files cannot be judged by; sentences.
    """

    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def asked_of(document: Any, source: str, *, stage: str = "") -> Asked:
    """What a ``drift-monitor`` request, or a part of one, asks of files.

    Args:
        document: The decoded request.
        source: Where it was read, for messages.
        stage: The stage whose values count, where it has one for each.

    Raises:
        MonitorInvalid: If it has settings that no request has, or is of another kind.
    """
    if not isinstance(document, Mapping):
        found = type(document).__name__
        accepted = "an object with settings of a drift-monitor request"
        raise MonitorInvalid(source, (Fault("", f"accepted is {accepted}", accepted, found),))
    faults, settings = [], {}
    kind = document.get("pipeline_type", KIND)
    if kind != KIND:
        message = f"files are judged by a {KIND} request, and this is one of {kind!r}"
        faults.append(Fault("pipeline_type", message, KIND, str(kind)))
    for name in document.keys() - {*USED, *NOT_USED}:
        near = difflib.get_close_matches(str(name), [*USED, *NOT_USED], n=3, cutoff=0.6)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        message = f"no {KIND} request has this setting{meant}"
        faults.append(Fault(str(name), message, ", ".join(USED), str(document[name])[:80]))
    for name in USED:
        value = document.get(name)
        if name in _PER_STAGE and isinstance(value, Mapping):
            if stage not in value:
                stages = ", ".join(map(str, value))
                said = f"it has no stage {stage!r}" if stage else "it has a value for each stage"
                message = f"{said}; say with --stage which of them counts: {stages}"
                faults.append(Fault(name, message, f"one of {stages}", stage or "no stage"))
                continue
            value = value[stage]
        if value is not None:
            settings[name] = value
    if faults:
        raise MonitorInvalid(source, tuple(sorted(faults, key=lambda fault: fault.path)))
    notes = [why for name, why in _WHY.items() if document.get(name)]
    attribution = settings.get("attribution")
    if isinstance(attribution, Mapping) and attribution.get("source") == "endpoint":
        del settings["attribution"]
        notes.append("attribution asks the endpoint, which a monitor alone does.")
    return Asked(settings, tuple(notes))


def not_by_policy(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What Model Monitor's rules do not go by, where they are to judge."""
    given = [name for name in _OWN_RULE if settings.get(name) not in (None, [], ())]
    if settings.get("policy") != POLICY or not given:
        return ()
    return (
        f"Model Monitor's rules go by their constraints, and not by {', '.join(given)}: columns "
        "are judged without.",
    )


def settings_of(settings: Mapping[str, Any], *, source: str = "The settings") -> MonitorConfig:
    """The rule that settings say, checked as a monitor's are.

    Args:
        settings: Of :data:`USED`, as a request has them.
        source: Where they are from, for messages.

    Raises:
        MonitorInvalid: With every fault at once.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    unknown = sorted(given.keys() - set(USED))
    if unknown:
        accepted = ", ".join(USED)
        faults = [Fault(name, "no setting for files", accepted, "") for name in unknown]
        raise MonitorInvalid(source, tuple(faults))
    document = {"endpoint_name": "files", "baseline_data": "s3://files/baseline", **_PLACE, **given}
    config = MonitorConfig.from_document(document, source)
    return replace(config, data_bucket="", model_name="not named", schedule_expression="on request")


def threshold_of(text: str) -> dict[str, Any]:
    """``age=0.05``, ``age:missing=0.01`` or ``*:rates=0.02`` as a request has it.

    Raises:
        MonitorInvalid: If it is none of these.
    """
    named, _, share = text.rpartition("=")
    column, _, word = named.rpartition(":")
    if not column or word not in WORDS:
        column, word = named, "values"
    try:
        number = float(share)
    except ValueError:
        number = -1.0
    if not column or not 0 <= number <= 1:
        accepted = (
            f"COLUMN=SHARE or COLUMN:TEST=SHARE; COLUMN may be {EVERY_COLUMN}, TEST is one of "
            f"{', '.join(WORDS)}, SHARE is from 0 to 1"
        )
        raise MonitorInvalid(
            "A threshold", (Fault("thresholds", f"accepted is {accepted}", accepted, text),)
        )
    return {"column": column, "test": word, "share": number}


def columns_known(config: MonitorConfig, baseline: Baseline, *, apart: Iterable[str] = ()) -> None:
    """Check that the columns the rule speaks of are there.

    Args:
        config: The rule.
        baseline: What is compared with.
        apart: Columns that are there and not compared: labels, predictions.

    Raises:
        MonitorInvalid: If it names others, with those that may be meant.
    """
    names = [*baseline.names, *apart]
    thresholds = config.thresholds or Thresholds()
    spoken = {
        "thresholds": [name for name in thresholds.of_columns if name != EVERY_COLUMN],
        "ignored_columns": config.ignored_columns,
    }
    faults = [
        Fault(setting, no_column(name, names), ", ".join(names), name)
        for setting, columns in spoken.items()
        for name in columns
        if name not in names
    ]
    if faults:
        raise MonitorInvalid("The rule", tuple(faults))


def no_column(name: str, names: Sequence[str]) -> str:
    """That a baseline has no such column, and which may be meant."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"The baseline has no column {name!r}; it has {', '.join(names)}.{meant}"


__all__ = [
    "NOT_USED",
    "USED",
    "Asked",
    "asked_of",
    "columns_known",
    "no_column",
    "not_by_policy",
    "settings_of",
    "threshold_of",
]
