"""The configuration of one drift monitor: what the drift-monitor blueprint writes, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Self

from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.captured_baseline import CapturedBaseline
from mlops_framework.drift.errors import MonitorInvalid
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.thresholds import Thresholds
from mlops_framework.errors import Fault
from mlops_framework.naming import CAPTURES_PREFIX

VERSION: Final = 1
MOST_LABELLED_WINDOWS: Final = 4_000
"""Windows that wait for labels at the same time: some 0.2 KB each in the monitor's state."""
POLICIES: Final = ("standard", "model-monitor")
_S3_LOCATION: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)")
_NAME: Final = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9])*")


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key (or key prefix)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``s3://bucket/key``.

        Raises:
            ValueError: If it is not of that form.
        """
        match = _S3_LOCATION.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return cls(match[1], match[2].strip("/"))

    def __str__(self) -> str:
        """The location as ``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, kw_only=True)
class MonitorConfig:
    """One monitor watches one endpoint, or a variant or a model of one.

    Attributes:
        environment: Prefix of the environment, for example ``mlops-local``.
        data_bucket: Bucket that holds the monitor's baseline, profiles, reports and state.
        model_name: The model whose training pipeline is asked to retrain.
        endpoint_name: The endpoint; also the monitor's name, unless it has one of its own.
        baseline_data: The features the model was trained on: an object, or all below a folder
            (``s3://bucket/folder/``); empty where captures are the baseline.
        baseline_captures: Captured traffic that is the baseline instead; ``None`` for none.
        records: Where rows and values of JSON payloads are; ``None`` where they usually are.
        variant_name: The variant whose captures are watched; empty for all of them together.
        target_model: The model of a multi-model endpoint whose captures are watched, as calls name
            it; empty for all of them together.
        monitor_name: The monitor's own name, where an endpoint has several; empty for the
            endpoint's.
        label_column: Column of the baseline data to leave out; empty for none.
        time_column: Column of the baseline data with each row's time, by which ordinary hours are
            told apart; empty for none.
        capture_location: Where SageMaker writes captures, without the endpoint's name; empty for
            ``s3://<data_bucket>/captures``.
        schedule_expression: How often the monitor is evaluated; shown in reports.
        window_minutes: Length of a tumbling window; see :mod:`mlops_framework.drift.windows`.
        grace_seconds: How long after its end a window waits for late captures before it counts as
            complete.
        minimum_records: Fewer records than this (and always fewer than 30) give no verdict.
        effect_threshold: Share of the records that must have moved before a difference matters,
            however significant it is (0.1 = 10 %).
        rate_threshold: By how much the rate of missing, invalid or unseen values must change.
        significance: False discovery rate of the whole family of tests of a window.
        policy: The rule for the columns: ``standard`` (the engine's own) or ``model-monitor``.
        model_monitor_files: Whether Model Monitor's files are written; its policy writes them too.
        constraints_location: Model Monitor's ``constraints.json`` to go by; empty for what its
            baseline job would suggest.
        monitoring_schedule_name: The schedule's part in the files' place; empty for
            ``drift-monitor``.
        retrain: Whether drift may ask for retraining.
        retrain_breaches: So many drifted windows ...
        retrain_windows: ... among so many latest windows ask for retraining.
        retrain_cooldown_minutes: Minimum time between two requests.
        retrain_monthly_cap: Most requests in a calendar month (UTC).
        thresholds: What matters in single columns; ``None`` for the above everywhere.
        ignored_columns: Columns that are shown and not judged.
        distributed_above: Windows of more captured objects than this are merged by many functions
            side by side.
        slow_drift: Whether evidence is added up over windows, too.
        heartbeat: Whether data capture itself is watched.
        column_metrics: Whether each drifted column has a metric of its own.
        ground_truth: What the model's quality is watched by; ``None`` not to watch it.
        ground_truth_location: Where labels arrive, below it ``yyyy/mm/dd/HH/`` of their collection;
            empty where none do and quality is only estimated.
        bias: Which groups are compared; ``None`` for none. Needs ``ground_truth``, which says where
            predictions are.
        attribution: Where attributions come from; ``None`` not to watch them.
        attribution_role: ARN of the role that may ask the endpoint; empty for the function's own.
    """

    environment: str
    data_bucket: str
    model_name: str
    endpoint_name: str
    baseline_data: str = ""
    label_column: str = ""
    time_column: str = ""
    capture_location: str = ""
    schedule_expression: str = "rate(1 hour)"
    window_minutes: int = 60
    grace_seconds: int = 600
    minimum_records: int = 200
    effect_threshold: float = 0.1
    rate_threshold: float = 0.005
    significance: float = 0.001
    retrain: bool = True
    retrain_breaches: int = 1
    retrain_windows: int = 1
    retrain_cooldown_minutes: int = 1440
    retrain_monthly_cap: int = 4
    policy: str = "standard"
    model_monitor_files: bool = False
    constraints_location: str = ""
    monitoring_schedule_name: str = ""
    thresholds: Thresholds | None = None
    ignored_columns: tuple[str, ...] = ()
    distributed_above: int = 1000
    slow_drift: bool = False
    heartbeat: bool = False
    column_metrics: bool = False
    ground_truth: GroundTruth | None = None
    ground_truth_location: str = ""
    bias: BiasSettings | None = None
    attribution: AttributionSettings | None = None
    attribution_role: str = ""
    baseline_captures: CapturedBaseline | None = None
    records: RecordForm | None = None
    variant_name: str = ""
    target_model: str = ""
    monitor_name: str = ""

    @property
    def name(self) -> str:
        """The monitor's name: its own, or its endpoint's."""
        return self.monitor_name or self.endpoint_name

    @property
    def schedule_name(self) -> str:
        """What stands in a schedule's place in Model Monitor's folders."""
        return self.monitoring_schedule_name or "drift-monitor"

    @property
    def baseline_source(self) -> str:
        """Where the baseline comes from, for reports and messages."""
        return self.baseline_data or f"{self.baseline_captures} in {self.captures}"

    @property
    def captures(self) -> S3Location:
        """Where this endpoint's capture objects lie (prefix without trailing slash)."""
        root = self.capture_location or f"s3://{self.data_bucket}/{CAPTURES_PREFIX}"
        location = S3Location.parse(root)
        return S3Location(location.bucket, f"{location.key}/{self.endpoint_name}".lstrip("/"))

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """Read the JSON document.

        Numbers and booleans may come as strings: CloudFormation splices parameters in as text.

        Args:
            text: The JSON document.
            source: Where it was read, for messages (``SSM parameter /…``).

        Raises:
            MonitorInvalid: With every fault at once.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise MonitorInvalid(
                source, (Fault("", f"not JSON ({error})", "a JSON object", _shown(text)),)
            ) from error
        if not isinstance(document, dict):
            raise MonitorInvalid(
                source, (Fault("", "not a JSON object", "a JSON object", _shown(document)),)
            )
        return cls.from_document(document, source)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Check a decoded document; see :meth:`parse`."""
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        if _text_of(document.get("version", VERSION)) != str(VERSION):
            found = _shown(document["version"])
            faults.append(Fault("version", "a version this release does not read", "1", found))
        known = {field.name: field for field in fields(cls)}
        for key in sorted(document.keys() - known.keys() - {"version"}):
            accepted = ", ".join(sorted(known))
            faults.append(Fault(key, "unknown key; remove it", accepted, _shown(document[key])))
        for name, field in known.items():
            if name not in document:
                if field.default is MISSING:
                    accepted = _RULES[name].accepted
                    faults.append(Fault(name, "required but absent", accepted, "nothing"))
                continue
            rule = _RULES[name]
            try:
                values[name] = rule.read(document[name])
            except (ValueError, TypeError) as error:
                found = _shown(document[name])
                said = str(error) if rule.says_why else f"accepted is {rule.accepted}"
                faults.append(Fault(name, said, rule.accepted, found))
        if not faults and values.get("retrain_breaches", 1) > values.get("retrain_windows", 1):
            accepted = "retrain_breaches <= retrain_windows"
            found = f"{values.get('retrain_breaches', 1)} of {values.get('retrain_windows', 1)}"
            message = "more breaches are asked for than windows are looked at"
            faults.append(Fault("retrain_breaches", message, accepted, found))
        faults += _too_many_windows(values)
        if values.get("bias") and not values.get("ground_truth"):
            message = "needs ground_truth, which says where in an answer the prediction is"
            faults.append(Fault("bias", message, "bias together with ground_truth", "bias alone"))
        baselines = [name for name in ("baseline_data", "baseline_captures") if values.get(name)]
        if not faults and len(baselines) != 1:
            accepted = "one of baseline_data and baseline_captures"
            found = " and ".join(baselines) or "neither"
            faults.append(Fault("baseline_data", f"accepted is {accepted}", accepted, found))
        if faults:
            raise MonitorInvalid(source, tuple(faults))
        return cls(**values)

    def to_document(self) -> dict[str, Any]:
        """The configuration as its JSON document."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        nested = {name: value.to_document() for name, value in found.items() if _is_nested(value)}
        absent = [name for name, value in found.items() if value is None]
        document = {"version": VERSION} | found | nested
        return {name: value for name, value in document.items() if name not in absent}


def _too_many_windows(values: Mapping[str, Any]) -> list[Fault]:
    """All windows that labels may still come for are remembered in one document."""
    truth, minutes = values.get("ground_truth"), values.get("window_minutes", 60)
    if truth is None or not values.get("ground_truth_location"):
        return []
    count = truth.label_horizon_hours * 60 // minutes
    if count <= MOST_LABELLED_WINDOWS:
        return []
    message = (
        f"{truth.label_horizon_hours} hours of windows of {minutes} minutes are {count:,} windows; "
        "give longer windows or a shorter horizon"
    )
    accepted = f"at most {MOST_LABELLED_WINDOWS:,} windows within the horizon"
    return [Fault("ground_truth.label_horizon_hours", message, accepted, f"{count:,}")]


def _is_nested(value: Any) -> bool:
    return hasattr(value, "to_document")


@dataclass(frozen=True)
class _Rule:
    """How a key is read and what is accepted."""

    read: Callable[[Any], Any]
    accepted: str
    says_why: bool = False


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _string(pattern: re.Pattern[str] | None, accepted: str, *, empty: bool = False) -> _Rule:
    def read(value: Any) -> str:
        if not isinstance(value, str) or (not value and not empty):
            raise ValueError(value)
        if value and pattern is not None and not pattern.fullmatch(value):
            raise ValueError(value)
        return value

    return _Rule(read, accepted)


def _whole(low: int, high: int) -> _Rule:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", _text_of(value)):
            raise ValueError(value)
        number = int(value)
        if not low <= number <= high:
            raise ValueError(value)
        return number

    return _Rule(read, f"a whole number from {low} to {high}")


def _share(low: float, high: float) -> _Rule:
    def read(value: Any) -> float:
        if isinstance(value, bool):
            raise ValueError(value)
        number = float(value)
        if not low <= number <= high:
            raise ValueError(value)
        return number

    return _Rule(read, f"a number from {low} to {high}")


def _nested(read: Callable[[Any], Any], accepted: str) -> _Rule:
    """A nested setting; the empty text and the empty object are as if it were absent."""

    def read_if_given(value: Any) -> Any:
        return read(value) if value not in ("", None, {}, []) else None

    return _Rule(read_if_given, f"{accepted}, or empty", says_why=True)


def _names(value: Any) -> tuple[str, ...]:
    if value in ("", None, {}):
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError(value)
    return tuple(value)


def _flag() -> _Rule:
    def read(value: Any) -> bool:
        if _text_of(value) not in ("true", "false"):
            raise ValueError(value)
        return _text_of(value) == "true"

    return _Rule(read, "true or false")


_RULES: Final[Mapping[str, _Rule]] = {
    "environment": _string(_NAME, "an environment prefix such as mlops-prod"),
    "data_bucket": _string(re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"), "a bucket name"),
    "model_name": _string(_NAME, "a model name"),
    "endpoint_name": _string(_NAME, "an endpoint name"),
    "baseline_data": _string(
        re.compile(_S3_LOCATION.pattern[:-2] + ".+)"),
        "s3://bucket/key; empty only with baseline_captures",
        empty=True,
    ),
    "label_column": _string(None, "a column name, or empty", empty=True),
    "time_column": _string(None, "a column name, or empty", empty=True),
    "capture_location": _string(_S3_LOCATION, "s3://bucket/prefix, or empty", empty=True),
    "schedule_expression": _string(None, "a schedule expression"),
    "window_minutes": _whole(1, 10_080),
    "grace_seconds": _whole(0, 86_400),
    "minimum_records": _whole(1, 100_000_000),
    "effect_threshold": _share(0.001, 1.0),
    "rate_threshold": _share(0.0001, 1.0),
    "significance": _share(1e-9, 0.2),
    "thresholds": _nested(Thresholds.from_document, "a list of column, test, share"),
    "ignored_columns": _Rule(_names, "a list of column names"),
    "distributed_above": _whole(64, 100_000),
    "slow_drift": _flag(),
    "heartbeat": _flag(),
    "column_metrics": _flag(),
    "retrain": _flag(),
    "retrain_breaches": _whole(1, 100),
    "retrain_windows": _whole(1, 100),
    "retrain_cooldown_minutes": _whole(0, 525_600),
    "retrain_monthly_cap": _whole(0, 1000),
    "policy": _string(re.compile("|".join(POLICIES)), " or ".join(POLICIES)),
    "model_monitor_files": _flag(),
    "constraints_location": _string(
        re.compile(_S3_LOCATION.pattern[:-2] + ".+)"), "s3://bucket/key, or empty", empty=True
    ),
    "monitoring_schedule_name": _string(_NAME, "a schedule's name, or empty", empty=True),
    "ground_truth": _nested(GroundTruth.from_document, "an object with problem_type"),
    "ground_truth_location": _string(_S3_LOCATION, "s3://bucket/prefix, or empty", empty=True),
    "bias": _nested(BiasSettings.from_document, "an object with facets"),
    "attribution": _nested(AttributionSettings.from_document, "an object with source"),
    "attribution_role": _string(re.compile(r"arn:[^ ]+"), "a role's ARN, or empty", empty=True),
    "baseline_captures": _nested(CapturedBaseline.from_document, "an object with since and until"),
    "records": _nested(RecordForm.from_document, "an object with input and output"),
    "variant_name": _string(_NAME, "a variant's name, or empty", empty=True),
    "target_model": _string(None, "a model's name as calls give it, or empty", empty=True),
    "monitor_name": _string(_NAME, "a monitor's name, or empty", empty=True),
}
