"""A request as ``mlops drift`` reads it: JSON or YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_framework.cli.errors import RequestUnreadable
from mlops_framework.cli.request_file import read_request


def read_document(path: Path) -> Any:
    """The decoded request.

    Raises:
        RequestUnreadable: If there is no such file, or it is neither JSON nor YAML.
    """
    if path.suffix.lower() not in (".yaml", ".yml") or not path.is_file():
        return read_request(path)
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise RequestUnreadable(f"{path} is not YAML: {error}") from None
