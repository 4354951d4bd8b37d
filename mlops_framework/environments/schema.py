"""Writes ``environments/schema.json``, for editors, from the model.

Run ``python -m mlops_framework.environments.schema`` after a change of the model.
A test compares the file with :func:`~mlops_framework.environments.loader.environment_schema`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mlops_framework.environments.loader import environment_schema

if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "environments/schema.json")
    file.write_text(json.dumps(environment_schema(), indent=2) + "\n", encoding="utf-8")
