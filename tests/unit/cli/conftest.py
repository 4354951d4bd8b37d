"""Runs the command line in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from mlops_framework.cli.__main__ import Tools, app

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("MLOPS_ENV", raising=False)

    def runs(*arguments: str, using: Tools | None = None, **extra: object) -> Result:
        return CliRunner().invoke(app, list(arguments), obj=using, **extra)

    return runs
