"""Models and endpoint configurations: what is to be served, and on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.images import IMAGE, check_image, check_script
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.model_registry import ModelRegistry
from mlops_framework.local.plane.service import Scope, operation

MODEL = "model"
CONFIG = "endpoint-config"
_REFUSED_IN_CONFIG = (
    *("ExplainerConfig", "ShadowProductionVariants"),
    *("MetricsConfig", "CrossRegionTrafficConfig"),
)
_REFUSED_IN_VARIANT = (
    *("CoreDumpConfig", "AcceleratorType", "InferenceAmiVersion"),
    *("InstancePools", "CapacityReservationConfig"),
)
_INSTANCES = ("InstanceType", "InitialInstanceCount", "VolumeSizeInGB", "ManagedInstanceScaling")


class Models(Area):
    """CreateModel, DescribeModel, ListModels, DeleteModel, and the same of EndpointConfig."""

    def __init__(self, host: PlaneHost, registry: ModelRegistry) -> None:
        """Take the registry whose packages models are made of.

        Args:
            host: the emulator.
            registry: the model registry.
        """
        super().__init__(host)
        self._registry = registry

    @operation("CreateModel")
    def create_model(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Make a model out of an image and an artefact, or out of a model package."""
        name = request["ModelName"]
        arn = scope.arn("sagemaker", f"{MODEL}/{name.lower()}")
        # What could go wrong when the endpoint starts is found here already.
        self._check_data(_one_container(request), request.get("ExecutionRoleArn", ""), scope)
        record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "ModelArn": arn,
            "CreationTime": now(),
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        }
        taken = invalid(f'Cannot create already existing model "{arn}".')
        self.add(MODEL, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"ModelArn": arn}

    @operation("DescribeModel")
    def describe_model(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a model."""
        return self.model_record(request["ModelName"], scope)

    @operation("ListModels")
    def list_models(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List models."""
        with self.locked():
            chosen, token = page(self.records(MODEL, scope).values(), request, name="ModelName")
        members = ("ModelName", "ModelArn", "CreationTime")
        return {"Models": [only(record, members) for record in chosen], "NextToken": token}

    @operation("DeleteModel")
    def delete_model(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete a model; what serves it goes on."""
        arn = self.model_record(request["ModelName"], scope)["ModelArn"]
        self.forget(MODEL, request["ModelName"], scope, arn)
        return {}

    @operation("CreateEndpointConfig")
    def create_endpoint_config(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Make an endpoint configuration."""
        _check_config(request)
        for variant in request["ProductionVariants"]:
            if "ModelName" in variant:
                at_once = not ("AsyncInferenceConfig" in request or "ServerlessConfig" in variant)
                self.containers(variant["ModelName"], scope, many=at_once)
        name = request["EndpointConfigName"]
        arn = scope.arn("sagemaker", f"{CONFIG}/{name.lower()}")
        record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "EndpointConfigArn": arn,
            "CreationTime": now(),
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        }
        taken = invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        self.add(CONFIG, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"EndpointConfigArn": arn}

    @operation("DescribeEndpointConfig")
    def describe_endpoint_config(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe an endpoint configuration."""
        return self.config_record(request["EndpointConfigName"], scope)

    @operation("ListEndpointConfigs")
    def list_endpoint_configs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List endpoint configurations."""
        with self.locked():
            configs = self.records(CONFIG, scope).values()
            chosen, token = page(configs, request, name="EndpointConfigName")
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return {"EndpointConfigs": [only(each, members) for each in chosen], "NextToken": token}

    @operation("DeleteEndpointConfig")
    def delete_endpoint_config(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete an endpoint configuration; endpoints made from it go on."""
        arn = self.config_record(request["EndpointConfigName"], scope)["EndpointConfigArn"]
        self.forget(CONFIG, request["EndpointConfigName"], scope, arn)
        return {}

    def model_record(self, name: str, scope: Scope) -> Record:
        """A copy of a model's record.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(MODEL, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{MODEL}/{name.lower()}")
            raise invalid(f'Could not find model "{arn}".')
        return record

    def config_record(self, name: str, scope: Scope) -> Record:
        """A copy of an endpoint configuration's record.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(CONFIG, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{CONFIG}/{name.lower()}")
            raise invalid(f'Could not find endpoint configuration "{arn}".')
        return record

    def resolve(self, container: Mapping[str, Any], scope: Scope) -> tuple[str, dict[str, str]]:
        """What a container is to serve.

        Args:
            container: a container definition of a model.
            scope: account and region.

        Returns:
            The S3 address of the model archive, and the container's environment: that of the
            model package overlaid by the container's own.

        Raises:
            AwsFault: the package does not exist or may not be served, the image is not carried.
        """
        image, data = container.get("Image"), _data_url(container)
        environment: dict[str, str] = {}
        if package_name := container.get("ModelPackageName"):
            package = self._registry.package(package_name, scope)
            if package.get("ModelApprovalStatus", "Approved") != "Approved":
                raise invalid(
                    f"The model package {package['ModelPackageArn']} is "
                    f"{package['ModelApprovalStatus']}; only an Approved one can be deployed."
                )
            packed = package.get("InferenceSpecification", {}).get("Containers", [])
            if len(packed) != 1:
                raise not_carried(
                    f"a model package of {len(packed)} containers", "It has to hold one."
                )
            image, data = packed[0].get("Image"), _data_url(packed[0])
            environment |= packed[0].get("Environment", {})
        check_image(image, told_as="PrimaryContainer.Image")
        environment = {**environment, **container.get("Environment", {}), IMAGE: str(image)}
        check_script(str(image), environment.get("SAGEMAKER_PROGRAM"), told_as="SAGEMAKER_PROGRAM")
        if data is None:
            raise not_carried("a container without ModelDataUrl", "Name a model.tar.gz in S3.")
        return data, environment

    def containers(self, model_name: str, scope: Scope, *, many: bool = False) -> Mapping[str, Any]:
        """The one container of a model.

        Args:
            model_name: its name.
            scope: account and region.
            many: whether it may be one of many models.

        Raises:
            AwsFault: there is no such model, or it is many and may not be.
        """
        container = _one_container(self.model_record(model_name, scope))
        if is_many(container) and not many:
            raise invalid(
                f"The model {model_name} has a container of Mode 'MultiModel', which real-time "
                "endpoints alone serve, on instances and without inference components."
            )
        return container

    def _check_data(self, container: Mapping[str, Any], role: str, scope: Scope) -> None:
        uri, _ = self.resolve(container, scope)
        try:
            bucket, key = objects.split(uri)
            client = self.host.client("s3", scope)
            if not is_many(container):
                client.head_object(Bucket=bucket, Key=key)
            elif not client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)["KeyCount"]:
                raise objects.DataError("There is no object below it.")
        except (ClientError, objects.DataError) as error:
            raise invalid(
                f"Could not access model data at {uri}. Please ensure that the role "
                f'"{role}" exists and that its trust relationship policy allows the action '
                f'"sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also '
                f'ensure that the role has "s3:GetObject" permissions and that the object is '
                f"located in {scope.region}. ({error})"
            ) from None


def _one_container(request: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = [*request.get("Containers", [])]
    if "PrimaryContainer" in request:
        containers.append(request["PrimaryContainer"])
    if len(containers) != 1:
        raise not_carried(
            f"a model of {len(containers)} containers",
            "Give it one, in PrimaryContainer or Containers.",
        )
    container: Mapping[str, Any] = containers[0]
    if "MultiModelConfig" in container:
        raise not_carried("a MultiModelConfig", "Leave it out.")
    if is_many(container) and container.get("ModelPackageName"):
        raise invalid("A container of Mode 'MultiModel' has an Image and a ModelDataUrl.")
    return container


def is_many(container: Mapping[str, Any]) -> bool:
    """Whether a container serves the models below a folder, as calls name them."""
    return bool(container.get("Mode") == "MultiModel")


def _data_url(container: Mapping[str, Any]) -> str | None:
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is None:
        url: str | None = container.get("ModelDataUrl")
        return url
    if source["CompressionType"] != "Gzip":
        raise not_carried("a ModelDataSource without compression", "Use CompressionType 'Gzip'.")
    return str(source["S3Uri"])


def _check_config(request: Mapping[str, Any]) -> None:
    if refused := [member for member in _REFUSED_IN_CONFIG if request.get(member)]:
        raise not_carried(f"CreateEndpointConfig with {refused[0]}", "Leave it out.")
    names = [variant["VariantName"] for variant in request["ProductionVariants"]]
    if twice := {name for name in names if names.count(name) > 1}:
        raise invalid(f"Production variant names must be unique; given twice: {sorted(twice)}.")
    for variant in request["ProductionVariants"]:
        told = f"the production variant {variant['VariantName']!r}"
        if refused := [member for member in _REFUSED_IN_VARIANT if member in variant]:
            raise not_carried(f"{told} with {refused[0]}", "Leave it out.")
        if "ServerlessConfig" in variant:
            _check_serverless(request, variant, told)
        elif "InstanceType" not in variant:
            raise invalid(f"InstanceType is missing in {told}.")
    by_component = ["ModelName" not in variant for variant in request["ProductionVariants"]]
    if any(by_component):
        _check_components(request, by_component)
    elif (
        sum(variant.get("InitialVariantWeight", 1.0) for variant in request["ProductionVariants"])
        <= 0
    ):
        raise invalid("At least one production variant needs an InitialVariantWeight above 0.")
    if "AsyncInferenceConfig" in request and len(request["ProductionVariants"]) > 1:
        raise invalid("An asynchronous endpoint has one production variant.")


def _check_serverless(request: Mapping[str, Any], variant: Mapping[str, Any], told: str) -> None:
    """What SageMaker's list of feature exclusions says."""
    for member in _INSTANCES:
        if member in variant:
            raise invalid(f"{member} and ServerlessConfig exclude one another in {told}.")
    for member in ("DataCaptureConfig", "AsyncInferenceConfig", "KmsKeyId"):
        if member in request:
            raise invalid(f"{member} is not supported with a ServerlessConfig.")
    if len(request["ProductionVariants"]) > 1:
        raise invalid("A serverless endpoint has one production variant.")
    serverless = variant["ServerlessConfig"]
    if serverless["MemorySizeInMB"] % 1024:
        raise invalid("MemorySizeInMB has to be a multiple of 1024.")
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise invalid("ProvisionedConcurrency must not be above MaxConcurrency.")


def _check_components(request: Mapping[str, Any], by_component: list[bool]) -> None:
    if not all(by_component) or len(by_component) > 1:
        raise not_carried(
            "several production variants of which one serves through inference components",
            "Give the configuration one variant without ModelName, or variants with models.",
        )
    if "ExecutionRoleArn" not in request:
        raise invalid("ExecutionRoleArn is required where no variant names a model.")
    if "AsyncInferenceConfig" in request:
        raise invalid("AsyncInferenceConfig is not supported with inference components.")
