"""The four types that serve a model: endpoints and batches, with an image of AWS's or an own one.

``byom_realtime_builtin`` and ``byom_realtime_custom`` are one kind of ours, and so are the two of
batch: an image is an image. Whether a model comes from the registry was a switch of the whole
platform; here a body says so by its ``model_package_name``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import NOTHING
from mlops_framework.orchestration.predecessor.draft import Draft
from mlops_framework.orchestration.predecessor.fields import Form, Old, OldType

MODEL_NAME: Final = Old("model_name", Form.LOWER, required=True, meaning="Name of the model.")
PROBLEMS: Final = ("Regression", "BinaryClassification", "MulticlassClassification")
KMS_KEY: Final = Old("kms_key_arn", Form.TEXT, per_stage=True)

_MODEL: Final[Mapping[str, Old]] = {
    "model_name": MODEL_NAME,
    "model_package_name": Old("model_package_name", Form.TEXT),
    "model_artifact_location": Old("model_artifact_location", Form.ASSET),
    "inference_instance": Old(
        "instance_type",
        Form.LOWER,
        required=True,
        per_stage=True,
        meaning="Instance type that serves the model.",
    ),
    "kms_key_arn": KMS_KEY,
}
_BUILTIN: Final[Mapping[str, Old]] = {
    "model_framework": Old("algorithm", Form.LOWER),
    "model_framework_version": Old("algorithm_version", Form.TEXT),
}
_CUSTOM: Final[Mapping[str, Old]] = {"custom_image_uri": Old("image_uri", Form.TEXT)}
_UNTAGGED: Final = re.compile("[0-9]{12}[.]dkr[.]ecr[a-z-]*[.][^:@]+/[^:@]+")
_NO_SCRIPT: Final[Mapping[str, str]] = {"SAGEMAKER_PROGRAM": "", "SAGEMAKER_SUBMIT_DIRECTORY": ""}
_REALTIME: Final[Mapping[str, Old]] = {
    "data_capture_location": Old(
        "data_capture_location",
        Form.PLACE,
        required=True,
        per_stage=True,
        meaning="Where captured traffic goes.",
    ),
    "endpoint_name": Old("endpoint_name", Form.LOWER, per_stage=True),
}
_BATCH: Final[Mapping[str, Old]] = {
    "batch_inference_data": Old(
        "input_location", Form.PLACE, required=True, per_stage=True, meaning="What is scored."
    ),
    "batch_job_output_location": Old(
        "output_location",
        Form.PLACE,
        required=True,
        per_stage=True,
        meaning="Where predictions go.",
    ),
}


def algorithm(draft: Draft) -> None:
    """A version that makes no difference is left out, as it was then."""
    from mlops_framework.images import ImageUnknown, versions

    name, version = draft.body.get("algorithm"), draft.body.get("algorithm_version")
    try:
        offered = versions(name, "inference") if isinstance(name, str) else ()
    except ImageUnknown:
        return
    if version and len(offered) == 1 and version not in offered:
        del draft.body["algorithm_version"]
        draft.notes.append(
            f"{draft.spelt('model_framework_version')}: {name} has the one version {offered[0]}, "
            f"which is taken for {version}."
        )


def _model(draft: Draft, image: Mapping[str, Old]) -> None:
    wanted = {"model_artifact_location": "model_artifact_location"}
    wanted |= {name: old.to for name, old in image.items()}
    draft.came_from("image_uri", draft.spelt(next(iter(image))))
    if "model_package_name" in draft.body:
        ignored = [draft.spelt(name) for name, ours in wanted.items() if draft.body.pop(ours, None)]
        if ignored:
            draft.notes.append(
                f"{', '.join(ignored)}: the model package brings its own, and wins as before."
            )
        return
    for name, ours in wanted.items():
        if ours not in draft.body and not any(f.path == draft.spelt(name) for f in draft.faults):
            draft.wrong(
                draft.spelt(name),
                f"Bad request. API body does not have the necessary parameter: {name}. (A body "
                "with model_package_name takes its model from the registry and needs none of "
                f"{', '.join(wanted)}.)",
                "text",
                draft.given.get(name, NOTHING),
            )
    algorithm(draft)


def _builtin(draft: Draft) -> None:
    _model(draft, _BUILTIN)


def _custom(draft: Draft) -> None:
    _model(draft, _CUSTOM)
    image = draft.body.get("image_uri")
    if isinstance(image, str) and _UNTAGGED.fullmatch(image):
        draft.body["image_uri"] = f"{image}:latest"
        draft.notes.append(
            f"{draft.spelt('custom_image_uri')}: names no tag, so that its tag latest is taken."
        )


def _realtime_builtin(draft: Draft) -> None:
    _builtin(draft)
    _endpoint_names(draft)


def _realtime_custom(draft: Draft) -> None:
    _custom(draft)
    if "image_uri" in draft.body:
        # It gave containers no variables; ours tell framework images which script to run.
        draft.body["environment"] = dict(_NO_SCRIPT)
    _endpoint_names(draft)


def _batch_builtin(draft: Draft) -> None:
    _builtin(draft)
    _input_folder(draft)


def _batch_custom(draft: Draft) -> None:
    _custom(draft)
    _input_folder(draft)


def _input_folder(draft: Draft) -> None:
    """``bucket/in`` beside ``bucket/in-scored``: the folder is meant, not all that begins so."""
    found, out = draft.body.get("input_location"), draft.body.get("output_location")
    pairs = {
        stage: (_stage_of(found, stage), _stage_of(out, stage)) for stage in draft.setting.stages
    }
    if not all(isinstance(each, str) for pair in pairs.values() for each in pair):
        return
    folders = {
        stage: f"{begin}/" if _is_folder_beside(begin, end) else begin
        for stage, (begin, end) in pairs.items()
    }
    if all(folders[stage] == begin for stage, (begin, _) in pairs.items()):
        return
    spelling = draft.spelt("batch_inference_data")
    one = len({*folders.values()}) == 1
    draft.body["input_location"] = next(iter(folders.values())) if one else folders
    draft.notes.append(
        f"{spelling}: read as a folder, with a slash behind it; batch_job_output_location begins "
        "with the same letters, and predictions would be scored again."
    )


def _stage_of(value: Any, stage: str) -> Any:
    return value.get(stage) if isinstance(value, dict) else value


def _is_folder_beside(begin: str, end: str) -> bool:
    last = begin.rpartition("/")[2]
    beside = end.startswith(begin) and end != begin and not end.startswith(f"{begin}/")
    return beside and "." not in last


def _endpoint_names(draft: Draft) -> None:
    """One name in several stages of one account: the last stage has it as it was given.

    The predecessor gave each stage an account of its own.
    """
    name, stages = draft.body.get("endpoint_name"), list(draft.setting.stages)
    if not isinstance(name, str) or len(stages) == 1:
        return
    names = {stage: f"{name}-{stage}" for stage in stages[:-1]} | {stages[-1]: name}
    draft.put("endpoint_name", names, draft.spelt("endpoint_name"))
    for stage in stages:
        draft.came_from(f"endpoint_name.{stage}", draft.spelt("endpoint_name"), whole=True)
    draft.notes.append(
        f"{draft.spelt('endpoint_name')}: the stages of this environment share an account, where a "
        f"name is there once: {', '.join(f'{s} has {n}' for s, n in names.items())}. Give a map "
        "of stages for other names."
    )


SERVING: Final[Mapping[str, OldType]] = {
    "byom_realtime_builtin": OldType(
        "realtime-endpoint", {**_MODEL, **_BUILTIN, **_REALTIME}, _realtime_builtin
    ),
    "byom_realtime_custom": OldType(
        "realtime-endpoint", {**_MODEL, **_CUSTOM, **_REALTIME}, _realtime_custom
    ),
    "byom_batch_builtin": OldType(
        "batch-transform", {**_MODEL, **_BUILTIN, **_BATCH}, _batch_builtin
    ),
    "byom_batch_custom": OldType("batch-transform", {**_MODEL, **_CUSTOM, **_BATCH}, _batch_custom),
}
