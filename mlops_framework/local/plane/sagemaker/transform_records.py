"""One input object of a transform job: split into requests, answered, joined, put together."""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_framework.local.plane.sagemaker.area import iso, now
from mlops_framework.local.plane.sagemaker.transform_paths import PathError, RecordPath

MEGABYTE = 1024 * 1024
DEFAULT_PAYLOAD_MB = 6
_CSV, _JSON = "CSV", "JSON"
_FORMATS = {"text/csv": _CSV, "application/json": _JSON, "application/jsonlines": _JSON}

# What sends one request to the model and returns its answer.
Ask = Callable[[bytes], bytes]


class RecordsError(Exception):
    """An object that cannot be transformed; the text is part of a FailureReason."""


@dataclass(frozen=True)
class Treatment:
    """What a job does with every object; see `Treatment.of`.

    Attributes:
        lines: whether each line is a record, or else the whole object.
        one_by_one: whether a request holds one record, or as many as fit.
        limit: largest request, bytes; 0 for any.
        gzipped: whether the objects are compressed.
        content: CSV, JSON, or empty for anything else.
        accept: the same of the answers.
        given: what the model gets of a record.
        kept: what is written of a joined record.
        joined: whether records stand before their predictions.
        with_ids: whether each row of output gets an id and a time.
        newlines: whether a line ends after each answer.
    """

    lines: bool
    one_by_one: bool
    limit: int
    gzipped: bool
    content: str
    accept: str
    given: RecordPath
    kept: RecordPath
    joined: bool
    with_ids: bool
    newlines: bool

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Treatment:
        """Read it out of a CreateTransformJob request.

        Raises:
            RecordsError: filters or joins of what is neither CSV nor JSON, or a bad path.
        """
        source, target = job["TransformInput"], job["TransformOutput"]
        processing = job.get("DataProcessing", {})
        try:
            given = RecordPath.parse(processing.get("InputFilter") or "$")
            kept = RecordPath.parse(processing.get("OutputFilter") or "$")
        except PathError as error:
            raise RecordsError(str(error)) from None
        treatment = cls(
            lines=source.get("SplitType", "None") == "Line",
            one_by_one=job.get("BatchStrategy") == "SingleRecord",
            limit=job.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB) * MEGABYTE,
            gzipped=source.get("CompressionType", "None") == "Gzip",
            content=_format(source.get("ContentType", "")),
            accept=_format(target.get("Accept", "")),
            given=given,
            kept=kept,
            joined=processing.get("JoinSource", "None") == "Input",
            with_ids=job.get("DataCaptureConfig", {}).get("GenerateInferenceId", False),
            newlines=target.get("AssembleWith", "None") == "Line",
        )
        if treatment.reads_input and not treatment.content:
            raise RecordsError(
                f"filters and joins need a ContentType of {', '.join(_FORMATS)}, not "
                f"{source.get('ContentType')!r}."
            )
        if treatment.reads_output and not treatment.accept:
            raise RecordsError(
                f"filters, joins and inference ids need an Accept of {', '.join(_FORMATS)}, not "
                f"{target.get('Accept')!r}."
            )
        if treatment.joined and treatment.content != treatment.accept:
            raise RecordsError(
                f"a join needs input and output of one format; they are {treatment.content} and "
                f"{treatment.accept}."
            )
        return treatment

    @property
    def reads_input(self) -> bool:
        """Whether records are looked into before the model gets them."""
        return self.joined or not self.given.takes_all

    @property
    def reads_output(self) -> bool:
        """Whether answers are taken apart."""
        return self.joined or self.with_ids or not self.kept.takes_all


def transform(body: bytes, treatment: Treatment, ask: Ask) -> bytes:
    """Transform one object.

    Args:
        body: the object's content.
        treatment: what is done with it.
        ask: sends a request to the model.

    Returns:
        The output object's content.

    Raises:
        RecordsError: it cannot be split, filtered or joined.
    """
    if treatment.gzipped:
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError) as error:
            raise RecordsError(f"it is not compressed with gzip: {error}") from None
    answers: list[bytes] = []
    for batch in _batches(_records(body, treatment), treatment):
        answer = ask(b"\n".join(request for _, request in batch))
        if treatment.reads_output:
            rows = _rows(answer, batch, treatment)
            answer = b"\n".join(_finished(*row, treatment) for row in rows)
        answers.append(answer)
    if not treatment.newlines:
        return b"".join(answers)
    return b"".join(answer.removesuffix(b"\n") + b"\n" for answer in answers)


# A record as it is in the object, and the part of it that the model gets.
_Pair = tuple[bytes, bytes]


def _records(body: bytes, treatment: Treatment) -> Iterator[_Pair]:
    for number, record in enumerate(_split(body, treatment), 1):
        if treatment.given.takes_all:
            yield record, record
            continue
        try:
            part = treatment.given.select(_read(record, treatment.content))
        except (PathError, ValueError) as error:
            raise RecordsError(f"InputFilter, record {number}: {error}") from None
        yield record, _written(part, treatment.content)


def _split(body: bytes, treatment: Treatment) -> list[bytes]:
    # The rows of a whole CSV object are looked into one by one as well.
    if not treatment.lines and not (treatment.reads_input and treatment.content == _CSV):
        return [body]
    return body.removesuffix(b"\n").split(b"\n") if body.strip() else []


def _batches(records: Iterator[_Pair], treatment: Treatment) -> Iterator[list[_Pair]]:
    """Records that go into one request: one, as many as fit, or the whole object."""
    whole = not treatment.lines
    batch: list[_Pair] = []
    size = 0
    for record in records:
        length = len(record[1]) + 1
        if treatment.limit and length - 1 > treatment.limit:
            raise RecordsError(
                f"a record of {length - 1} bytes is larger than MaxPayloadInMB "
                f"({treatment.limit // MEGABYTE})."
            )
        full = treatment.limit and size + length - 1 > treatment.limit
        if batch and full and whole:
            raise RecordsError(
                f"it is larger than MaxPayloadInMB ({treatment.limit // MEGABYTE}) and SplitType "
                "is None."
            )
        if batch and not whole and (treatment.one_by_one or full):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield batch


def _rows(answer: bytes, batch: Sequence[_Pair], treatment: Treatment) -> list[tuple[bytes, Any]]:
    """Each record of a request with the prediction for it."""
    try:
        if treatment.accept == _JSON and len(batch) == 1:
            return [(batch[0][0], json.loads(answer))]
        lines = answer.removesuffix(b"\n").split(b"\n")
        predictions = [_read(line, treatment.accept) for line in lines]
    except ValueError as error:
        raise RecordsError(f"the model's answer is no {treatment.accept}: {error}") from None
    alone = not treatment.joined and not treatment.lines
    if len(predictions) != len(batch) and not alone:
        raise RecordsError(
            f"the model answered {len(predictions)} rows to {len(batch)} records; a join, an "
            "output filter and inference ids need one row each."
        )
    if alone:
        return [(b"", prediction) for prediction in predictions]
    return [(record, each) for (record, _), each in zip(batch, predictions, strict=True)]


def _finished(record: bytes, prediction: Any, treatment: Treatment) -> bytes:
    """One row of output."""
    row = prediction
    try:
        if treatment.joined:
            row = _joined(_read(record, treatment.content), prediction, treatment.content)
        row = treatment.kept.select(row)
    except (PathError, ValueError) as error:
        raise RecordsError(f"OutputFilter: {error}") from None
    if treatment.with_ids:
        row = _with_id(row, treatment.accept)
    return _written(row, treatment.accept)


def _joined(record: Any, prediction: Any, form: str) -> Any:
    if form == _CSV:
        return [*record, *prediction]
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": prediction}
    return {"SageMakerInput": record, "SageMakerOutput": prediction}


def _with_id(row: Any, form: str) -> Any:
    own, moment = str(uuid.uuid4()), iso(now())
    if form == _CSV:
        return [*(row if isinstance(row, list) else [row]), own, moment]
    members = row if isinstance(row, dict) else {"SageMakerOutput": row}
    return {**members, "SageMakerInferenceId": own, "SageMakerInferenceTime": moment}


def _read(record: bytes, form: str) -> Any:
    text = record.decode("utf-8")
    if form == _JSON:
        return json.loads(text)
    try:
        return next(csv.reader([text]), [])
    except csv.Error as error:
        raise ValueError(f"no row of CSV: {error}") from None


def _written(value: Any, form: str) -> bytes:
    if form == _JSON:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return line.getvalue().encode()


def _format(media_type: str) -> str:
    return _FORMATS.get(media_type.split(";", 1)[0].strip().lower(), "")
