from __future__ import annotations

from pathlib import Path

import pytest

from tools import setup
from tools.setup import SetupFailed, Step


def machine(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> None:
    """A machine whose PATH holds these programs alone, each printing one line."""
    for name, line in programs.items():
        (folder / name).write_text(f"#!/bin/sh\necho {line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_step_is_done_once_and_again_when_its_inputs_change(tmp_path: Path) -> None:
    done: list[str] = []
    stamp = tmp_path / "stamps" / "step"
    first = Step("working", stamp, "lock 1", lambda: done.append("1"))
    changed = Step("working", stamp, "lock 2", lambda: done.append("2"))

    assert not first.is_done()
    first.do()
    assert first.is_done()
    assert not changed.is_done()
    changed.do()

    assert changed.is_done()
    assert done == ["1", "2"]


def test_a_step_says_what_it_does_and_how_long_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Step("the CDK CLI", tmp_path / "stamp", "key", lambda: None).do()

    assert capsys.readouterr().out == "set-up: the CDK CLI … 0.0 s\n"


def test_a_failed_step_leaves_no_stamp_of_an_earlier_success(tmp_path: Path) -> None:
    def fail() -> None:
        raise SetupFailed("no index in reach")

    stamp = tmp_path / "stamp"
    Step("working", stamp, "key", lambda: None).do()

    with pytest.raises(SetupFailed, match="no index"):
        Step("working", stamp, "key", fail).do()
    assert not stamp.exists()


def test_a_failing_command_is_told_with_its_output_and_what_to_try() -> None:
    with pytest.raises(SetupFailed) as failure:
        setup.run(["sh", "-c", "echo registry unreachable; exit 3"], hint="Is npm in reach?")

    assert "registry unreachable" in str(failure.value)
    assert "exit status 3. Is npm in reach?" in str(failure.value)


def test_a_missing_program_is_told_by_name() -> None:
    with pytest.raises(SetupFailed, match="no-such-program is not on this machine"):
        setup.run(["no-such-program"], hint="Install it.")


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({"node": "v20.20.2", "npm": "11.0.0"}, "v20.20.2"),
        ({"node": "v24.19.0", "npm": "11.0.0"}, "v24.19.0"),
        ({"node": "v18.19.0", "npm": "9.2.0"}, None),
        ({"node": "v24.19.0"}, None),
        ({}, None),
    ],
    ids=["20", "24", "too old", "without npm", "none"],
)
def test_the_machines_node_is_used_when_it_is_new_enough_and_whole(
    programs: dict[str, str],
    found: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(tmp_path, monkeypatch, **programs)

    assert setup.machine_node() == found


def test_the_link_that_set_up_made_itself_is_not_taken_for_the_machines_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(setup.BIN))

    assert setup.machine_node() is None


def test_a_digest_keeps_neighbours_apart(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("c")

    assert setup.digest("a", "bc") != setup.digest("ab", "c")
    assert setup.digest("ab", lock) == setup.digest("ab", "c")


def test_commands_see_this_checkouts_tools_first_and_no_other_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/somebody/elses")
    monkeypatch.setenv("HOME", str(tmp_path))

    values = setup.environment()

    assert values["PATH"].startswith(f"{setup.BIN}:")
    assert "VIRTUAL_ENV" not in values
    assert values["HOME"] == str(tmp_path)


def test_a_mirror_that_pip_uses_is_uvs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)

    assert setup.environment()["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"


def test_the_cdk_modules_to_compile_are_those_that_the_sources_import() -> None:
    modules = setup.imported_cdk_modules()

    assert {"aws_iam", "aws_lambda", "aws_sagemaker"} <= set(modules)
    assert "aws_gamelift" not in modules
