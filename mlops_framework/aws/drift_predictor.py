"""Asking a monitored endpoint for predictions, in a role that may ask this endpoint alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.aws.refusals import code_of, message_of
from mlops_framework.drift.attribution.explaining import PredictionRefused
from mlops_framework.drift.attribution.kernel_shap import Row
from mlops_framework.drift.attribution.own_calls import PREFIX
from mlops_framework.drift.capture import PREDICTION, CaptureReader, Unreadable
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.sums import Floats

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10
ATTEMPTS: Final = 2
"""Together no more than half a minute, which an evaluation has left when its time is over."""
_ROLE_SECONDS: Final = 900
_EARLIER: Final = 60

Seconds = Callable[[], float]


@dataclass
class RuntimeClients:
    """SageMaker Runtime clients, by role.

    Attributes:
        sts: An STS client.
        clock: A clock that only goes forward, seconds.
    """

    sts: Any
    clock: Seconds
    _known: dict[str, tuple[Any, float]] = field(default_factory=dict)

    def __call__(self, role: str) -> Any:
        """The client; with an empty role, that of the function itself."""
        known = self._known.get(role)
        if known is None or known[1] < self.clock():
            known = self._known[role] = (
                self._client(role),
                self.clock() + _ROLE_SECONDS - _EARLIER,
            )
        return known[0]

    def _client(self, role: str) -> Any:
        credentials: dict[str, str] = {}
        if role:
            answer = self.sts.assume_role(
                RoleArn=role, RoleSessionName="mlops-drift", DurationSeconds=_ROLE_SECONDS
            )["Credentials"]
            credentials = {
                "aws_access_key_id": answer["AccessKeyId"],
                "aws_secret_access_key": answer["SecretAccessKey"],
                "aws_session_token": answer["SessionToken"],
            }
        make: Any = boto3.client  # Its stubs want the service as a literal.
        return make(
            "sagemaker-runtime",
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                user_agent_extra="mlops-framework/1",
            ),
            **credentials,
        )


@dataclass(frozen=True)
class EndpointPredictor:
    """The port ``Predictor``.

    Attributes:
        clients: A SageMaker Runtime client for a role's ARN.
        identity: Makes texts that differ from each other; the end of an inference id.
    """

    clients: Callable[[str], Any]
    identity: Callable[[], str]

    def predict(self, config: MonitorConfig, rows: Sequence[Row], columns: Sequence[str]) -> Floats:
        """See ``Predictor.predict``."""
        settings = config.attribution
        assert settings is not None
        body = _csv(rows) if settings.content_type == "text/csv" else _json(rows)
        call = {
            "EndpointName": config.endpoint_name,
            "ContentType": settings.content_type,
            "Body": body,
            "InferenceId": f"{PREFIX}{self.identity()}"[:64],
        }
        if config.variant_name:
            call["TargetVariant"] = config.variant_name
        if config.target_model:
            call["TargetModel"] = config.target_model
        try:
            answer = self.clients(config.attribution_role).invoke_endpoint(**call)
            data = answer["Body"].read()
        except ClientError as error:
            raise PredictionRefused(_refusal(config, error)) from error
        except BotoCoreError as error:
            raise PredictionRefused(
                f"The endpoint {config.endpoint_name} could not be asked: {error}."
            ) from error
        media_type = str(answer.get("ContentType", ""))
        return _predictions(config, columns, data, media_type, len(rows))


def _refusal(config: MonitorConfig, error: ClientError) -> str:
    code, message = code_of(error), message_of(error)
    said = f"The endpoint {config.endpoint_name} could not be asked: {code}: {message}"
    if code in ("AccessDenied", "AccessDeniedException"):
        return f"{said} Deploy the drift-monitor request again: its role may ask this endpoint."
    if code == "ModelError":
        return f"{said} Say in attribution.content_type how the model takes rows."
    return said


def _csv(rows: Sequence[Row]) -> bytes:
    return "\n".join(",".join(map(_field, row)) for row in rows).encode()


def _field(text: str) -> str:
    """A CSV field, in quotes only where it needs them: many containers do not know quotes."""
    if any(sign in text for sign in ',"\n\r'):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text


def _json(rows: Sequence[Row]) -> bytes:
    return json.dumps({"instances": [[_value(text) for text in row] for row in rows]}).encode()


def _value(text: str) -> float | int | str | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    if not np.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _predictions(
    config: MonitorConfig, columns: Sequence[str], data: bytes, content_type: str, rows: int
) -> Floats:
    """One number per row, read as a captured answer is read."""
    settings = config.attribution
    assert settings is not None
    where = f"the endpoint {config.endpoint_name}"
    text, is_json = data.decode("utf-8", "replace"), "json" in content_type.lower()
    if is_json and (plain := _plain_list(text, rows)) is not None:
        return plain
    side = {
        "observedContentType": content_type,
        "data": text,
        "encoding": "JSON" if is_json else "CSV",
    }
    record = {"captureData": {"endpointOutput": side}}
    try:
        outputs = CaptureReader(columns, config.records).read(json.dumps(record)).outputs
    except Unreadable as fault:
        raise PredictionRefused(f"The answer of {where} cannot be read: {fault}.") from fault
    name = settings.output or (PREDICTION if PREDICTION in outputs else f"{PREDICTION}.0")
    found = outputs.get(name)
    if found is None:
        known = ", ".join(sorted(outputs)) or "nothing that can be read"
        raise PredictionRefused(
            f"The answer of {where} has no {name!r} but {known}; say in attribution.output which "
            "of them is the prediction."
        )
    if len(found) != rows:
        raise PredictionRefused(
            f"T{where[1:]} was asked for {rows:,} predictions and gave {len(found):,}."
        )
    try:
        return np.array([float(text) for text in found], np.float64)
    except ValueError:
        raise PredictionRefused(
            f"The {name} of {where} is no number ({found[0][:40]!r}); attributions need a score. "
            "Say in attribution.output which part of the answer is one."
        ) from None


def _plain_list(text: str, rows: int) -> Floats | None:
    """``[0.2, 0.7, ...]``, which a capture reads as one row: here as many rows were asked for."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != rows:
        return None
    numbers = [one for one in found if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return np.array(numbers, np.float64) if len(numbers) == rows else None
