"""The catalogue as it lies in the Lambda's bundle: what was reviewed at synth is what runs."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_framework.orchestration.errors import CatalogueInvalid
from mlops_framework.registry import Registry


class CatalogueFolder:
    """Reads ``catalogue.json``, ``<kind>.template.json`` and ``<kind>.delivery.json`` when needed.

    Args:
        folder: Folder that holds them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def registry(self) -> Registry:
        """The enabled blueprints.

        Raises:
            CatalogueInvalid: If the catalogue is missing or no JSON.
        """
        return Registry.from_catalogue(self._read("catalogue.json"))

    def blueprint_template(self, kind: str) -> dict[str, Any]:
        """What each stage of such a pipeline deploys.

        Raises:
            CatalogueInvalid: If it is missing or no JSON.
        """
        return self._read(f"{self.registry.get(kind).kind}.template.json")

    def delivery_template(self, kind: str) -> dict[str, Any]:
        """The CodePipeline that delivers it.

        Raises:
            CatalogueInvalid: If it is missing or no JSON.
        """
        return self._read(f"{self.registry.get(kind).kind}.delivery.json")

    def _read(self, name: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self._folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CatalogueInvalid(
                f"{name} is not in the catalogue of this deployment. Deploy the platform again."
            ) from None
        except ValueError as fault:
            raise CatalogueInvalid(f"{name} of the catalogue is no JSON: {fault}.") from fault
        return content
