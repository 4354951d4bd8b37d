"""Bytes that depend on nothing but their content: canonical JSON, its digest, a plain archive."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip archive can hold."""


def canonical_json(document: object) -> str:
    """The one way to write a document: keys sorted, no blanks, plain ASCII.

    Args:
        document: Anything ``json`` can write without a ``default``.
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts, each preceded by its length so that no two lists collide.

    Returns:
        64 lower-case hexadecimal characters.
    """
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


def archive(files: Mapping[str, str]) -> bytes:
    """A zip archive whose bytes depend on names and contents only.

    Entries are stored, not deflated: deflate's output differs between zlib versions, and the same
    request must give the same object on every runtime.

    Args:
        files: Text by file name.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as bundle:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, files[name].encode())
    return buffer.getvalue()
