"""Model cards: every content is a version, every export a PDF in S3."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import Area, Record, invalid, now, only
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.pdf import pdf
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "model-card"
EXPORT = "model-card-export-job"
SECTIONS = (
    *("model_overview", "business_details", "intended_uses", "training_details"),
    *("evaluation_details", "additional_information", "model_package_details"),
)
_SUMMARY = (
    *("ModelCardName", "ModelCardArn", "ModelCardStatus", "ModelCardVersion"),
    *("CreationTime", "LastModifiedTime"),
)
_EXPORT = (
    *("ModelCardExportJobName", "ModelCardExportJobArn", "Status", "ModelCardName"),
    *("ModelCardVersion", "CreatedAt", "LastModifiedAt"),
)


class ModelCards(Area):
    """CreateModelCard and what follows it, without the console's users behind a change."""

    def __init__(self, host: PlaneHost) -> None:
        """Take back the exports that an earlier run left unfinished."""
        super().__init__(host)
        for scope in host.scopes(self.name):
            with self.locked():
                for job in self.records(EXPORT, scope).values():
                    if job["Status"] == "InProgress":
                        job.update(Status="Failed", FailureReason="the local AWS was stopped")

    @operation("CreateModelCard")
    def create_model_card(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Create a card in version 1."""
        _check_content(request["Content"])
        name = request["ModelCardName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name}")
        moment = now()
        record: Record = {
            **only(request, ("ModelCardName", "SecurityConfig")),
            "ModelCardArn": arn,
            "CreationTime": moment,
            "versions": [_version(1, request["Content"], request["ModelCardStatus"])],
        }
        said = f"A model card with the name {name} exists already ({arn})"
        self.add(KIND, name, scope, record, AwsFault("ConflictException", said))
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"ModelCardArn": arn}

    @operation("UpdateModelCard")
    def update_model_card(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Write a new version, or set the status of the newest one."""
        content, status = request.get("Content"), request.get("ModelCardStatus")
        if content is not None and status is not None:
            raise invalid(
                "You cannot update both model card content and model card status in a single call."
            )
        if content is not None:
            _check_content(content)
        with self.locked():
            record = self._live(request["ModelCardName"], scope)
            newest = record["versions"][-1]
            if status is not None:
                newest.update(ModelCardStatus=status, LastModifiedTime=now())
            elif content is not None:
                if newest["ModelCardStatus"] == "Archived":
                    raise AwsFault("ConflictException", "Model Card is in Archived state")
                number = newest["ModelCardVersion"] + 1
                record["versions"].append(_version(number, content, newest["ModelCardStatus"]))
            record["LastModifiedTime"] = now()
            return {"ModelCardArn": record["ModelCardArn"]}

    @operation("DescribeModelCard")
    def describe_model_card(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a card in its newest version, or the one asked for."""
        with self.locked():
            record = copy.deepcopy(self._live(request["ModelCardName"], scope))
        found = self._version_of(record, request.get("ModelCardVersion"))
        content = found["Content"]
        return {
            **only(record, ("ModelCardName", "ModelCardArn", "SecurityConfig", "LastModifiedTime")),
            **only(found, ("ModelCardVersion", "ModelCardStatus")),
            "CreationTime": record["CreationTime"],
            "Content": "" if request.get("IncludedData") == "MetadataOnly" else content,
            "CreatedBy": {},
        }

    @operation("DeleteModelCard")
    def delete_model_card(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete a card with its versions and the records of its exports."""
        name = request["ModelCardName"]
        with self.locked():
            record = self._live(name, scope)
            jobs = self.records(EXPORT, scope)
            of_card = [arn for arn, job in jobs.items() if job["ModelCardName"] == name]
            if any(jobs[arn]["Status"] == "InProgress" for arn in of_card):
                raise AwsFault("ConflictException", f"An export of model card {name} is running")
            for arn in of_card:
                del jobs[arn]
        self.forget(KIND, name, scope, record["ModelCardArn"])
        return {}

    @operation("ListModelCards")
    def list_model_cards(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List cards."""
        wanted = request.get("ModelCardStatus")
        with self.locked():
            cards = [_newest(record) for record in self.records(KIND, scope).values()]
        kept = [card for card in cards if wanted in (None, card["ModelCardStatus"])]
        chosen, token = page(kept, request, name="ModelCardName")
        members = tuple(member for member in _SUMMARY if member != "ModelCardVersion")
        return {
            "ModelCardSummaries": [only(card, members) for card in chosen],
            "NextToken": token,
        }

    @operation("ListModelCardVersions")
    def list_model_card_versions(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List the versions of a card."""
        wanted = request.get("ModelCardStatus")
        with self.locked():
            record = copy.deepcopy(self._live(request["ModelCardName"], scope))
        entries = [
            {**only(record, ("ModelCardName", "ModelCardArn")), **version}
            for version in record["versions"]
            if wanted in (None, version["ModelCardStatus"])
        ]
        by_version = {**request, "SortBy": "ModelCardVersion"}
        chosen, token = page(entries, by_version, name="ModelCardName")
        return {
            "ModelCardVersionSummaryList": [only(entry, _SUMMARY) for entry in chosen],
            "NextToken": token,
        }

    @operation("CreateModelCardExportJob")
    def create_model_card_export_job(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Export a version of a card."""
        with self.locked():
            record = copy.deepcopy(self._live(request["ModelCardName"], scope))
        version = self._version_of(record, request.get("ModelCardVersion"))
        job, name = request["ModelCardExportJobName"], record["ModelCardName"]
        arn = f"{record['ModelCardArn']}/export-job/{job}"
        moment = now()
        kept: Record = {
            **only(request, ("ModelCardExportJobName", "OutputConfig")),
            "ModelCardExportJobArn": arn,
            "ModelCardName": name,
            "ModelCardVersion": version["ModelCardVersion"],
            "Status": "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        said = f"An export job with the name {job} exists already ({arn})"
        self.add(EXPORT, arn, scope, kept, AwsFault("ConflictException", said))
        self.host.spawn(f"export of model card {name}", self._export, arn, version, scope)
        return {"ModelCardExportJobArn": arn}

    @operation("DescribeModelCardExportJob")
    def describe_model_card_export_job(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe an export."""
        record = self.find(EXPORT, request["ModelCardExportJobArn"], scope)
        if record is None:
            raise _missing(f"the export job {request['ModelCardExportJobArn']}")
        return _told(record, (*_EXPORT, "OutputConfig", "FailureReason", "ExportArtifacts"))

    @operation("ListModelCardExportJobs")
    def list_model_card_export_jobs(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List the exports of a card."""
        number, name = request.get("ModelCardVersion"), request["ModelCardName"]
        with self.locked():
            jobs = [
                job
                for job in self.records(EXPORT, scope).values()
                if job["ModelCardName"] == name and number in (None, job["ModelCardVersion"])
            ]
            part = request.get("ModelCardExportJobNameContains")
            named = {**request, "NameContains": part} if part else request
            chosen, token = page(jobs, named, name="ModelCardExportJobName", status="Status")
        return {
            "ModelCardExportJobSummaries": [_told(job, _EXPORT) for job in chosen],
            "NextToken": token,
        }

    def _export(self, arn: str, version: Mapping[str, Any], scope: Scope) -> None:
        job = self.find(EXPORT, arn, scope)
        if job is None:
            return
        name, number = job["ModelCardName"], version["ModelCardVersion"]
        folder = job["OutputConfig"]["S3OutputPath"].rstrip("/")
        target = f"{folder}/{name}-{number}-{job['ModelCardExportJobName']}.pdf"
        lines = [
            f"Model card {name}, version {number}: {version['ModelCardStatus']}",
            "",
            *_lines(json.loads(version["Content"])),
        ]
        try:
            bucket, key = objects.split(target)
            self.host.client("s3", scope).put_object(
                Bucket=bucket, Key=key, Body=pdf(lines), ContentType="application/pdf"
            )
        except (ClientError, BotoCoreError, objects.DataError) as error:
            self.change(EXPORT, arn, scope, Status="Failed", FailureReason=str(error))
            return
        artifacts = {"S3ExportArtifacts": target}
        self.change(EXPORT, arn, scope, Status="Completed", ExportArtifacts=artifacts)

    def _live(self, name: str, scope: Scope) -> Record:
        """The record of a card that is named by its name or ARN; hold the lock."""
        record = self.live(KIND, name.rsplit("/", 1)[-1], scope)
        if record is None:
            raise _missing(f"the model card {name}")
        return record

    @staticmethod
    def _version_of(record: Record, number: int | None) -> Record:
        for version in reversed(record["versions"]):
            if number in (None, version["ModelCardVersion"]):
                found: Record = version
                return found
        raise _missing(f"version {number} of the model card {record['ModelCardName']}")


def _version(number: int, content: str, status: str) -> Record:
    moment = now()
    return {
        "ModelCardVersion": number,
        "Content": content,
        "ModelCardStatus": status,
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }


def _newest(record: Record) -> Record:
    status = record["versions"][-1]["ModelCardStatus"]
    return {**copy.deepcopy(record), "ModelCardStatus": status}


def _told(job: Record, members: tuple[str, ...]) -> dict[str, Any]:
    times = {"CreatedAt": job["CreationTime"], "LastModifiedAt": job["LastModifiedTime"]}
    return only({**job, **times}, members)


def _missing(what: str) -> AwsFault:
    return AwsFault("ResourceNotFound", f"Could not find {what}.")


def _check_content(text: str) -> None:
    """Hold the content to the sections of SageMaker's schema; what is in them is not checked."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise invalid(f"The content of the model card is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise invalid("The content of the model card is no JSON object.")
    if unknown := sorted(content.keys() - set(SECTIONS)):
        raise invalid(
            f"The content of the model card has unknown sections {', '.join(unknown)}; known: "
            f"{', '.join(SECTIONS)}."
        )


def _lines(value: Any, depth: int = 0) -> Iterator[str]:
    """A card as indented text, in its own order."""
    indent = "  " * depth
    pairs = value.items() if isinstance(value, dict) else enumerate(value, start=1)
    for key, inner in pairs:
        if isinstance(inner, dict) or (isinstance(inner, list) and any(map(_is_nested, inner))):
            yield f"{indent}{key}"
            yield from _lines(inner, depth + 1)
        else:
            shown = ", ".join(map(str, inner)) if isinstance(inner, list) else inner
            yield f"{indent}{key}: {shown}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)
