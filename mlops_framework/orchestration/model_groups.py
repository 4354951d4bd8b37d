"""From a group in the model registry to the version of it that is served.

A request that names a ``model_package_group`` where it could name a ``model_package_name`` asks for
the newest approved version. The version is filled in before planning, so that the plan, the record
and the template know one version and no more; approving another one plans the request again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.faults import shown
from mlops_framework.errors import Fault, RequestInvalid

GROUP: Final = "model_package_group"
VERSION: Final = "model_package_name"
NewestApproved = Callable[[str], str | None]
_Model = TypeVar("_Model", bound=BaseModel)


def with_versions(request: PipelineRequest, newest_approved: NewestApproved) -> PipelineRequest:
    """The request with the newest approved version beside each group that it serves.

    Kinds that register models have a group and no version; they are left as they are.

    Args:
        request: A validated request.
        newest_approved: Gives the version's ARN.

    Raises:
        RequestInvalid: If no version of a group is approved; every such group at once.
    """
    known = {group: newest_approved(group) for _, group in _served(request, "")}
    faults = [
        Fault(
            path,
            f"No version of the model package group {group!r} is approved, so there is none to "
            "serve. Approve one (mlops approve MODEL_PACKAGE_ARN), or name one in "
            f"{path.removesuffix(GROUP)}{VERSION}.",
            "a group of the model registry with an approved version",
            shown(group),
        )
        for path, group in _served(request, "")
        if known[group] is None
    ]
    if faults:
        raise RequestInvalid(faults)
    return _filled(request, known) if known else request


def groups_served(document: Any) -> frozenset[str]:
    """The groups that a recorded request serves.

    Args:
        document: The request as JSON values, its versions filled in.
    """
    if isinstance(document, Mapping):
        own = document.get(GROUP)
        here = {own} if isinstance(own, str) and own and document.get(VERSION) else set()
        return frozenset(here).union(*(groups_served(inner) for inner in document.values()))
    if isinstance(document, list):
        return frozenset().union(*(groups_served(inner) for inner in document))
    return frozenset()


def _served(model: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    fields = type(model).model_fields
    if GROUP in fields and VERSION in fields and getattr(model, GROUP):
        yield f"{path}{GROUP}", getattr(model, GROUP)
    for name in fields:
        for where, inner in _models_in(getattr(model, name), f"{path}{name}"):
            yield from _served(inner, f"{where}.")


def _models_in(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    if isinstance(value, BaseModel):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _models_in(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _models_in(inner, f"{path}.{index}")


def _filled(model: _Model, known: Mapping[str, str | None]) -> _Model:
    fields = type(model).model_fields
    changes = {
        name: filled
        for name in fields
        if (filled := _filled_value(given := getattr(model, name), known)) is not given
    }
    if GROUP in fields and VERSION in fields and getattr(model, GROUP):
        changes[VERSION] = known[getattr(model, GROUP)]
    return model.model_copy(update=changes) if changes else model


def _filled_value(value: Any, known: Mapping[str, str | None]) -> Any:
    if isinstance(value, BaseModel):
        return _filled(value, known)
    if isinstance(value, Mapping) and any(True for _ in _models_in(value, "")):
        return {key: _filled_value(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple) and any(True for _ in _models_in(value, "")):
        return type(value)(_filled_value(inner, known) for inner in value)
    return value
