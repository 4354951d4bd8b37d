"""Checkpoints of training jobs: restored before a job, kept in S3 while it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.sagemaker import objects

CHECKPOINTS = "/opt/ml/checkpoints"
_SYNC_SECONDS = 1.0


@contextlib.contextmanager
def kept(client: Any, record: Mapping[str, Any], opt_ml: Path) -> Iterator[None]:
    """Restore a job's checkpoints, and bring what it writes to S3 while the block runs.

    What is there at the end is brought too, however the job ended: that is what checkpoints are
    for. A file that is being written is brought again when it is complete.

    Args:
        client: boto3's S3 client.
        record: The job's; nothing happens without its ``CheckpointConfig``.
        opt_ml: What the job sees as /opt/ml.

    Raises:
        DataError: The location cannot be read.
    """
    config = record.get("CheckpointConfig")
    if config is None:
        yield
        return
    folder = opt_ml / config.get("LocalPath", CHECKPOINTS).removeprefix("/opt/ml/").strip("/")
    where = config["S3Uri"].rstrip("/")
    _restore(client, where, folder)
    brought = _states(folder)
    over = threading.Event()

    def bring() -> None:
        for file, state in _states(folder).items():
            if brought.get(file) != state:
                bucket, prefix = objects.split(where)
                key = "/".join(filter(None, [prefix, file.relative_to(folder).as_posix()]))
                # A file may be replaced in this very moment; the next look finds it.
                with contextlib.suppress(OSError, ClientError, BotoCoreError):
                    client.upload_file(str(file), bucket, key)
                    brought[file] = state

    def watch() -> None:
        while not over.wait(_SYNC_SECONDS):
            bring()

    thread = threading.Thread(target=watch, name=f"checkpoints {where}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        bring()


def _restore(client: Any, where: str, folder: Path) -> None:
    bucket, prefix = objects.split(where)
    folder.mkdir(parents=True, exist_ok=True)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    try:
        for listed in pages:
            for item in listed.get("Contents", []):
                target = folder / item["Key"].removeprefix(f"{prefix}/")
                target.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(bucket, item["Key"], str(target))
    except (ClientError, BotoCoreError) as error:
        raise objects.DataError(
            f"ClientError: the checkpoints in {where} cannot be read: {error}"
        ) from error


def _states(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of every file."""
    found = {}
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file():
                state = file.stat()
                found[file] = (state.st_size, state.st_mtime_ns)
    return found
