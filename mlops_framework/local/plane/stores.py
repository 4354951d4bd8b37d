"""The records of local services, per account and region, kept on disk where asked."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

from mlops_framework.local.plane.service import Scope

_TAG = "__plane__"


class Stores:
    """All records of the plane: one dict per service, account and region."""

    def __init__(self, folder: Path | None) -> None:
        """Opens the stores.

        Args:
            folder: Where they are kept between runs; ``None`` keeps them in memory alone.
        """
        self._folder = folder
        self._open: dict[tuple[str, Scope], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def open(self, service: str, scope: Scope) -> dict[str, Any]:
        """The live records of one service in one scope, read from disk at first use."""
        with self._lock:
            key = (service, scope)
            if key not in self._open:
                self._open[key] = self._read(service, scope)
            return self._open[key]

    def scopes(self, service: str) -> list[Scope]:
        """Every scope the service has records in, whether opened in this run or not."""
        with self._lock:
            found = {scope for name, scope in self._open if name == service}
        if self._folder is not None:
            for file in (self._folder / service).glob("*/*.json"):
                found.add(Scope(file.parent.name, file.stem))
        return sorted(found, key=lambda scope: (scope.account, scope.region))

    def save(self) -> None:
        """Writes every opened store, each file whole or not at all.

        Raises:
            TypeError: A store holds what cannot be written; all the others are written still.
        """
        if self._folder is None:
            return
        with self._lock:
            snapshot = {key: copy.deepcopy(records) for key, records in self._open.items()}
        refused: list[TypeError] = []
        for (service, scope), records in snapshot.items():
            file = self._file(self._folder, service, scope)
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                text = dumps(records)
            except TypeError as error:
                refused.append(TypeError(f"The records of {service} are not kept: {error}"))
                continue
            fresh = file.with_suffix(".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(file)
        if refused:
            raise refused[0]

    def _read(self, service: str, scope: Scope) -> dict[str, Any]:
        if self._folder is None:
            return {}
        file = self._file(self._folder, service, scope)
        if not file.exists():
            return {}
        records = loads(file.read_text(encoding="utf-8"))
        if not isinstance(records, dict):
            raise ValueError(f"{file} does not hold the records of {service}; remove the state.")
        return records

    @staticmethod
    def _file(folder: Path, service: str, scope: Scope) -> Path:
        return folder / service / scope.account / f"{scope.region}.json"


def dumps(value: Any) -> str:
    """JSON that also carries datetimes and bytes.

    Raises:
        TypeError: The value holds something else.
    """
    return json.dumps(value, default=_tagged)


def loads(text: str) -> Any:
    """Reads what :func:`dumps` wrote."""
    return json.loads(text, object_hook=_untagged)


def _tagged(value: Any) -> dict[str, str]:
    if isinstance(value, dt.datetime):
        return {_TAG: "datetime", "value": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {_TAG: "bytes", "value": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"A store cannot hold a {type(value).__name__}: {value!r}")


def _untagged(value: dict[str, Any]) -> Any:
    kind = value.get(_TAG)
    if kind == "datetime":
        return dt.datetime.fromisoformat(value["value"])
    if kind == "bytes":
        return base64.b64decode(value["value"])
    return value
