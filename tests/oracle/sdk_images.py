"""Names every image with the SageMaker SDK; runs in the oracle environment.

Reads a list of ``[framework, version, region, scope, instance type]`` from standard input, writes
one URI or ``null`` for each.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import sys

from sagemaker.core import image_uris

for holder, name in (
    (image_uris, "config_for_framework"),
    (image_uris.utils, "_botocore_resolver"),
):
    setattr(holder, name, functools.cache(getattr(holder, name)))
logging.disable(logging.WARNING)


def named(framework: str, version: str, region: str, scope: str, instance: str) -> str | None:
    base = None
    if framework == "huggingface":
        version, base = re.fullmatch(r"([^-]+)-(\w.+)", version).groups()
    found = None
    # The SDK wants one Python named where there are several; ours takes the newest.
    for python in (None, "py27", "py2", "py3", *(f"py3{minor}" for minor in range(5, 20))):
        try:
            found = image_uris.retrieve(
                framework,
                region,
                version=version or None,
                py_version=python,
                instance_type=instance,
                image_scope=scope,
                base_framework_version=base,
            )
        except (ValueError, KeyError):
            continue
        if python is None:
            break
    return found


print(json.dumps([named(*question) for question in json.load(sys.stdin)]))
