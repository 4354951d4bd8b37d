"""The environment of a script-mode training program: the SM_* variables and its arguments.

Names, values and their JSON form are those of `sagemaker-training` (5.1.4), which the framework
images run; `tests/local/test_training_toolkit_parity.py` compares the two, variable by variable.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError

# Hyperparameters of the toolkit itself: never passed to the program.
OWN = (
    *("sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics"),
    *("sagemaker_region", "sagemaker_container_log_level", "sagemaker_job_name"),
    *("default_user_module_name", "_tuning_objective_metric", "sagemaker_s3_output"),
)
DISTRIBUTED = (
    *("sagemaker_mpi_enabled", "sagemaker_parameter_server_enabled"),
    *("sagemaker_distributed_dataparallel_enabled", "sagemaker_pytorch_ddp_enabled"),
    *("sagemaker_pytorch_xla_multi_worker_enabled", "sagemaker_torch_distributed_enabled"),
    "sagemaker_multi_worker_mirrored_strategy_enabled",
)
ONE_GROUP = "homogeneousCluster"


@dataclass(frozen=True)
class TrainingEnvironment:
    """What a training program can know about its job.

    Attributes:
        base: /opt/ml, or the folder that stands for it.
        hyperparameters: the user's own, decoded from JSON where they are JSON.
        framework: the `sagemaker_*` hyperparameters that are not the toolkit's own.
        own: the toolkit's own hyperparameters.
        resources: input/config/resourceconfig.json.
        inputs: input/config/inputdataconfig.json: channel name to its settings.
        ambient: the process environment that the job was started with.
    """

    base: Path
    hyperparameters: Mapping[str, Any]
    framework: Mapping[str, Any]
    own: Mapping[str, Any]
    resources: Mapping[str, Any]
    inputs: Mapping[str, Any]
    ambient: Mapping[str, str]

    @classmethod
    def read(cls, base: Path, ambient: Mapping[str, str]) -> TrainingEnvironment:
        """Read the job's configuration files.

        Args:
            base: /opt/ml, or the folder that stands for it.
            ambient: the process environment.

        Returns:
            The environment.

        Raises:
            UserError: the job asks for distributed training, which one machine does not do.
        """
        config = base / "input" / "config"
        given = json.loads((config / "hyperparameters.json").read_text())
        everything = {name: _decoded(value) for name, value in given.items()}
        reserved = {k: v for k, v in everything.items() if k in OWN or k.startswith("sagemaker_")}
        framework = {name: value for name, value in reserved.items() if name not in OWN}
        if asked := [name for name in DISTRIBUTED if framework.get(name)]:
            raise UserError(
                f"The hyperparameter {asked[0]!r} asks for distributed training, which is not "
                f"carried here: a job runs as one process on one machine. Leave it out."
            )
        return cls(
            base=base,
            hyperparameters={k: v for k, v in everything.items() if k not in reserved},
            framework=framework,
            own={name: value for name, value in reserved.items() if name in OWN},
            resources=json.loads((config / "resourceconfig.json").read_text()),
            inputs=json.loads((config / "inputdataconfig.json").read_text()),
            ambient=ambient,
        )

    @property
    def code(self) -> Path:
        """The folder of the user's code."""
        return self.base / "code"

    @property
    def entry_point(self) -> str | None:
        """The user's program, as given; None when the job names none."""
        return self.ambient.get("SAGEMAKER_PROGRAM") or self.own.get("sagemaker_program")

    @property
    def module_dir(self) -> str:
        """Where the user's code comes from: an S3 location, or the code folder itself."""
        return str(self.own.get("sagemaker_submit_directory", self.code))

    def arguments(self) -> list[str]:
        """The hyperparameters as arguments, in the order of their names: `--name value`, `-C 1`."""
        arguments: list[str] = []
        for name in sorted(self.hyperparameters):
            arguments += [_option(name), _text(self.hyperparameters[name])]
        return arguments

    def process_variables(self) -> dict[str, str]:
        """What the toolkit leaves in its own environment, and the program inherits."""
        region = self.own.get("sagemaker_region") or self.ambient.get("AWS_DEFAULT_REGION", "")
        return {
            "SAGEMAKER_JOB_NAME": str(self.own.get("sagemaker_job_name", "")),
            "CURRENT_HOST": str(self.resources["current_host"]),
            "SAGEMAKER_REGION": str(region),
        }

    def variables(self) -> dict[str, str]:
        """The SM_* variables of the program."""
        facts = self._facts()
        shown = {name: value for name, value in facts.items() if name not in _NOT_VARIABLES}
        values: dict[str, Any] = {
            **shown,
            "hps": dict(self.hyperparameters),
            "framework_params": dict(self.framework),
            "channels": sorted(self.inputs),
            "training_env": facts,
            "user_args": self.arguments(),
        }
        if facts["topology"]:
            values["topology"] = facts["topology"]
        values |= {f"channel_{name}": path for name, path in facts["channel_input_dirs"].items()}
        values |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name.upper()}": _as_variable(value) for name, value in values.items()}

    def _facts(self) -> dict[str, Any]:
        resources, base = self.resources, self.base
        hosts = resources["hosts"]
        groups = resources.get("instance_groups", [])
        current_group = resources.get("current_group_name", ONE_GROUP)
        distribution = self.framework.get("sagemaker_distribution_instance_groups", [])
        distributed = [
            host
            for group in groups
            if group["instance_group_name"] in distribution
            for host in group["hosts"]
        ]
        if not groups:
            distributed = list(hosts)
        master = (distributed or hosts)[0]
        name = self.ambient.get("SAGEMAKER_PROGRAM") or str(self.own.get("sagemaker_program"))
        model_parallel = self.ambient.get("SM_HP_MP_PARAMETERS")
        return {
            "additional_framework_parameters": dict(self.framework),
            "channel_input_dirs": {c: str(base / "input" / "data" / c) for c in self.inputs},
            "current_host": resources["current_host"],
            "current_instance_group": current_group,
            "current_instance_group_hosts": next(
                (g["hosts"] for g in groups if g["instance_group_name"] == current_group), []
            ),
            "current_instance_type": resources.get("current_instance_type", "local"),
            "distribution_hosts": distributed,
            "distribution_instance_groups": distribution,
            "framework_module": self.ambient.get("SAGEMAKER_TRAINING_MODULE"),
            "hosts": hosts,
            "hyperparameters": dict(self.hyperparameters),
            "input_config_dir": str(base / "input" / "config"),
            "input_data_config": dict(self.inputs),
            "input_dir": str(base / "input"),
            "instance_groups": [group["instance_group_name"] for group in groups],
            "instance_groups_dict": {group["instance_group_name"]: group for group in groups},
            "is_hetero": len(groups) > 1,
            "is_master": resources["current_host"] == master,
            "is_modelparallel_enabled": model_parallel and model_parallel != "{}",
            "is_smddpmprun_installed": shutil.which("smddpmprun") is not None,
            "is_smddprun_installed": shutil.which("smddprun") is not None,
            "job_name": self.ambient.get("TRAINING_JOB_NAME"),
            "log_level": self.own.get("sagemaker_container_log_level", logging.INFO),
            "master_hostname": master,
            "model_dir": str(base / "model"),
            "module_dir": self.module_dir,
            "module_name": name.removesuffix(".py"),
            "network_interface_name": resources.get("network_interface_name", "eth0"),
            "num_cpus": os.cpu_count(),
            "num_gpus": _gpus(),
            "num_neurons": _neurons(),
            "output_data_dir": str(base / "output" / "data"),
            "output_dir": str(base / "output"),
            "output_intermediate_dir": str(base / "output" / "intermediate"),
            "resource_config": dict(resources),
            "topology": resources.get("topology", []),
            "user_entry_point": self.entry_point,
        }


# Known to SM_TRAINING_ENV only.
_NOT_VARIABLES = frozenset(
    {
        *("additional_framework_parameters", "channel_input_dirs", "distribution_hosts"),
        *("hyperparameters", "is_master", "is_modelparallel_enabled", "is_smddpmprun_installed"),
        *("is_smddprun_installed", "job_name", "master_hostname", "topology"),
    }
)


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _option(name: str) -> str:
    if not name:
        return ""
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in sorted(value.items()))
    return str(value)


def _as_variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _gpus() -> int:
    listing = _output_of("nvidia-smi", "--list-gpus")
    return sum(line.startswith("GPU ") for line in listing.splitlines())


def _neurons() -> int:
    listing = _output_of("neuron-ls", "-j")
    return sum(device.get("nc_count", 0) for device in json.loads(listing or "[]"))


def _output_of(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
