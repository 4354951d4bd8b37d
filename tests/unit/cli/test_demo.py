"""An example's loop: every step told, the first that does not hold ends it, nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import Result

from mlops_framework.cli.__main__ import Tools
from mlops_framework.cli.demo import STEPS, mlops_json
from tests.unit.cli.fakes import FakeEmbedded, FakePlaces

Run = Callable[..., Result]

LOOP = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Any

@dataclass
class Place:
    environment: Any
    prefix: str
    mlops: Any
    address: Any

@dataclass
class Loop:
    place: Place
    data: Any
    source: Any
    requests: Any

    def report_file(self, folder):
        return folder / "drift-report.html"

    def __getattr__(self, name):
        return lambda: self.step(name)

    def step(self, name):
        if name == {failing!r}:
            raise AssertionError("the endpoint is Failed")
        return f"{{name}} held in {{self.place.prefix}}"
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "examples" / "toy"
    folder.mkdir(parents=True)
    (folder / "prepare.py").write_text("print('prepared')")
    return folder


def bring(checkout: Path, *, failing: str = "") -> None:
    (checkout / "loop.py").write_text(LOOP.format(failing=failing))


def demo(run: Run, embedded: FakeEmbedded, *more: str) -> Result:
    used = Tools(places=FakePlaces(None), embedded_in=lambda _: embedded)
    return run("demo", "--example", "toy", *more, using=used)


def test_every_step_is_told_with_what_was_checked(run: Run, checkout: Path) -> None:
    bring(checkout)

    result = demo(run, FakeEmbedded())

    assert result.exit_code == 0
    for title, method in STEPS:
        assert title in result.stdout
        assert f"{method} held in mlops-local" in result.stdout
    assert "drift-report.html" in result.stdout


def test_the_timeline_can_be_read_by_a_machine(run: Run, checkout: Path) -> None:
    bring(checkout)

    document = json.loads(demo(run, FakeEmbedded(), "--json").stdout)

    assert [done["step"] for done in document["timeline"][2:]] == [title for title, _ in STEPS]


def test_the_first_step_that_does_not_hold_ends_the_demo(run: Run, checkout: Path) -> None:
    bring(checkout, failing="serve")

    result = demo(run, FakeEmbedded())

    assert result.exit_code == 1
    assert "Serve it: the endpoint is Failed" in result.stderr
    assert "approve held" in result.stdout
    assert "monitor held" not in result.stdout


@pytest.mark.parametrize(
    ("failing", "arguments", "left"),
    [
        ("", (), False),
        ("serve", (), False),
        ("", ("--leave-running",), True),
    ],
)
def test_nothing_is_left_running_unless_asked_for(
    run: Run, checkout: Path, failing: str, arguments: Sequence[str], left: bool
) -> None:
    bring(checkout, failing=failing)
    embedded = FakeEmbedded()

    demo(run, embedded, *arguments)

    assert embedded.running is left
    assert embedded.asked["outlive"] is left, "killed, a demo takes its local AWS along"


def test_what_an_interrupted_demo_left_is_stopped_first(run: Run, checkout: Path) -> None:
    bring(checkout)

    assert demo(run, FakeEmbedded(running=True)).exit_code == 0


def test_an_unknown_example_is_told_with_those_there_are(run: Run, checkout: Path) -> None:
    used = Tools(places=FakePlaces(None), embedded_in=lambda _: FakeEmbedded())

    result = run("demo", "--example", "tyo", using=used)

    assert result.exit_code == 1
    assert "examples: toy" in result.stderr


def test_data_that_cannot_be_prepared_is_told_in_the_script_s_words(
    run: Run, checkout: Path
) -> None:
    (checkout / "prepare.py").write_text("raise SystemExit('no parquet file')")

    assert "no parquet file" in demo(run, FakeEmbedded()).stderr


def test_the_command_line_is_run_as_a_user_would(tmp_path: Path) -> None:
    assert mlops_json(["local", "down"], tmp_path / "state") == {"stopped": False}


def test_what_the_command_line_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="There is no file"):
        mlops_json(["submit", str(tmp_path / "none.json")], tmp_path / "state")
