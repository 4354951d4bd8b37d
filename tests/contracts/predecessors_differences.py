"""Where our resources differ from the predecessor's parameters on purpose, and how one tells.

``predecessor/differences.json`` is the list; ``docs/migration.md`` says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_framework.contracts.instances import has_local_disk

Parameters = Mapping[str, str]
SERVING = ("realtime-endpoint", "batch-transform")
OF: Mapping[str, Callable[[str], bool]] = {
    "all": lambda kind: True,
    "endpoints and batches": lambda kind: kind in SERVING,
    "monitors": lambda kind: kind.endswith("-monitor"),
    "training and tuning": lambda kind: kind in ("training", "tuning"),
    "autopilot": lambda kind: kind == "autopilot",
}
WHEN: Mapping[str, Callable[[str, Parameters, int], bool]] = {
    "always": lambda value, its, stages: True,
    "empty": lambda value, its, stages: value == "",
    "an instance with disks of its own": (
        lambda value, its, stages: any(
            has_local_disk(its.get(name, "").lower())
            for name in ("InferenceInstance", "InstanceType")
        )
    ),
    "without a tag": lambda value, its, stages: ".dkr.ecr." in value and value.count(":") == 0,
    "one name in several stages": lambda value, its, stages: stages > 1,
    "an output that begins alike": (
        lambda value, its, stages: its["BatchOutputLocation"].startswith(value)
    ),
    "no spot instances": lambda value, its, stages: its["UseSpotInstances"] == "False",
    "shorter than a job": lambda value, its, stages: int(value) < int(its["MaxRuntimePerJob"]),
}


@dataclass(frozen=True)
class Difference:
    """One row of the list."""

    parameter: str
    of: str
    when: str

    def holds(self, kind: str, parameter: str, its: Parameters, stages: int) -> bool:
        """Whether it is about a parameter of a case.

        Args:
            kind: Ours.
            parameter: The predecessor's.
            its: All parameters of the file that it stands in.
            stages: How many stages the environment has.
        """
        return (
            parameter == self.parameter
            and OF[self.of](kind)
            and WHEN[self.when](its[parameter], its, stages)
        )


DIFFERENCES = tuple(
    Difference(**row)
    for row in json.loads(
        (Path(__file__).with_name("predecessor") / "differences.json").read_text("utf-8")
    )
)
