"""Checks a pipeline's structure, and refuses by name what is not carried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.local.plane.codepipeline import conditions
from mlops_framework.local.plane.codepipeline.actions import ACTIONS
from mlops_framework.local.plane.service import AwsFault

Declaration = Mapping[str, Any]
_NO_GIT: Final = (
    "There is no Git host here. Give the source an archive instead (git_sources: archive), which "
    "is put into S3, or watch a folder: mlops apply FOLDER --yes --watch."
)
_INSTEAD: Final[Mapping[tuple[str, str], str]] = {
    ("Source", "CodeCommit"): _NO_GIT,
    ("Source", "CodeStarSourceConnection"): _NO_GIT,
}


def check(pipeline: Declaration) -> None:
    """Checks what AWS's model of the request cannot say.

    Args:
        pipeline: A ``PipelineDeclaration`` that fits AWS's shape.

    Raises:
        AwsFault: ``InvalidStructureException``, ``InvalidStageDeclarationException`` or
            ``InvalidActionDeclarationException``, as AWS answers; for what AWS has but the local
            AWS does not carry, ``NotCarriedByLocalAws``.
    """
    stages = pipeline["stages"]
    if len(stages) < 2:
        raise AwsFault(
            "InvalidStructureException",
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in "
            "a pipeline",
        )
    _unique("InvalidStageDeclarationException", "stage", [stage["name"] for stage in stages])
    if "artifactStore" not in pipeline:
        found = "artifactStores" if "artifactStores" in pipeline else "none"
        raise _not_carried(f"a pipeline without artifactStore (found: {found})")
    produced: set[str] = set()
    for position, stage in enumerate(stages):
        _check_stage(stage, first=position == 0)
        made: set[str] = set()
        for action in sorted(stage["actions"], key=lambda item: int(item.get("runOrder", 1))):
            _check_action(stage["name"], action)
            for item in action.get("inputArtifacts", ()):
                if item["name"] not in produced | made:
                    raise AwsFault(
                        "InvalidActionDeclarationException",
                        f"Input Artifact Bundle {item['name']} in action {action['name']} is not "
                        "declared as Output Artifact Bundle in any of the preceding actions",
                    )
            made |= {item["name"] for item in action.get("outputArtifacts", ())}
        produced |= made


def _check_stage(stage: Declaration, *, first: bool) -> None:
    name = stage["name"]
    for key in ("blockers", "onSuccess", "onFailure"):
        if stage.get(key):
            raise _not_carried(f"{key} of stage {name}")
    if refusal := conditions.refusal(stage):
        raise _not_carried(f"beforeEntry of stage {name} with {refusal}")
    if first and stage.get("beforeEntry"):
        raise AwsFault(
            "InvalidStageDeclarationException",
            f"The source stage {name} takes no beforeEntry condition",
        )
    if not stage["actions"]:
        raise AwsFault("InvalidStageDeclarationException", f"Stage {name} has no actions")
    _unique(
        "InvalidActionDeclarationException",
        f"action in stage {name}",
        [action["name"] for action in stage["actions"]],
    )
    sources = [a["name"] for a in stage["actions"] if a["actionTypeId"]["category"] == "Source"]
    if first and len(sources) != len(stage["actions"]):
        raise AwsFault(
            "InvalidStructureException",
            f"Pipeline should start with a stage that only contains source actions; {name} "
            "contains others",
        )
    if not first and sources:
        raise AwsFault(
            "InvalidStructureException",
            f"Only the first stage may contain source actions; {name} contains {sources}",
        )


def _check_action(stage: str, declared: Declaration) -> None:
    where = f"action {declared['name']} of stage {stage}"
    kind = declared["actionTypeId"]
    action = ACTIONS.get((kind["category"], kind["provider"]))
    if action is None or kind["owner"] != "AWS" or kind["version"] != "1":
        carried = ", ".join(f"{category}/{provider}" for category, provider in ACTIONS)
        named = f"{kind['category']}/{kind['provider']} ({kind['owner']}, {kind['version']})"
        instead = _INSTEAD.get((kind["category"], kind["provider"]), "")
        raise _not_carried(f"{named} in {where}; carried (AWS, 1): {carried}", instead)
    configuration = declared.get("configuration") or {}
    if missing := sorted(action.required - configuration.keys()):
        raise AwsFault(
            "InvalidActionDeclarationException",
            f"Action configuration for {where} is missing required configuration "
            f"{', '.join(repr(key) for key in missing)}",
        )
    if unknown := sorted(configuration.keys() - action.required - action.optional):
        known = ", ".join(sorted(action.required | action.optional)) or "none"
        raise AwsFault(
            "InvalidActionDeclarationException",
            f"Action configuration for {where} contains unknown configuration {unknown}; "
            f"known: {known}",
        )
    if refusal := action.refusal(configuration):
        raise AwsFault("InvalidActionDeclarationException", f"In {where}: {refusal}")
    for key, (least, most) in (
        ("inputArtifacts", action.inputs),
        ("outputArtifacts", action.outputs),
    ):
        count = len(declared.get(key) or ())
        if not least <= count <= most:
            raise AwsFault(
                "InvalidActionDeclarationException",
                f"{where} has {count} {key}; {least} to {most} are allowed",
            )


def _unique(code: str, noun: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AwsFault(code, f"The {noun} name {', '.join(twice)} is used more than once")


def _not_carried(what: str, instead: str = "") -> AwsFault:
    said = f"The local AWS does not carry {what}. {instead}".rstrip()
    return AwsFault("NotCarriedByLocalAws", said, 501)
