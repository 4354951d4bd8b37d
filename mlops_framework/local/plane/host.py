"""What a local service may ask of the emulator around it."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.model import ServiceModel

from mlops_framework.local.plane.service import Scope
from mlops_framework.local.plane.stores import Stores
from mlops_framework.local.venvs import Installer

_log = logging.getLogger(__name__)


class EventSink(Protocol):
    """Puts one event on the account's default bus; AWS's own sources are allowed."""

    def __call__(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str],
        scope: Scope,
    ) -> None:
        """See :meth:`PlaneHost.emit_event`."""


class PlaneHost:
    """The emulator, seen from a local service.

    Attributes:
        endpoint: The emulator's own address, for example ``http://127.0.0.1:40123``.
        state_dir: Where services may keep files (jobs, logs); removed with the state.
        ml_python: The interpreter of the virtual environment that training and serving run in.
        keep_state: Whether stores outlive the emulator.
        installer: What installs an environment that a job is the first to want.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        state_dir: Path,
        ml_python: Path,
        events: EventSink,
        keep_state: bool = False,
        installer: Installer | None = None,
    ) -> None:
        """Takes what the process around it knows."""
        self.endpoint = endpoint
        self.state_dir = state_dir
        self.ml_python = ml_python
        self.keep_state = keep_state
        self.installer = installer
        self._events = events
        self._models = botocore.session.get_session()
        self._stores = Stores(state_dir / "plane" if keep_state else None)
        self._clients: dict[tuple[str, Scope], Any] = {}
        self._clients_lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._on_stop: list[tuple[str, Callable[[], None]]] = []
        self.stopping = threading.Event()

    def service_model(self, service: str) -> ServiceModel:
        """AWS's model of a service, by botocore's name."""
        model: ServiceModel = self._models.get_service_model(service)
        return model

    def client(self, service: str, scope: Scope) -> Any:
        """A boto3 client that talks to this emulator as the given account.

        Never call it from the emulator's event loop: operations, resource handlers and spawned
        work all run in threads of their own, where it is safe.

        Args:
            service: botocore's name.
            scope: The account and region to act in.

        Returns:
            A client, shared between threads.
        """
        key = (service, scope)
        with self._clients_lock:
            if key not in self._clients:
                # Any: which of boto3's 400 clients this is, is known at run time only.
                session: Any = boto3.Session(
                    # The emulator takes a twelve digit access key for the account itself.
                    aws_access_key_id=scope.account,
                    aws_secret_access_key="local",
                    region_name=scope.region,
                )
                self._clients[key] = session.client(
                    service,
                    endpoint_url=self.endpoint,
                    config=Config(
                        retries={"mode": "standard", "total_max_attempts": 2},
                        s3={"addressing_style": "path"},
                        max_pool_connections=20,
                        read_timeout=900,
                    ),
                )
            return self._clients[key]

    def emit_event(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str],
        scope: Scope,
    ) -> None:
        """Puts an event on the default bus, as AWS's services do (``aws.sagemaker``, ...).

        Args:
            source: The event's source.
            detail_type: Its detail-type.
            detail: Its detail, JSON-serialisable.
            resources: ARNs it concerns.
            scope: The account and region whose bus it goes to.
        """
        self._events(source, detail_type, detail, resources, scope)

    def spawn(self, name: str, function: Callable[..., None], *args: Any) -> threading.Thread:
        """Runs work in a background thread; what it raises is logged.

        Args:
            name: The thread's name, seen in the log.
            function: What to run.
            *args: Its arguments.

        Returns:
            The started thread (a daemon: see :meth:`on_stop` for work that must end orderly).
        """
        context = contextvars.copy_context()

        def run() -> None:
            try:
                context.run(function, *args)
            except Exception:
                if not self.stopping.is_set():
                    _log.exception("Background work %s failed", name)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def store(self, service: str, scope: Scope) -> dict[str, Any]:
        """The records of one service in one account and region.

        Holds strings, numbers, booleans, ``None``, bytes, datetimes, lists and dicts with string
        keys; with :attr:`keep_state` exactly that is written at the end and read at the start.

        Args:
            service: Any name, usually botocore's.
            scope: The account and region.

        Returns:
            A mutable dict; hold :meth:`lock` for anything beyond a single read or write.
        """
        return self._stores.open(service, scope)

    def scopes(self, service: str) -> list[Scope]:
        """The accounts and regions a service has records in."""
        return self._stores.scopes(service)

    def lock(self, service: str) -> threading.RLock:
        """The lock over a service's records. Never call another service while holding it."""
        with self._clients_lock:
            return self._locks.setdefault(service, threading.RLock())

    def on_stop(self, name: str, action: Callable[[], None]) -> None:
        """Registers what ends a service's running work when the emulator stops.

        Args:
            name: For the log.
            action: Called once, last registered first; must return within a few seconds.
        """
        self._on_stop.append((name, action))

    def stop(self) -> None:
        """Ends running work, then writes the stores when state is kept."""
        self.stopping.set()
        while self._on_stop:
            name, action = self._on_stop.pop()
            try:
                action()
            except Exception:
                _log.exception("Stopping %s failed", name)
        self._stores.save()
