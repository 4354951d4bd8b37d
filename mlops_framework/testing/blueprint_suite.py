"""The conformance suite: what every blueprint keeps to, ours and a third party's.

Subclass it in a test module, the way pandas has its extension arrays tested::

    class TestShadowEndpoint(BlueprintSuite):
        blueprint = BLUEPRINT
        example = {"pipeline_type": "acme-shadow-endpoint", "model_name": "income", …}

The tests are inherited. Those of the contract need nothing; those of the template need the
``cdk`` extra, Node.js, and a checkout of the platform, for whose environment they synthesize.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from mlops_framework.contracts.parameters import Parameter, template_parameters, template_values
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Blueprint, Registry

if TYPE_CHECKING:
    from mlops_framework.cdk.conformance import Specimen

READ_AFTER_DEPLOY: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "run-model-build": ("PipelineName",),
    "verify-endpoint": ("EndpointName", "EndpointConfigName"),
    "build-baseline": ("MonitorName",),
    "run-monitor-baseline": ("MonitoringScheduleName",),
    "run-pipeline": ("PipelineName", "RunOnDeployment"),
    "run-state-machine": ("StateMachineArn",),
    "run-image-build": ("ProjectName", "RepositoryName", "ScanGate", "AcceptedFindings"),
}
"""Outputs that each ``after_deploy`` reads from a deployed stage."""

HEAVY = ("aws_cdk", "boto3", "botocore", "cdk_nag", "constructs", "jsii")
"""What a contract must not bring along: the API function loads it for every request."""

_PLATFORM_VALUE = "AWS::SSM::Parameter::Value<String>"
_CUSTOM = re.compile(r"^(Custom::|AWS::CloudFormation::CustomResource$)")
_IMPORTED = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
importlib.import_module(sys.argv[2])
print(json.dumps(sorted(set(sys.modules) & set(json.loads(sys.argv[3])))))
"""


class BlueprintSuite:
    """Tests that a blueprint inherits by subclassing; its class begins with ``Test``.

    Attributes:
        blueprint: The blueprint.
        example: A request body that it accepts, as one would send it.
        checkout: Folder of the platform, with ``app.py`` and ``environments/``. Left out, it is the
            one that the library is installed from, or else the nearest above the working folder.
        environment: The environment of the checkout that the template is synthesized for.
    """

    blueprint: ClassVar[Blueprint]
    example: ClassVar[Mapping[str, Any]]
    checkout: ClassVar[Path | None] = None
    environment: ClassVar[str] = "local"

    @pytest.fixture(scope="class")
    @classmethod
    def specimen(cls, tmp_path_factory: pytest.TempPathFactory) -> Specimen:
        """The blueprint, synthesized once for all tests of the class."""
        from mlops_framework.cdk.conformance import specimen
        from mlops_framework.environments.loader import load_environment

        checkout = cls.checkout or checkout_of()
        config = load_environment(cls.environment, checkout / "environments")
        outdir = tmp_path_factory.mktemp("conformance")
        with pytest.MonkeyPatch.context() as patch:
            # Stacks read the settings of the checkout's functions, which are in no wheel.
            patch.setattr(sys, "path", [*sys.path, str(checkout)])
            return specimen(cls.blueprint, config, checkout=checkout, outdir=outdir)

    def test_its_example_is_accepted(self) -> None:
        """The registry takes the example as it stands."""
        request = Registry([self.blueprint]).parse(dict(self.example))
        assert request.pipeline_type == self.blueprint.kind, request.pipeline_type

    def test_an_unknown_field_is_refused_with_the_nearest_known_one(self) -> None:
        """A slip of the pen is told, not ignored."""
        field = max(self.blueprint.request.model_fields, key=len)
        slip = field[:-2] + field[-1]
        with pytest.raises(RequestInvalid) as refusal:
            Registry([self.blueprint]).parse({**self.example, slip: ""})
        told = {fault.path: fault.message for fault in refusal.value.faults}
        assert f"Did you mean {field!r}?" in told.get(slip, ""), f"{slip}: {told}"

    def test_every_field_is_described(self) -> None:
        """Descriptions are the documentation of the API, the template and the command line."""
        fields = self.blueprint.request.model_fields
        bare = [name for name, field in fields.items() if not (field.description or "").strip()]
        assert not bare, f"without description: {', '.join(bare)}"

    def test_every_pattern_is_anchored(self) -> None:
        """CloudFormation matches the whole string, and so must the contract."""
        shapes = self.blueprint.request.shapes
        loose = {
            name: shape.pattern
            for name, shape in shapes.items()
            if shape.pattern and not (shape.pattern.startswith("^") and shape.pattern.endswith("$"))
        }
        assert not loose, f"not written ^…$: {loose}"

    def test_its_contract_loads_neither_the_cdk_nor_an_aws_sdk(self) -> None:
        """Looked at in a process of its own, where nothing is loaded yet."""
        module = self.blueprint.request.__module__
        arguments = [json.dumps(sys.path), module, json.dumps(HEAVY)]
        done = subprocess.run(
            [sys.executable, "-c", _IMPORTED, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{module} cannot be imported by itself:\n{done.stderr}"
        loaded = json.loads(done.stdout.splitlines()[-1])
        assert not loaded, f"{module} loads {', '.join(loaded)}; keep them in the stack's module"

    def test_its_template_takes_what_the_contract_says(self, specimen: Specimen) -> None:
        """One parameter per field, with the field's limits, beside what the platform publishes."""
        declared = {
            name: body
            for name, body in specimen.template["Parameters"].items()
            if body["Type"] != _PLATFORM_VALUE
        }
        contract = {
            parameter.name: _as_declared(parameter)
            for parameter in template_parameters(self.blueprint.request)
        }
        assert declared == contract, _difference(declared, contract)

    def test_its_example_gives_every_parameter_a_value(self, specimen: Specimen) -> None:
        """What the orchestrator would write for a stage is what the template asks for."""
        request = Registry([self.blueprint]).parse(dict(self.example))
        stages = {
            stage
            for name, shape in request.shapes.items()
            if shape.per_stage and isinstance(getattr(request, name), dict)
            for stage in getattr(request, name)
        }
        for stage in sorted(stages) or ["local"]:
            given = template_values(request, stage)
            platform = {name for name in specimen.template["Parameters"] if name not in given}
            types = {specimen.template["Parameters"][name]["Type"] for name in platform}
            assert types <= {_PLATFORM_VALUE}, f"no value in {stage} for {sorted(platform)}"
            unknown = given.keys() - specimen.template["Parameters"].keys()
            assert not unknown, f"not in the template: {sorted(unknown)}"

    def test_its_template_has_no_custom_resource(self, specimen: Specimen) -> None:
        """A custom resource is a function that nobody reviews and a deletion that can hang."""
        custom = {
            name: resource["Type"]
            for name, resource in specimen.template["Resources"].items()
            if _CUSTOM.match(resource["Type"])
        }
        assert not custom, f"custom resources: {custom}"

    def test_cdk_nag_finds_nothing_in_it(self, specimen: Specimen) -> None:
        """AwsSolutions; a finding is repaired, or acknowledged with a reason."""
        assert not specimen.findings, "\n".join(specimen.findings)

    def test_cloudformation_takes_templates_of_its_size(self, specimen: Specimen) -> None:
        """Its own and that of its delivery."""
        assert not specimen.too_large, "\n".join(specimen.too_large)

    def test_deploying_each_of_its_types_is_known(self, specimen: Specimen) -> None:
        """The deploy role is derived from the types: known to the house, or declared with it."""
        unknown = specimen.unknown_types
        assert not unknown, f"declare in deploy_permissions of the stack: {', '.join(unknown)}"

    def test_it_has_the_outputs_that_delivery_reads(self, specimen: Specimen) -> None:
        """Which ones, ``after_deploy`` says."""
        wanted = READ_AFTER_DEPLOY[self.blueprint.after_deploy]
        missing = [name for name in wanted if name not in specimen.template.get("Outputs", {})]
        assert not missing, f"{self.blueprint.after_deploy} reads {', '.join(missing)}"


def checkout_of() -> Path:
    """The platform's folder that the library is installed from, or is worked in."""
    library = importlib.import_module("mlops_framework").__file__ or ""
    for folder in (Path(library).resolve().parents[1], Path.cwd(), *Path.cwd().parents):
        if (folder / "app.py").is_file() and (folder / "environments").is_dir():
            return folder
    pytest.fail(
        "No checkout of the platform was found: set `checkout` to the folder with app.py and "
        "environments/."
    )


def _as_declared(parameter: Parameter) -> dict[str, Any]:
    """A parameter as CloudFormation writes it."""
    written = {
        "Type": parameter.kind,
        "Default": parameter.default,
        "AllowedValues": list(parameter.allowed_values) or None,
        "AllowedPattern": parameter.pattern,
        "MinLength": parameter.min_length,
        "MaxLength": parameter.max_length,
        "MinValue": parameter.min_value,
        "MaxValue": parameter.max_value,
        "Description": parameter.description,
    }
    return {key: value for key, value in written.items() if value is not None}


def _difference(declared: Mapping[str, Any], contract: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{name}: the template says {declared.get(name, 'nothing')}, "
        f"the contract {contract.get(name, 'nothing')}"
        for name in sorted({*declared, *contract})
        if declared.get(name) != contract.get(name)
    )
