"""A catalogue in memory, with templates that declare what the contracts ask."""

from __future__ import annotations

from typing import Any

from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.parameters import Parameter, template_parameters
from mlops_framework.registry import Registry


class InMemoryCatalogue:
    """The catalogue of some blueprints.

    ``blueprints`` and ``deliveries`` hold the templates by kind; change them to break a deployment.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.blueprints = {
            blueprint.kind: template_of(blueprint.request) for blueprint in registry.blueprints
        }
        self.deliveries: dict[str, dict[str, Any]] = {
            kind: {
                "Parameters": {"PipelineId": {"Type": "String"}},
                "Resources": {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline"}},
            }
            for kind in self.blueprints
        }

    def blueprint_template(self, kind: str) -> dict[str, Any]:
        """See ``TemplateSource.blueprint_template``."""
        return self.blueprints[self.registry.get(kind).kind]

    def delivery_template(self, kind: str) -> dict[str, Any]:
        """See ``TemplateSource.delivery_template``."""
        return self.deliveries[self.registry.get(kind).kind]


def template_of(contract: type[PipelineRequest]) -> dict[str, Any]:
    """A template whose parameters are the contract's, beside one that SSM gives."""
    declared = {
        parameter.name: _declaration(parameter) for parameter in template_parameters(contract)
    }
    return {
        "Parameters": {
            **declared,
            "DataBucketName": {
                "Type": "AWS::SSM::Parameter::Value<String>",
                "Default": "/mlops-test/platform/data-bucket-name",
            },
        },
        "Resources": {
            "Group": {
                "Type": "AWS::SageMaker::ModelPackageGroup",
                "DeletionPolicy": "RetainExceptOnCreate",
            }
        },
    }


def _declaration(parameter: Parameter) -> dict[str, Any]:
    declared = {
        "Type": parameter.kind,
        "Default": parameter.default,
        "AllowedValues": list(parameter.allowed_values) or None,
        "AllowedPattern": parameter.pattern,
        "MinLength": parameter.min_length,
        "MaxLength": parameter.max_length,
        "MinValue": parameter.min_value,
        "MaxValue": parameter.max_value,
    }
    return {name: value for name, value in declared.items() if value is not None}
