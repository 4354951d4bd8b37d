"""Finding the platform extensions that an environment takes, and laying them on an app."""

from __future__ import annotations

import fnmatch
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import aws_cdk as cdk
import jsii
from constructs import Construct, IConstruct
from pydantic import ValidationError

from mlops_framework.cdk.errors import ExtensionInvalid
from mlops_framework.cdk.extension import ExtensionStack, PlatformExtension
from mlops_framework.contracts.faults import closest, faults_of, shown
from mlops_framework.discovery import Offer, checked_out, installed
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.errors import EnvironmentInvalid, Fault

GROUP: Final = "mlops_framework.platform"
_AFTER_OURS: Final = 600
"""Priority of their aspects: above the default of 500, so that they see tags and guarded roles."""
_WAY_OUT: Final = "Repair it, or leave it out of extensions in environments/<name>.yaml."

Result = TypeVar("Result")


@dataclass(frozen=True)
class Loaded:
    """An extension, made for an environment, and who offers it."""

    extension: PlatformExtension
    source: str

    def __str__(self) -> str:
        """As messages name it."""
        return f"the platform extension {self.extension.name!r} of {self.source}"


@dataclass(frozen=True)
class Extensions:
    """The extensions of an environment, sorted by name.

    Example:
        >>> Extensions.discover(config).names
        ('acme-guard-rails',)
    """

    loaded: tuple[Loaded, ...] = ()

    @classmethod
    def discover(cls, config: EnvironmentConfig) -> Extensions:
        """Every extension that is installed and that the environment takes.

        Raises:
            ExtensionInvalid: If one cannot be imported or made, two offer the same name, or the
                environment names one that nobody offers.
            EnvironmentInvalid: If the environment's settings for one are not what it accepts.
        """
        chosen = config.extensions
        offers = _distinct([*installed(GROUP), *checked_out(group=GROUP)])
        taken = [offer for offer in offers if _allowed(offer.kind, chosen.enabled)]
        found = [(_load(offer.value, offer.kind, offer.source), offer.source) for offer in taken]
        for module in chosen.modules:
            source = f"extensions.modules ({module})"
            found.append((_load(module, None, source), source))
        names = [extension.name for extension, _ in found]
        _refuse_unmatched(chosen.enabled, names, [offer.kind for offer in offers])
        _refuse_unused(config, names)
        loaded = (Loaded(_made(extension, config, source), source) for extension, source in found)
        return cls(tuple(sorted(loaded, key=lambda one: one.extension.name)))

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(one.extension.name for one in self.loaded)

    def guard(self, app: cdk.App) -> None:
        """Lay their aspects on every construct of an app.

        An error that one reports fails the synthesis together with what cdk-nag finds.
        """
        for one in self.loaded:
            for aspect in _of(one, "aspects()", partial(_aspects, one.extension)):
                cdk.Aspects.of(app).add(_Named(aspect, str(one)), priority=_AFTER_OURS)

    def add_stacks(self, app: cdk.App, after: Sequence[cdk.Stack]) -> None:
        """Define their stacks, each deployed after the platform's.

        Args:
            app: The app.
            after: The platform's stacks.

        Raises:
            ExtensionInvalid: If one fails, or makes a stack that is no ``ExtensionStack``.
        """
        for one in self.loaded:
            scope = Construct(app, one.extension.name)
            _of(one, "add_stacks()", partial(one.extension.add_stacks, scope))
            for stack in _stacks_below(scope, str(one)):
                for earlier in after:
                    stack.add_stack_dependency(earlier, "stands beside the platform")


@jsii.implements(cdk.IAspect)
class _Named:
    """An aspect of an extension: what it raises is reported under the extension's name."""

    def __init__(self, aspect: cdk.IAspect, source: str) -> None:
        self._aspect = aspect
        self._source = source

    def visit(self, node: IConstruct) -> None:
        try:
            self._aspect.visit(node)
        except Exception as error:  # An extension may raise anything; say whose it was.
            kind = type(error).__name__
            cdk.Annotations.of(node).add_error(
                f"An aspect of {self._source} failed here: {kind}: {error}. {_WAY_OUT}"
            )


def _distinct(offers: Iterable[Offer]) -> list[Offer]:
    by_name: dict[str, Offer] = {}
    for offer in offers:
        first = by_name.setdefault(offer.kind, offer)
        if first.value != offer.value:
            raise ExtensionInvalid(
                f"The platform extension {offer.kind!r} is offered twice: {first.value} by "
                f"{first.source} and {offer.value} by {offer.source}. Uninstall one of them or "
                "rename it."
            )
    return sorted(by_name.values(), key=lambda offer: offer.kind)


def _allowed(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _load(reference: str, name: str | None, source: str) -> type[PlatformExtension]:
    module, _, attribute = reference.partition(":")
    offered = f"{module}:{attribute or 'EXTENSION'} of {source}"
    try:
        found = getattr(importlib.import_module(module), attribute or "EXTENSION")
    except Exception as error:  # A plugin's import may raise anything; say whose it was.
        raise ExtensionInvalid(
            f"The platform extension {offered} cannot be imported: "
            f"{type(error).__name__}: {str(error).rstrip('.')}. {_WAY_OUT}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, PlatformExtension)):
        raise ExtensionInvalid(
            f"{offered} is no subclass of mlops_framework.cdk.extension.PlatformExtension. "
            f"{_WAY_OUT}"
        )
    if name is not None and found.name != name:
        raise ExtensionInvalid(
            f"{offered} is registered as {name!r} but its name is {found.name!r}: both must be "
            f"equal. {_WAY_OUT}"
        )
    return found


def _made(
    extension: type[PlatformExtension], config: EnvironmentConfig, source: str
) -> PlatformExtension:
    given = config.extensions.settings.get(extension.name, {})
    where = f"extensions.settings.{extension.name}"
    try:
        settings = extension.settings_type.model_validate(given)
    except ValidationError as error:
        faults = [
            Fault(f"{where}.{fault.path}", fault.message, fault.accepted, fault.found)
            for fault in faults_of(error, extension.settings_type)
        ]
        raise EnvironmentInvalid(
            f"The environment {config.name!r} is refused by the platform extension "
            f"{extension.name!r} of {source}.",
            faults,
        ) from None
    try:
        return extension(config, settings)
    except Exception as error:
        raise _failure(f"the platform extension {extension.name!r} of {source}", error) from error


def _aspects(extension: PlatformExtension) -> list[cdk.IAspect]:
    return list(extension.aspects())


def _of(one: Loaded, method: str, call: Callable[[], Result]) -> Result:
    try:
        return call()
    except Exception as error:
        raise _failure(f"{method} of {one}", error) from error


def _failure(what: str, error: Exception) -> ExtensionInvalid:
    said = str(error).strip().splitlines()
    first = said[0].rstrip(".") if said else ""
    return ExtensionInvalid(f"{what} failed: {type(error).__name__}: {first}. {_WAY_OUT}")


def _stacks_below(scope: Construct, source: str) -> Iterator[cdk.Stack]:
    for construct in scope.node.find_all():
        if not cdk.Stack.is_stack(construct):
            continue
        if not isinstance(construct, ExtensionStack):
            raise ExtensionInvalid(
                f"{source} makes the stack {construct.node.path}, which is no "
                "mlops_framework.cdk.extension.ExtensionStack: it would have neither the "
                f"environment's tags nor the boundary of its roles. {_WAY_OUT}"
            )
        yield construct


def _refuse_unmatched(patterns: Iterable[str], loaded: list[str], offered: list[str]) -> None:
    known = sorted({*loaded, *offered})
    for pattern in patterns:
        if pattern == "*" or any(fnmatch.fnmatchcase(name, pattern) for name in known):
            continue
        nearest = closest(pattern, known)
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        raise ExtensionInvalid(
            f"extensions.enabled names {pattern!r}, which nobody offers.{hint} "
            f"Offered: {', '.join(known) or 'none'}. Install its distribution beside the platform."
        )


def _refuse_unused(config: EnvironmentConfig, taken: list[str]) -> None:
    unused = sorted(config.extensions.settings.keys() - {*taken})
    if unused:
        said = (
            "These settings belong to no extension that is enabled here; enable it, or remove them."
        )
        accepted = ", ".join(sorted(taken)) or "none"
        raise EnvironmentInvalid(
            f"The environment {config.name!r} is refused.",
            [Fault(f"extensions.settings.{name}", said, accepted, shown(name)) for name in unused],
        )
