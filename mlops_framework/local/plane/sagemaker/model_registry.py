"""The model registry: package groups and their versioned packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    iso,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.service import AwsFault, Scope, operation

GROUP = "model-package-group"
PACKAGE = "model-package"
_SUMMARY = (
    *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
    *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
)
_UPDATABLE = ("ModelApprovalStatus", "ApprovalDescription", "SourceUri", "InferenceSpecification")


class ModelRegistry(Area):
    """Model package groups and model packages."""

    @operation("CreateModelPackageGroup")
    def create_model_package_group(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Make a group."""
        name = request["ModelPackageGroupName"]
        arn = scope.arn("sagemaker", f"{GROUP}/{name}")
        record = {
            **only(request, ["ModelPackageGroupName", "ModelPackageGroupDescription"]),
            "ModelPackageGroupArn": arn,
            "CreationTime": now(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
            "versions": 0,
        }
        self.add(GROUP, name, scope, record, invalid(f"Model Package Group already exists: {arn}"))
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"ModelPackageGroupArn": arn}

    @operation("DescribeModelPackageGroup")
    def describe_model_package_group(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe a group."""
        record = self._group(request["ModelPackageGroupName"], scope)
        return {member: value for member, value in record.items() if member != "versions"}

    @operation("ListModelPackageGroups")
    def list_model_package_groups(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List groups."""
        with self.locked():
            groups = self.records(GROUP, scope).values()
            chosen, token = page(groups, request, name="ModelPackageGroupName")
        hidden = ("versions", "CreatedBy")
        summaries = [{m: v for m, v in each.items() if m not in hidden} for each in chosen]
        return {"ModelPackageGroupSummaryList": summaries, "NextToken": token}

    @operation("DeleteModelPackageGroup")
    def delete_model_package_group(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Delete an empty group."""
        record = self._group(request["ModelPackageGroupName"], scope)
        name, arn = record["ModelPackageGroupName"], record["ModelPackageGroupArn"]
        with self.locked():
            if self._packages_of(name, scope):
                raise AwsFault(
                    "ConflictException",
                    f"Model Package Group {arn} is not empty. Delete its model packages first.",
                )
            self.forget(GROUP, name, scope, arn)
        return {}

    @operation("PutModelPackageGroupPolicy")
    def put_model_package_group_policy(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Keep a group's resource policy; nothing here asks for permissions."""
        record = self._group(request["ModelPackageGroupName"], scope)
        try:
            json.loads(request["ResourcePolicy"])
        except ValueError as error:
            raise invalid(f"ResourcePolicy is not JSON: {error}") from None
        with self.locked():
            policies = self.records("model-package-group-policy", scope)
            policies[record["ModelPackageGroupName"]] = {"policy": request["ResourcePolicy"]}
        return {"ModelPackageGroupArn": record["ModelPackageGroupArn"]}

    @operation("GetModelPackageGroupPolicy")
    def get_model_package_group_policy(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """The policy put last."""
        name = self._group(request["ModelPackageGroupName"], scope)["ModelPackageGroupName"]
        kept = self.find("model-package-group-policy", name, scope)
        if kept is None:
            raise invalid(f"Cannot find Model Package Group Policy: {name}")
        return {"ResourcePolicy": kept["policy"]}

    @operation("DeleteModelPackageGroupPolicy")
    def delete_model_package_group_policy(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Forget a group's policy."""
        name = self._group(request["ModelPackageGroupName"], scope)["ModelPackageGroupName"]
        with self.locked():
            self.records("model-package-group-policy", scope).pop(name, None)
        return {}

    @operation("CreateModelPackage")
    def create_model_package(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Register a model: as the next version of a group, or under a name of its own."""
        group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
        if bool(group) == bool(name):
            raise invalid(
                "Both or none of ModelPackageGroupName and ModelPackageName are given; a versioned "
                "package takes the first, an unversioned one the second."
            )
        if request.get("ValidationSpecification"):
            raise not_carried("CreateModelPackage with ValidationSpecification", "Leave it out.")
        members = set(request) - {"Tags", "ClientToken", "ValidationSpecification"}
        record: Record = {
            **{member: request[member] for member in members},
            "CreationTime": now(),
            "CreatedBy": {},
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": request.get("CertifyForMarketplace", False),
        }
        if group:
            group = self._group(group, scope)["ModelPackageGroupName"]
            self._add_version(group, record, request, scope)
        else:
            record["ModelPackageArn"] = scope.arn("sagemaker", f"{PACKAGE}/{name}")
            taken = invalid(f"Model Package already exists: {record['ModelPackageArn']}")
            self.add(PACKAGE, str(name), scope, record, taken)
        arn: str = record["ModelPackageArn"]
        self.keep_tags(arn, request.get("Tags"), scope)
        self._emit(record, scope)
        return {"ModelPackageArn": arn}

    @operation("DescribeModelPackage")
    def describe_model_package(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a package by its ARN or name."""
        record = self.package(request["ModelPackageName"], scope)
        return {"ModelPackageName": record.get("ModelPackageGroupName"), **record}

    @operation("ListModelPackages")
    def list_model_packages(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the packages of a group, the unversioned ones, or both."""
        wanted = request.get("ModelPackageType", "Unversioned")
        group = request.get("ModelPackageGroupName")
        if group:
            group, wanted = group.rsplit("/", 1)[-1], "Versioned"
        approval = request.get("ModelApprovalStatus")
        with self.locked():
            listed = [
                record
                for record in self.records(PACKAGE, scope).values()
                if (not group or record.get("ModelPackageGroupName") == group)
                and (
                    wanted == "Both" or (wanted == "Versioned") == ("ModelPackageVersion" in record)
                )
                and (not approval or record.get("ModelApprovalStatus") == approval)
            ]
            chosen, token = page(listed, request, name="ModelPackageArn")
        return {
            "ModelPackageSummaryList": [only(record, _SUMMARY) for record in chosen],
            "NextToken": token,
        }

    @operation("UpdateModelPackage")
    def update_model_package(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Approve or reject a package, or change what is told about it."""
        record = self.package(request["ModelPackageArn"], scope)
        properties = dict(record.get("CustomerMetadataProperties", {}))
        properties.update(request.get("CustomerMetadataProperties", {}))
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(key, None)
        values: dict[str, Any] = only(request, _UPDATABLE)
        if properties:
            values["CustomerMetadataProperties"] = properties
        name = record["ModelPackageArn"].split("/", 1)[1]
        changed = self.change(PACKAGE, name, scope, LastModifiedBy={}, **values)
        self._emit(changed, scope)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    @operation("DeleteModelPackage")
    def delete_model_package(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete a package."""
        arn = self.package(request["ModelPackageName"], scope)["ModelPackageArn"]
        self.forget(PACKAGE, arn.split("/", 1)[1], scope, arn)
        return {}

    def package(self, name_or_arn: str, scope: Scope) -> Record:
        """A copy of a package's record.

        Raises:
            AwsFault: there is none.
        """
        name = name_or_arn
        if name_or_arn.startswith("arn:"):
            name = name_or_arn.split("/", 1)[-1]
        record = self.find(PACKAGE, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{PACKAGE}/{name}")
            raise invalid(f"ModelPackage {arn} does not exist.")
        return record

    def _group(self, name_or_arn: str, scope: Scope) -> Record:
        name = name_or_arn.rsplit("/", 1)[-1]
        record = self.find(GROUP, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{GROUP}/{name}")
            raise invalid(f"ModelPackageGroup {arn} does not exist.")
        return record

    def _packages_of(self, group: str, scope: Scope) -> list[Record]:
        packages = self.records(PACKAGE, scope).values()
        return [each for each in packages if each.get("ModelPackageGroupName") == group]

    def _add_version(
        self, group: str, record: Record, request: Mapping[str, Any], scope: Scope
    ) -> None:
        with self.locked():
            kept = self.records(GROUP, scope)[group]
            # A number is never given twice, even when its package has been deleted.
            kept["versions"] += 1
            version = kept["versions"]
            arn = scope.arn("sagemaker", f"{PACKAGE}/{group}/{version}")
            record.update(
                ModelPackageGroupName=group,
                ModelPackageVersion=version,
                ModelPackageArn=arn,
                ModelApprovalStatus=request.get("ModelApprovalStatus", "PendingManualApproval"),
            )
            taken = invalid(f"Model Package already exists: {arn}")
            self.add(PACKAGE, f"{group}/{version}", scope, record, taken)

    def _emit(self, record: Record, scope: Scope) -> None:
        hidden = ("CreatedBy", "LastModifiedBy")
        detail = {
            member: iso(value) if member.endswith("Time") else value
            for member, value in record.items()
            if member not in hidden
        }
        arn = record["ModelPackageArn"]
        self.emit("SageMaker Model Package State Change", detail, [arn], scope)
