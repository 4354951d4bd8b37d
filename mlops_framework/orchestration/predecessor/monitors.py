"""The four types that watch an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import NOTHING
from mlops_framework.orchestration.predecessor.draft import Draft
from mlops_framework.orchestration.predecessor.fields import Form, Old, OldType, read_at
from mlops_framework.orchestration.predecessor.serving import KMS_KEY, MODEL_NAME, PROBLEMS

_ALL: Final[Mapping[str, Old]] = {
    "model_name": MODEL_NAME,
    "endpoint_name": Old(
        "endpoint_name",
        Form.LOWER,
        required=True,
        per_stage=True,
        meaning="Endpoint that is watched.",
    ),
    "baseline_data": Old(
        "baseline_data", Form.ASSET, required=True, meaning="CSV file with a header row."
    ),
    "baseline_job_output_location": Old(
        "baseline_output_location",
        Form.PLACE,
        required=True,
        per_stage=True,
        meaning="Where baselines go.",
    ),
    "data_capture_location": Old(
        "data_capture_location",
        Form.PLACE,
        required=True,
        per_stage=True,
        meaning="Where the endpoint's captured traffic is.",
    ),
    "monitoring_output_location": Old(
        "output_location", Form.PLACE, required=True, per_stage=True, meaning="Where reports go."
    ),
    "schedule_expression": Old(
        "schedule_expression",
        Form.TEXT,
        required=True,
        per_stage=True,
        meaning="When it runs, cron(0 * ? * * *).",
    ),
    "instance_type": Old(
        "instance_type",
        Form.LOWER,
        required=True,
        per_stage=True,
        meaning="Instance type of the jobs.",
    ),
    "instance_volume_size": Old(
        "volume_size_gb",
        Form.WHOLE,
        required=True,
        per_stage=True,
        meaning="Volume of each instance, GB.",
    ),
    "monitor_max_runtime_seconds": Old(
        "max_runtime_seconds",
        Form.WHOLE,
        required=True,
        per_stage=True,
        meaning="Longest run, seconds.",
    ),
    "baseline_max_runtime_seconds": Old(
        "baseline_max_runtime_seconds", Form.WHOLE, default=3600, per_stage=True
    ),
    "kms_key_arn": KMS_KEY,
}
_PROBLEM: Final[Mapping[str, Old]] = {
    "problem_type": Old(
        "problem_type",
        Form.TEXT,
        required=True,
        words=PROBLEMS,
        meaning=f"One of {', '.join(PROBLEMS)}.",
    )
}
_ANSWER: Final[Mapping[str, Old]] = {
    "monitor_inference_attribute": Old("inference_attribute", Form.TEXT),
    "monitor_probability_attribute": Old("probability_attribute", Form.TEXT),
    "probability_threshold_attribute": Old("probability_threshold", Form.REAL),
}
_TRUTH: Final[Mapping[str, Old]] = {
    "monitor_ground_truth_input": Old(
        "ground_truth_location",
        Form.PLACE,
        required=True,
        per_stage=True,
        meaning="Where the truth arrives.",
    )
}
_BASELINE: Final[Mapping[str, Old]] = {
    # Which of them a job needs is for the contract to say; the predecessor wanted more than that.
    "baseline_inference_attribute": Old("baseline_inference_attribute", Form.TEXT),
    "baseline_probability_attribute": Old("baseline_probability_attribute", Form.TEXT),
    "baseline_ground_truth_attribute": Old("baseline_ground_truth_attribute", Form.TEXT),
}
_FEATURES: Final[Mapping[str, Old]] = {"features_attribute": Old("features_attribute", Form.TEXT)}

_BIAS_KEYS: Final = (
    "label_values_or_threshold",
    "facet_name",
    "facet_values_or_threshold",
    "group_name",
)
_LABEL_KEYS: Final = ("label", "probability", "probability_threshold", "label_headers")
_SHAP_FORMS: Final[Mapping[str, Form]] = {
    "num_samples": Form.WHOLE,
    "agg_method": Form.TEXT,
    "use_logit": Form.SWITCH,
    "save_local_shap_values": Form.SWITCH,
    "seed": Form.WHOLE,
    "num_clusters": Form.WHOLE,
}


def _nothing_more(draft: Draft) -> None:
    """Every field stands for itself."""


def _bias(draft: Draft) -> None:
    _bias_config(draft)
    _label_config(draft)
    draft.came_from("model_predicted_label_config", draft.spelt("model_predicted_label_config"))
    _needs_attribute(draft)


def _explainability(draft: Draft) -> None:
    _shap_config(draft)
    _needs_attribute(draft)


def _needs_attribute(draft: Draft) -> None:
    """Where the prediction stands, which nothing but the request can say."""
    name, problem = "monitor_inference_attribute", draft.body.get("problem_type")
    if problem in PROBLEMS[::2] and "inference_attribute" not in draft.body:
        draft.wrong(
            draft.spelt(name),
            f"Bad request. API body does not have the necessary parameter: {name}. A {problem} "
            "model's prediction is found by it.",
            "a column's name or position, or a JMESPath expression",
            draft.given.get(name, NOTHING),
        )


def _members(
    draft: Draft, name: str, known: tuple[str, ...], *, required: bool
) -> Mapping[str, Any] | None:
    """An object of the body, without unknown keys; nothing if there is none."""
    path, value = draft.spelt(name), draft.given.get(name)
    if value is None or value == "" or value == {}:
        if required:
            draft.wrong(
                path,
                f"Bad request. API body does not have the necessary parameter: {name}.",
                f"an object with {', '.join(known)}",
                draft.given.get(name, NOTHING),
            )
        return None
    given = read_at(draft, path, value, Form.OBJECT)
    if given is None:
        return None
    for key in given:
        if key not in known:
            draft.wrong(
                f"{path}.{key}",
                f"There is no field {key!r} here, or it is not carried.",
                f"one of {', '.join(known)}",
                given[key],
            )
    return {key: each for key, each in given.items() if key in known and each is not None}


def _bias_config(draft: Draft) -> None:
    given = _members(draft, "bias_config", _BIAS_KEYS, required=True)
    if given is None:
        return
    path = draft.spelt("bias_config")
    ours: dict[str, Any] = {"facets": _facets(draft, path, given)}
    draft.came_from("bias_config.facets", f"{path}.facet_name", whole=True)
    for index, _ in enumerate(ours["facets"]):
        values = f"bias_config.facets.{index}.values_or_threshold"
        draft.came_from(values, f"{path}.facet_values_or_threshold")
    if "label_values_or_threshold" in given:
        ours["label_values_or_threshold"] = _listed(given["label_values_or_threshold"])
    _member(draft, ours, given, path, "group_name", Form.TEXT)
    draft.put("bias_config", ours, path)


def _facets(draft: Draft, path: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One facet, or several with a list of values each, as Clarify's BiasConfig takes both."""
    names, values = given.get("facet_name", []), given.get("facet_values_or_threshold")
    several = isinstance(names, list)
    names = names if several else [names]
    lists = values if several and isinstance(values, list) else [values]
    facets = []
    for index, name in enumerate(names):
        text = read_at(draft, f"{path}.facet_name", name, Form.TEXT)
        facet: dict[str, Any] = {"name": text}
        own = lists[index] if index < len(lists) else None
        if own is not None:
            facet["values_or_threshold"] = _listed(own)
        if text is not None:
            facets.append(facet)
    return facets


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _label_config(draft: Draft) -> None:
    path = draft.spelt("model_predicted_label_config")
    given = _members(draft, "model_predicted_label_config", _LABEL_KEYS, required=False)
    if given is None:
        return
    ours: dict[str, Any] = {}
    for name, form in (
        ("label", Form.TEXT),
        ("probability", Form.TEXT),
        ("probability_threshold", Form.REAL),
    ):
        _member(draft, ours, given, path, name, form)
    headers = given.get("label_headers")
    if headers is not None:
        ours["label_headers"] = [
            str(each) if isinstance(each, int | float) else each for each in _listed(headers)
        ]
    draft.put("model_predicted_label_config", ours, path)


def _shap_config(draft: Draft) -> None:
    known = ("baseline", *_SHAP_FORMS, "features_to_explain")
    given = _members(draft, "shap_config", known, required=True)
    if given is None:
        return
    path = draft.spelt("shap_config")
    ours: dict[str, Any] = {}
    for name, form in _SHAP_FORMS.items():
        _member(draft, ours, given, path, name, form)
    baseline = given.get("baseline")
    if isinstance(baseline, str):
        if baseline.strip():
            ours["baseline_location"] = read_at(draft, f"{path}.baseline", baseline, Form.ASSET)
    elif baseline is not None:
        ours["baseline"] = baseline
    draft.came_from("shap_config.baseline_location", f"{path}.baseline")
    if "features_to_explain" in given:
        ours["features_to_explain"] = [
            str(each) if isinstance(each, int) else each
            for each in _listed(given["features_to_explain"])
        ]
    draft.put("shap_config", ours, path)


def _member(
    draft: Draft,
    ours: dict[str, Any],
    given: Mapping[str, Any],
    path: str,
    name: str,
    form: Form,
) -> None:
    value = given.get(name)
    if value is None or value == "":
        return
    found = read_at(draft, f"{path}.{name}", value, form)
    if found is not None:
        ours[name] = found


MONITORS: Final[Mapping[str, OldType]] = {
    "byom_data_quality_monitor": OldType("data-quality-monitor", _ALL, _nothing_more),
    "byom_model_quality_monitor": OldType(
        "model-quality-monitor",
        {**_ALL, **_PROBLEM, **_BASELINE, **_TRUTH, **_ANSWER},
        _nothing_more,
    ),
    "byom_model_bias_monitor": OldType(
        "model-bias-monitor",
        {
            **_ALL,
            **_PROBLEM,
            "bias_config": Old("", Form.OBJECT),
            "model_predicted_label_config": Old("", Form.OBJECT),
            **_FEATURES,
            **_TRUTH,
            **_ANSWER,
        },
        _bias,
    ),
    "byom_model_explainability_monitor": OldType(
        "model-explainability-monitor",
        {
            **_ALL,
            **_PROBLEM,
            "shap_config": Old("", Form.OBJECT),
            "model_scores": Old("model_scores", Form.TEXT),
            **_FEATURES,
            **_ANSWER,
        },
        _explainability,
    ),
}
