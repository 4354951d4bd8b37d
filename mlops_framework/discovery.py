"""Finding blueprints: entry points, the checkout's own table, and named modules. Used at synth.

Installing a distribution is not enabling it: only kinds that the environment's
``blueprints.enabled`` allows are imported, so a broken plugin can be switched
off without uninstalling it.
"""

from __future__ import annotations

import fnmatch
import importlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlops_framework.contracts.faults import closest
from mlops_framework.errors import BlueprintInvalid

if TYPE_CHECKING:
    from mlops_framework.registry import Blueprint, Selection

GROUP: Final = "mlops_framework.blueprints"
_CHECKOUT: Final = "this checkout's pyproject.toml"


@dataclass(frozen=True)
class Offer:
    """A blueprint somebody offers: its kind, ``module:NAME`` and who offers it."""

    kind: str
    value: str
    source: str


def discover(selection: Selection | None = None) -> tuple[Blueprint, ...]:
    """The blueprints that ``selection`` enables; all of them without one.

    Raises:
        BlueprintInvalid: See :meth:`mlops_framework.registry.Registry.discover`.
    """
    patterns = tuple(selection.enabled) if selection else ("*",)
    offers = distinct([*installed(), *checked_out()])
    taken = [offer for offer in offers if _allowed(offer.kind, patterns)]
    blueprints = [_load(offer) for offer in taken]
    modules = tuple(selection.modules) if selection else ()
    blueprints += [_load_module(module) for module in modules]
    _refuse_unmatched(patterns, [blueprint.kind for blueprint in blueprints], offers)
    return tuple(blueprints)


def installed(group: str = GROUP) -> Iterator[Offer]:
    """Offers of the installed distributions, by default of blueprints."""
    for point in entry_points(group=group):
        source = point.dist.name if point.dist else "an unknown distribution"
        yield Offer(point.name, point.value, source)


def checked_out(folder: Path | None = None, group: str = GROUP) -> Iterator[Offer]:
    """Offers of the ``pyproject.toml`` beside the package, for a checkout that is not installed."""
    pyproject = (folder or Path(__file__).parent.parent) / "pyproject.toml"
    if not pyproject.is_file():
        return
    project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    for kind, value in project.get("entry-points", {}).get(group, {}).items():
        yield Offer(kind, value, _CHECKOUT)


def distinct(offers: Iterable[Offer]) -> list[Offer]:
    """One offer per kind; the same value offered twice is the same offer.

    Raises:
        BlueprintInvalid: If two sources offer one kind with different values.
    """
    by_kind: dict[str, Offer] = {}
    for offer in offers:
        first = by_kind.setdefault(offer.kind, offer)
        if first.value != offer.value:
            raise BlueprintInvalid(
                f"The blueprint {offer.kind!r} is offered twice: {first.value} by {first.source} "
                f"and {offer.value} by {offer.source}. Uninstall one of them or rename its kind."
            )
    return sorted(by_kind.values(), key=lambda offer: offer.kind)


def _allowed(kind: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(kind, pattern) for pattern in patterns)


def _load(offer: Offer) -> Blueprint:
    module, _, name = offer.value.partition(":")
    return _import(module, name or "BLUEPRINT", offer.kind, offer.source)


def _load_module(reference: str) -> Blueprint:
    module, _, name = reference.partition(":")
    return _import(module, name or "BLUEPRINT", None, "blueprints.modules")


def _import(module: str, name: str, kind: str | None, source: str) -> Blueprint:
    from mlops_framework.registry import Blueprint

    offered = f"{module}:{name} of {source}"
    way_out = (
        "Repair it, or leave it out of blueprints.enabled in environments/<name>.yaml."
        if kind
        else "Repair it, or remove it from blueprints.modules in environments/<name>.yaml."
    )
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # A plugin's import may raise anything; say whose it was.
        raise BlueprintInvalid(
            f"The blueprint {offered} cannot be imported: "
            f"{type(error).__name__}: {str(error).rstrip('.')}. {way_out}"
        ) from error
    if not isinstance(found, Blueprint):
        raise BlueprintInvalid(
            f"{offered} is a {type(found).__name__}, not a mlops_framework.registry.Blueprint. "
            f"{way_out}"
        )
    if kind is not None and found.kind != kind:
        raise BlueprintInvalid(
            f"{offered} is registered as {kind!r} but its kind is {found.kind!r}: the entry "
            f"point's name and the kind must be equal. {way_out}"
        )
    return found


def _refuse_unmatched(patterns: Iterable[str], loaded: list[str], offers: list[Offer]) -> None:
    known = sorted({*loaded, *(offer.kind for offer in offers)})
    for pattern in patterns:
        if pattern == "*" or any(fnmatch.fnmatchcase(kind, pattern) for kind in known):
            continue
        nearest = closest(pattern, known)
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        raise BlueprintInvalid(
            f"blueprints.enabled names {pattern!r}, which nobody offers.{hint} "
            f"Offered: {', '.join(known) or 'none'}."
        )
