"""Finding blueprints of distributions, of the checkout and of named modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_framework.discovery import Offer, checked_out, discover, distinct
from mlops_framework.errors import BlueprintInvalid

PLUGIN = """
from typing import Literal
from pydantic import Field
from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.registry import Blueprint

class ShadowRequest(PipelineRequest):
    pipeline_type: Literal["acme-shadow"] = Field(description="Kind.")

BLUEPRINT = Blueprint("acme-shadow", "Mirror traffic.", ShadowRequest, "acme.stack:ShadowStack")
OTHER = "not a blueprint"
"""


@dataclass(frozen=True)
class Selection:
    """As an environment selects."""

    enabled: tuple[str, ...] = ("*",)
    modules: tuple[str, ...] = ()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("extension_"):
            del sys.modules[name]


def kinds(selection: Selection) -> list[str]:
    return [blueprint.kind for blueprint in discover(selection)]


def test_only_enabled_kinds_are_taken() -> None:
    assert kinds(Selection(enabled=("training", "drift-*"))) == ["drift-monitor", "training"]


def test_an_enabled_kind_that_nobody_offers_is_told_with_the_nearest() -> None:
    with pytest.raises(BlueprintInvalid, match="Did you mean 'training'"):
        discover(Selection(enabled=("trainin",)))


def test_a_module_of_the_environment_is_a_second_way_in(path: Path) -> None:
    (path / "extension_good.py").write_text(PLUGIN, encoding="utf-8")

    assert "acme-shadow" in kinds(Selection(modules=("extension_good",)))


def test_a_module_that_does_not_import_is_named_with_the_way_out(path: Path) -> None:
    (path / "extension_bad.py").write_text("1 / 0", encoding="utf-8")

    with pytest.raises(BlueprintInvalid) as refused:
        discover(Selection(modules=("extension_bad",)))

    assert "extension_bad:BLUEPRINT" in str(refused.value)
    assert "ZeroDivisionError" in str(refused.value)
    assert "remove it from blueprints.modules" in str(refused.value)


def test_a_module_that_offers_something_else_is_refused(path: Path) -> None:
    (path / "extension_other.py").write_text(PLUGIN, encoding="utf-8")

    with pytest.raises(BlueprintInvalid, match="is a str, not a"):
        discover(Selection(modules=("extension_other:OTHER",)))


def test_a_kind_offered_by_two_with_different_values_names_both() -> None:
    offers = [Offer("a", "one:B", "dist-one"), Offer("a", "two:B", "dist-two")]

    with pytest.raises(BlueprintInvalid, match="one:B by dist-one and two:B by dist-two"):
        distinct(offers)


def test_a_checkout_that_is_also_installed_offers_each_kind_once() -> None:
    offers = [Offer("a", "one:B", "dist-one"), Offer("a", "one:B", "checkout")]

    assert distinct(offers) == [offers[0]]


def test_a_folder_without_project_file_offers_nothing(tmp_path: Path) -> None:
    assert list(checked_out(tmp_path)) == []


def test_the_entry_point_must_be_named_after_the_kind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = path / "acme_bp-1.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bp\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(
        "[mlops_framework.blueprints]\nacme-wrong = extension_named:BLUEPRINT\n"
    )
    (path / "extension_named.py").write_text(PLUGIN, encoding="utf-8")

    with pytest.raises(BlueprintInvalid, match="name and the kind must be equal") as refused:
        discover()

    assert "acme-bp" in str(refused.value)
    assert kinds(Selection(enabled=("training",))) == ["training"], "switched off, not imported"
