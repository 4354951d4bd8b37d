"""Starting and stopping the local AWS from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from mlops_framework.cli.__main__ import Tools
from mlops_framework.cli.embedded import CheckoutEmbedded
from mlops_framework.cli.errors import NotDone
from mlops_framework.local.errors import DeployFailed, PortInUse
from tests.unit.cli.fakes import FakeEmbedded, FakePlaces

Run = Callable[..., Result]


def around(embedded: FakeEmbedded) -> Tools:
    return Tools(places=FakePlaces(None), embedded_in=lambda _: embedded)


def test_up_says_where_it_is_and_how_to_use_it(run: Run) -> None:
    result = run("local", "up", using=around(FakeEmbedded()))

    assert result.exit_code == 0
    for told in ("http://127.0.0.1:4566", "mlops-local-Drift", "mlops local env"):
        assert told in result.stdout


def test_up_passes_on_what_was_asked_for(run: Run) -> None:
    embedded = FakeEmbedded()

    run("local", "up", "--port", "4600", "--keep", "--no-deploy", using=around(embedded))

    assert embedded.asked == {"port": 4600, "keep": True, "deploy": False, "outlive": True}


def test_a_port_in_use_is_told_with_the_way_out(run: Run) -> None:
    result = run("local", "up", using=around(FakeEmbedded(refuses=PortInUse(4566))))

    assert result.exit_code == 1
    assert "a free one is chosen" in result.stderr


def test_a_stack_that_fails_is_told_with_its_reasons(run: Run) -> None:
    refusal = DeployFailed("mlops-local-Drift", "ROLLBACK_COMPLETE", ["Queue: no such key"])

    result = run("local", "up", using=around(FakeEmbedded(refuses=refusal)))

    assert "Queue: no such key" in result.stderr


def test_down_stops_it_and_twice_is_fine(run: Run) -> None:
    used = around(FakeEmbedded(running=True))

    assert "is down" in run("local", "down", using=used).stdout
    assert json.loads(run("local", "down", "--json", using=used).stdout) == {"stopped": False}


def test_status_tells_whether_it_runs_by_its_exit_status_too(run: Run) -> None:
    up, down = around(FakeEmbedded(running=True)), around(FakeEmbedded())

    assert run("local", "status", using=up).exit_code == 0
    assert json.loads(run("local", "status", "--json", using=up).stdout)["running"] is True
    assert run("local", "status", using=down).exit_code == 1
    assert json.loads(run("local", "status", "--json", using=down).stdout) == {"running": False}


def test_the_variables_can_be_evaluated_by_a_shell(run: Run) -> None:
    result = run("local", "env", using=around(FakeEmbedded(running=True)))

    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566\n" in result.stdout
    assert "export AWS_NOTE='two words'\n" in result.stdout


def test_without_a_local_aws_nothing_is_exported(run: Run) -> None:
    result = run("local", "env", using=around(FakeEmbedded()))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "mlops local up" in result.stderr


def test_up_outside_a_checkout_says_so_before_anything_starts(tmp_path: Path) -> None:
    embedded = CheckoutEmbedded(state=tmp_path / "state", checkout=tmp_path)

    with pytest.raises(NotDone, match=r"no app\.py"):
        embedded.up(lambda _: None, port=None, keep=False, deploy=True)

    assert not (tmp_path / "state").exists()


def test_an_app_that_does_not_synthesize_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit('BlueprintInvalid: acme has no summary')")
    embedded = CheckoutEmbedded(state=tmp_path / "state", checkout=tmp_path)

    with pytest.raises(NotDone, match="acme has no summary"):
        embedded.up(lambda _: None, port=None, keep=False, deploy=True)


def test_nothing_runs_over_an_empty_folder(tmp_path: Path) -> None:
    embedded = CheckoutEmbedded(state=tmp_path, checkout=tmp_path)

    assert embedded.look() is None
    assert embedded.down() is False
