"""Unpacking a tar.gz that somebody else made: nothing is written outside the folder."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar.gz.

    Python 3.11.2, which Debian 12 ships, has no extraction filters (PEP 706); there, links and
    anything that leaves the folder are refused before the first file is written.

    Args:
        archive: the file.
        folder: where it goes.

    Raises:
        tarfile.TarError: it is not a gzipped tar archive, or a member tries to leave the folder.
        OSError: it cannot be read or written.
        EOFError: it ends too early.
    """
    with tarfile.open(archive, mode="r:gz") as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
            return
        root = folder.resolve()
        for member in tar.getmembers():
            inside = (root / member.name).resolve().is_relative_to(root)
            if not inside or not (member.isfile() or member.isdir()):
                raise tarfile.ExtractError(f"{member.name!r} would be put outside the folder")
        tar.extractall(folder)
