"""What goes together in a realtime-endpoint request, and what SageMaker does not do.

Source: *Amazon SageMaker AI Developer Guide*, "Deploy models with Serverless Inference" (feature
exclusions), "Asynchronous inference", "Data capture", "Scale an endpoint to zero instances" and
"Automatic scaling" (burstable instances).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mlops_framework.blueprints.realtime_endpoint import many_models
from mlops_framework.blueprints.realtime_endpoint.slots import FURTHER_VARIANTS, SCHEDULED_ACTIONS
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.instances import has_local_disk, is_burstable
from mlops_framework.errors import Fault

REAL_TIME: Final = "real-time"
SERVERLESS: Final = "serverless"
ASYNCHRONOUS: Final = "asynchronous"

_MEMORY_STEP: Final = 1024

_ONLY_WITH_INSTANCES: Final[Mapping[str, str]] = {
    "instance_type": "it has no instances, and none with a GPU",
    "instance_count": "it has no instances; serverless_max_concurrency is its limit",
    "volume_size_gb": "it has no volume of a size of its own; its disk is 5 GB",
    "kms_key_arn": "it has no volume and captures nothing, so there is nothing for the key",
    "container_startup_timeout_seconds": "SageMaker sets that time for it",
    "model_download_timeout_seconds": "SageMaker sets that time for it",
    "further_variants": "it has one variant",
    "autoscaling_max_instances": "it scales by itself, within serverless_max_concurrency",
    "autoscaling_min_instances": "it scales by itself; serverless_provisioned_concurrency "
    "keeps some of it warm",
    "autoscaling_invocations_per_instance": "it scales by itself",
    "scheduled_scaling": "it scales by itself",
}
"""Why a serverless endpoint takes none of these."""

_NOT_CAPTURED: Final[Mapping[str, str]] = {
    SERVERLESS: "SageMaker captures no traffic of serverless endpoints",
    ASYNCHRONOUS: "SageMaker captures no traffic of asynchronous endpoints, of which all stands in "
    "S3 anyway",
    "multi-model": "SageMaker's monitoring does not take multi-model endpoints, and its captures "
    "do not say which model answered",
}

_MODE_OF: Final[Mapping[str, str]] = {
    "serverless_": SERVERLESS,
    "async_": ASYNCHRONOUS,
    "component_": REAL_TIME,
}
"""Modes of which only one takes fields that begin so."""


def stages_of(given: Mapping[str, Any], *names: str) -> list[str]:
    """Stages that some of the fields distinguish; one empty name when none does."""
    found = {stage for name in names if isinstance(given.get(name), dict) for stage in given[name]}
    return sorted(found) or [""]


def at(given: Mapping[str, Any], name: str, stage: str, default: Any) -> Any:
    """What a field says in a stage, as far as it can be told."""
    value = given.get(name, default)
    return value.get(stage, default) if isinstance(value, dict) else value


def rules(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault between the fields of a request.

    Args:
        given: What the request says.
        defaults: What its fields are when they are left out. A field that says the same counts as
            left out, so that a recorded request, defaults filled in, can be sent again.
    """
    given = {
        name: value
        for name, value in given.items()
        if name == "data_capture_percentage" or name not in defaults or value != defaults[name]
    }
    mode = given.get("endpoint_mode", REAL_TIME)
    yield from _of_another_mode(given, mode)
    yield from _capture(given, mode, many=many_models.of(given))
    if mode == SERVERLESS:
        yield from _serverless(given)
    else:
        yield from _scaling(given, mode)
        yield from _disks(given)
    yield from _variants(given, mode)


def _of_another_mode(given: Mapping[str, Any], mode: str) -> Iterator[Fault]:
    for prefix, owner in _MODE_OF.items():
        for name in sorted(given):
            if name.startswith(prefix) and mode != owner and given[name]:
                yield Fault(
                    name,
                    f"Only {owner} endpoints take it, and endpoint_mode is {mode!r}; leave it "
                    f"out, or set endpoint_mode to {owner!r}.",
                    f"nothing, or endpoint_mode {owner}",
                    shown(given[name]),
                )


def _capture(given: Mapping[str, Any], mode: str, *, many: bool) -> Iterator[Fault]:
    share = given.get("data_capture_percentage")
    shares = share.values() if isinstance(share, dict) else [share]
    if (many or mode != REAL_TIME) and any(isinstance(each, int) and each > 0 for each in shares):
        yield Fault(
            "data_capture_percentage",
            f"{_NOT_CAPTURED['multi-model' if many else mode]}; leave it out or set it to 0, and "
            "let the inference API capture (api_capture_percentage)"
            + (", or use a real-time endpoint that scales to zero." if mode == SERVERLESS else "."),
            "0",
            shown(share),
        )
    own = given.get("api_capture_percentage")
    if mode == REAL_TIME and not many and own:
        yield Fault(
            "api_capture_percentage",
            "SageMaker captures the traffic of real-time endpoints itself, without a write for "
            "each call; leave it out, and say data_capture_percentage.",
            "nothing, endpoint_mode serverless or asynchronous, or models_location",
            shown(own),
        )


def _serverless(given: Mapping[str, Any]) -> Iterator[Fault]:
    for name, reason in _ONLY_WITH_INSTANCES.items():
        if given.get(name):
            yield Fault(
                name,
                f"Not for a serverless endpoint: {reason}. Leave it out, or choose another "
                "endpoint_mode.",
                "nothing with endpoint_mode serverless",
                shown(given[name]),
            )
    memory = given.get("serverless_memory_mb")
    if isinstance(memory, int) and memory % _MEMORY_STEP:
        yield Fault(
            "serverless_memory_mb",
            f"SageMaker offers it in steps of {_MEMORY_STEP}; found {memory}.",
            "1024, 2048, 3072, 4096, 5120 or 6144",
            shown(memory),
        )
    for stage in stages_of(
        given, "serverless_max_concurrency", "serverless_provisioned_concurrency"
    ):
        most = at(given, "serverless_max_concurrency", stage, 10)
        warm = at(given, "serverless_provisioned_concurrency", stage, 0)
        if isinstance(most, int) and isinstance(warm, int) and warm > most:
            yield Fault(
                _path("serverless_provisioned_concurrency", stage, given),
                f"More than serverless_max_concurrency, which is {most}.",
                f"at most {most}",
                shown(warm),
            )


def _scaling(given: Mapping[str, Any], mode: str) -> Iterator[Fault]:
    other = {
        REAL_TIME: "autoscaling_backlog_per_instance",
        ASYNCHRONOUS: "autoscaling_invocations_per_instance",
    }.get(mode, "")
    if given.get(other):
        right = "autoscaling_invocations_per_instance"
        right = "autoscaling_backlog_per_instance" if other == right else right
        yield Fault(
            other,
            f"A {mode} endpoint is scaled by {right}; give that one.",
            right,
            shown(given[other]),
        )
    scales, to_zero = False, False
    for stage in stages_of(given, "autoscaling_min_instances", "autoscaling_max_instances"):
        least = at(given, "autoscaling_min_instances", stage, 1)
        most = at(given, "autoscaling_max_instances", stage, 0)
        if not isinstance(least, int) or not isinstance(most, int):
            continue
        scales, to_zero = scales or most > 0, to_zero or (most > 0 and least == 0)
        if most and least > most:
            yield Fault(
                _path("autoscaling_min_instances", stage, given),
                f"More than autoscaling_max_instances, which is {most}.",
                f"at most {most}",
                shown(least),
            )
        if most == 0 and least == 0:
            yield Fault(
                _path("autoscaling_max_instances", stage, given),
                "autoscaling_min_instances is 0, but nothing scales: say how many instances there "
                "may be at most.",
                "at least 1",
                shown(most),
            )
    if scales:
        yield from _scalable_types(given)
    yield from _scheduled(given, scales, to_zero)
    if mode == REAL_TIME:
        yield from _components(given, to_zero)


def _scalable_types(given: Mapping[str, Any]) -> Iterator[Fault]:
    for path, name in instance_types(given):
        if is_burstable(name):
            yield Fault(
                path,
                f"Instances that live on CPU credits, such as {name}, cannot be scaled; take "
                "another family, or leave autoscaling_max_instances out.",
                "a family other than t2",
                shown(name),
            )


def _scheduled(given: Mapping[str, Any], scales: bool, to_zero: bool) -> Iterator[Fault]:
    actions = given.get("scheduled_scaling")
    if not isinstance(actions, list) or not actions:
        return
    if not scales:
        yield Fault(
            "scheduled_scaling",
            "Nothing scales here: give autoscaling_max_instances too.",
            "autoscaling_max_instances of at least 1",
            shown(actions),
        )
    names = [_of(action, "name") for action in actions]
    for index, action in enumerate(actions):
        path = f"scheduled_scaling.{index}"
        if index >= SCHEDULED_ACTIONS:
            yield Fault(path, f"At most {SCHEDULED_ACTIONS} are carried.", "no further one", "…")
        least, most = _of(action, "min_instances"), _of(action, "max_instances")
        if isinstance(least, int) and isinstance(most, int) and least > most:
            yield Fault(
                f"{path}.min_instances",
                f"More than max_instances, which is {most}.",
                f"at most {most}",
                shown(least),
            )
        if least == 0 and scales and not to_zero:
            yield Fault(
                f"{path}.min_instances",
                "This endpoint keeps an instance; it goes down to none only with "
                "autoscaling_min_instances 0.",
                "at least 1, or autoscaling_min_instances 0",
                shown(least),
            )
        if names.index(names[index]) != index:
            yield Fault(
                f"{path}.name", "Two actions have this name.", "another name", shown(names[index])
            )


def _components(given: Mapping[str, Any], to_zero: bool) -> Iterator[Fault]:
    further = given.get("further_variants")
    if to_zero and further:
        yield Fault(
            "further_variants",
            "A real-time endpoint that scales to zero serves through an inference component, "
            "and has one variant.",
            "no further variant, or autoscaling_min_instances of at least 1",
            shown(further),
        )
    for name in sorted(given):
        if name.startswith("component_") and given[name] and not to_zero:
            yield Fault(
                name,
                "Only an endpoint that scales to zero (autoscaling_min_instances 0) serves through "
                "an inference component; others give the model the whole instance.",
                "nothing, or autoscaling_min_instances 0",
                shown(given[name]),
            )


def instance_types(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every instance type of a request that can be read, with its path."""
    value = given.get("instance_type", "ml.m5.large")
    if isinstance(value, dict):
        for stage, name in value.items():
            if isinstance(name, str):
                yield f"instance_type.{stage}", name
    elif isinstance(value, str):
        yield "instance_type", value
    for index, variant in enumerate(_list(given, "further_variants")):
        name = _of(variant, "instance_type")
        if isinstance(name, str) and name:
            yield f"further_variants.{index}.instance_type", name


def _disks(given: Mapping[str, Any]) -> Iterator[Fault]:
    if not given.get("volume_size_gb"):
        return
    for path, name in instance_types(given):
        if has_local_disk(name):
            yield Fault(
                path,
                f"{name} brings a disk of its own, of a fixed size; leave volume_size_gb out, or "
                "take an instance type without one.",
                "an instance type without a local disk, or no volume_size_gb",
                shown(name),
            )


def _variants(given: Mapping[str, Any], mode: str) -> Iterator[Fault]:
    further = _list(given, "further_variants")
    if further and mode == ASYNCHRONOUS:
        yield Fault(
            "further_variants",
            "An asynchronous endpoint has one variant: its queue knows no shares of traffic.",
            "no further variant with endpoint_mode asynchronous",
            shown(further),
        )
    if len(further) > FURTHER_VARIANTS:
        yield Fault(
            "further_variants",
            f"At most {FURTHER_VARIANTS} beside the request's own.",
            f"at most {FURTHER_VARIANTS}",
            f"{len(further)}",
        )
    names = [given.get("variant_name", "AllTraffic"), *(_of(v, "variant_name") for v in further)]
    for index, name in enumerate(names[1:]):
        if isinstance(name, str) and name in names[: index + 1]:
            yield Fault(
                f"further_variants.{index}.variant_name",
                "Two variants have this name.",
                "another name",
                shown(name),
            )
    weights = [given.get("initial_variant_weight", 1.0)]
    weights += [_of(variant, "initial_variant_weight", 1.0) for variant in further]
    if all(isinstance(weight, int | float) for weight in weights) and sum(weights) <= 0:
        yield Fault(
            "initial_variant_weight",
            "No variant takes traffic: one of the weights has to be above 0.",
            "a weight above 0",
            shown(weights[0]),
        )


def _list(given: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = given.get(name)
    return value if isinstance(value, list) else []


def _of(item: Any, name: str, default: Any = None) -> Any:
    return item.get(name, default) if isinstance(item, Mapping) else default


def _path(name: str, stage: str, given: Mapping[str, Any]) -> str:
    return f"{name}.{stage}" if stage and isinstance(given.get(name), dict) else name
