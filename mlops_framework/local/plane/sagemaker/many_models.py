"""A multi-model endpoint: a folder of archives, each loaded when a call first names it.

SageMaker loads all of them into one container, which has to be made for that. Here every model is
a model server of its own, started like that of an endpoint of one model, and none is put out of
memory again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.fleet import ServingError, VariantServer
from mlops_framework.local.plane.service import AwsFault, Scope


class ManyModels(VariantServer):
    """The model servers of one production variant, by target model.

    It is no process itself: what it is asked, one of its servers answers (`serving`).
    """

    def __init__(
        self, host: PlaneHost, scope: Scope, endpoint: str, plan: Mapping[str, Any], folder: Path
    ) -> None:
        """Have no model yet, and so no process.

        Args:
            host: the emulator.
            scope: account and region.
            endpoint: the endpoint's name.
            plan: as of a `VariantServer`, with the folder of the archives as ModelDataUrl.
            folder: the variant's own folder.
        """
        self.variant: str = plan["VariantName"]
        self._host, self._scope, self._endpoint = host, scope, endpoint
        self._plan, self._folder = plan, folder  # One subfolder for each model.
        self._servers: dict[str, VariantServer] = {}
        self._ended = False
        self._lock = threading.Lock()

    def wait_until_healthy(self, abandoned: threading.Event) -> None:
        """Nothing to wait for: the container answers its ping before it has a model."""

    def server_of(self, target: str | None) -> VariantServer:
        """The server of a model, started if it is the first call.

        Args:
            target: the key of its archive below the folder.

        Raises:
            AwsFault: no model is named, or there is none of that name, or it does not load.
        """
        if not target:
            raise AwsFault(
                "ValidationError",
                f"The request for endpoint {self._endpoint} is missing a target model header, "
                "which multi-model endpoints need.",
            )
        with self._lock:
            if self._ended:
                raise AwsFault("ModelNotReadyException", "The endpoint is being updated.", 429)
            known = self._servers.get(target)
            if known is None:
                known = self._servers[target] = self._load(target)
        return known

    def stop(self) -> None:
        """End all servers."""
        with self._lock:
            self._ended = True
            for server in self._servers.values():
                server.stop()

    def _load(self, target: str) -> VariantServer:
        place = f"{self._plan['ModelDataUrl'].rstrip('/')}/{target.lstrip('/')}"
        folder = self._folder / f"model-{len(self._servers)}"
        plan = {**self._plan, "ModelDataUrl": place}
        try:
            server = VariantServer(self._host, self._scope, self._endpoint, plan, folder)
        except ServingError as error:
            raise AwsFault(
                "ValidationError",
                f"Failed to download model data for target model {target}: {error}",
            ) from error
        try:
            server.wait_until_healthy(self._host.stopping)
        except ServingError as error:
            server.stop()
            members = {"OriginalStatusCode": 500, "OriginalMessage": str(error)}
            raise AwsFault(
                "ModelError", f"The model {target} does not load: {error}", 424, members
            ) from error
        return server


def variant_server(
    host: PlaneHost, scope: Scope, endpoint: str, plan: Mapping[str, Any], folder: Path
) -> VariantServer:
    """What serves a variant of an endpoint, as its plan says; arguments as of `VariantServer`."""
    kind = ManyModels if plan.get("ManyModels") else VariantServer
    return kind(host, scope, endpoint, plan, folder)


def serving(server: VariantServer, endpoint: str, target: str | None) -> VariantServer:
    """What answers a call.

    Args:
        server: of the variant that is asked.
        endpoint: its name.
        target: the model that the call names, if it does.

    Raises:
        AwsFault: the call names a model and the endpoint has one, or the other way round.
    """
    if isinstance(server, ManyModels):
        return server.server_of(target)
    if target:
        raise AwsFault(
            "ValidationError",
            f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model "
            "header.",
        )
    return server
