"""What runs inside the emulator's process: the plane is bound, then the emulator serves.

Started by :class:`mlops_framework.local.emulator.Emulator` in the emulator's own virtual
environment, so it imports the standard library, boto3, ministack and ``mlops_framework.local``
alone. Its whole configuration arrives in one JSON argument.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from mlops_framework.local.plane import (
    binding,
    codebuild,
    codepipeline,
    corrections,
    sagemaker,
    scaling,
)
from mlops_framework.local.plane.api_gateway import RequestValidator
from mlops_framework.local.plane.cloudformation import ResourceType
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.record import Record
from mlops_framework.local.plane.service import LocalService
from mlops_framework.local.plane.targets import TargetDelivery
from mlops_framework.local.process_settings import INSTALLER, ProcessSettings
from mlops_framework.local.venvs import Installer

_log = logging.getLogger(__name__)


def build_plane(host: PlaneHost) -> tuple[list[LocalService], list[ResourceType]]:
    """Makes every service and resource type of the plane.

    Args:
        host: Handed to each service.
    """
    services: list[LocalService] = [
        *codepipeline.services(host),
        *codebuild.services(host),
        *sagemaker.services(host),
        *scaling.services(host),
    ]
    types: list[ResourceType] = [
        RequestValidator(),
        *codepipeline.resource_types(host),
        *codebuild.resource_types(host),
        *sagemaker.resource_types(host),
        *scaling.resource_types(host),
    ]
    return services, types


STOP_COMING = signal.SIGUSR1
"""Announces SIGTERM."""


def main(arguments: Sequence[str]) -> None:
    """Binds the plane and serves until told to stop.

    Args:
        arguments: One JSON text, made by :meth:`ProcessSettings.to_json`.
    """
    settings = ProcessSettings.from_json(arguments[0])
    installer = os.environ.pop(INSTALLER, "")
    binding.check_emulator()
    host = PlaneHost(
        endpoint=settings.endpoint,
        state_dir=Path(settings.state_dir),
        ml_python=Path(settings.ml_python),
        events=binding.put_event,
        keep_state=settings.keep_state,
        installer=Installer.from_json(installer) if installer else None,
    )
    services, types = build_plane(host)
    binding.bind_services(services)
    binding.bind_resource_types(types, host)
    pipelines = next(item for item in services if isinstance(item, codepipeline.CodePipeline))
    binding.bind_targets(TargetDelivery(host, pipelines.start_by_event))
    record = Record(Path(settings.record)) if settings.record else None
    binding.bind_lambda_python(settings.lambda_python, record.prelude() if record else "")
    corrections.apply()
    if record:
        binding.bind_record(record)  # Last: what was corrected is written down as well.
    for service in services:
        _log.info("Plane carries %s: %s", service.name, ", ".join(service.operations))
    if settings.ends_with_parent:
        threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    # The server under us takes SIGTERM for itself and closes its door first; whatever then fails
    # for want of an answer must already know that it is being stopped.
    signal.signal(STOP_COMING, lambda *_: host.stopping.set())
    # The emulator reads its own command line.
    sys.argv = ["ministack"]
    try:
        binding.serve()
    finally:
        host.stop()


def _end_with_parent() -> None:
    # Read from the descriptor itself: a buffered reader would take its lock to the grave.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), STOP_COMING)
    os.kill(os.getpid(), signal.SIGTERM)
