"""Rules that hold for every test: what a test may reach, and that it sees no AWS account."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_socket
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parent
# These prove logic alone: a socket in one of them is a mistake.
WITHOUT_SOCKETS = frozenset({"contracts", "lambdas", "unit"})


# The same examples everywhere and every time; HYPOTHESIS_PROFILE=search looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("search", derandomize=False, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Closes every socket in pure tests, and leaves the others this machine alone."""
    if item.get_closest_marker("aws"):
        return
    room = item.path.relative_to(TESTS).parts[0]
    if room in WITHOUT_SOCKETS:
        pytest_socket.disable_socket(allow_unix_socket=True)
    else:
        pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def no_account(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hides the machine's AWS settings, so that no test depends on them or touches an account."""
    if request.config.option.markexpr == "aws":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # The oracles' environments are installed by uv, behind whatever proxy the machine is.
        patch.setenv("UV_SYSTEM_CERTS", "true")
        yield


class Rooms(LoadScopeScheduling):
    """Gives each of several processes a whole room: its tests share what is dear to make."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    """Called by pytest-xdist where `make test` asks for several processes."""
    return Rooms(config, log)
