"""How requests and responses travel: AWS JSON 1.1, RPC v2 CBOR and REST-JSON.

One :class:`Wire` per service tells whether an HTTP request is for it, reads operation and
parameters out of it, and writes the response or the error the way botocore will read it.
Which protocol a caller picks is its botocore's choice (newer ones speak CBOR to CodePipeline),
so a service answers in the protocol it was asked in.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from mlops_framework.local.plane import shapes
from mlops_framework.local.plane.service import AwsFault

_SIGNED_FOR = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")


@dataclass(frozen=True)
class Request:
    """An HTTP request, as the emulator hands it on.

    Attributes:
        method: Upper case.
        path: Decoded path without the query.
        headers: Names in lower case.
        body: The raw body.
        query: Query parameters, each with its values.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """What a request asks for: an operation and its wire parameters."""

    operation: str
    parameters: Mapping[str, Any]


class Wire:
    """The protocols of one service."""

    def __init__(self, model: ServiceModel) -> None:
        """Chooses by AWS's model.

        Args:
            model: botocore's model of the service.

        Raises:
            ValueError: The model names a protocol this plane does not speak.
        """
        self._model = model
        protocol = model.metadata["protocol"]
        if protocol not in ("json", "rest-json", "smithy-rpc-v2-cbor"):
            raise ValueError(
                f"The plane speaks json, rest-json and smithy-rpc-v2-cbor; "
                f"{model.service_name!r} needs {protocol!r}."
            )
        self._rest = protocol == "rest-json"
        self._routes = _routes(model) if self._rest else []

    def claims(self, request: Request) -> bool:
        """Tells whether the request is for this service."""
        if not self._rest:
            prefix = self._model.metadata["targetPrefix"]
            target = request.headers.get("x-amz-target", "")
            return target.startswith(f"{prefix}.") or request.path.startswith(f"/service/{prefix}/")
        if "x-amz-target" in request.headers:
            return False
        signed = _SIGNED_FOR.search(request.headers.get("authorization", ""))
        return bool(
            signed
            and signed.group(1) == self._model.signing_name
            and any(route.match(request) for route in self._routes)
        )

    def read(self, request: Request) -> Call:
        """Reads operation and parameters.

        Raises:
            AwsFault: ``SerializationException`` for a body that is not what it claims to be.
        """
        if self._rest:
            route = next(route for route in self._routes if route.match(request))
            return Call(route.operation.name, route.parameters(request))
        if _speaks_cbor(request):
            name = request.path.rsplit("/", 1)[-1]
            return Call(name, _from_cbor(request.body))
        name = request.headers["x-amz-target"].split(".", 1)[1]
        return Call(name, _from_json(request.body))

    def write(self, request: Request, operation: str, answer: Mapping[str, Any]) -> Response:
        """Writes a response.

        Args:
            request: What it answers.
            operation: The operation's name.
            answer: The response, already checked against the model.
        """
        model = self._model.operation_model(operation)
        if self._rest:
            return _rest_response(model, answer)
        shape = model.output_shape
        if _speaks_cbor(request):
            value = shapes.encode(shape, answer, binary=True) if shape else {}
            return _cbor_response(200, value)
        value = shapes.encode(shape, answer) if shape else {}
        return _json_response(200, value, "application/x-amz-json-1.1")

    def write_fault(self, request: Request, fault: AwsFault) -> Response:
        """Writes an error."""
        members = {
            key: value for key, value in fault.members.items() if key not in ("message", "__type")
        }
        # Both spellings: services differ, and botocore looks for either.
        body = {"__type": fault.code, "message": fault.message, "Message": fault.message, **members}
        if self._rest:
            response = _json_response(fault.status, body, "application/json")
            response.headers["x-amzn-ErrorType"] = fault.code
            return response
        if _speaks_cbor(request):
            return _cbor_response(fault.status, body)
        return _json_response(fault.status, body, "application/x-amz-json-1.1")


class _Route:
    """One REST operation: its URI template and where its members travel."""

    def __init__(self, operation: OperationModel) -> None:
        self.operation = operation
        self._method = operation.http["method"]
        template = operation.http["requestUri"].split("?", 1)[0]
        pieces = re.split(r"(\{[^}]+\})", template)
        expression = "".join(
            (f"(?P<{piece.strip('{}+')}>" + (".+" if piece.endswith("+}") else "[^/]+") + ")")
            if piece.startswith("{")
            else re.escape(piece)
            for piece in pieces
        )
        self._expression = re.compile(expression)

    def match(self, request: Request) -> bool:
        return request.method == self._method and bool(self._expression.fullmatch(request.path))

    def parameters(self, request: Request) -> dict[str, Any]:
        shape = self.operation.input_shape
        matched = self._expression.fullmatch(request.path)
        if shape is None or matched is None:
            return {}
        payload = shape.serialization.get("payload")
        found: dict[str, Any] = {}
        body_members: dict[str, Any] = {}
        if payload is None and request.body:
            body_members = _from_json(request.body)
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            spelt = member.serialization.get("name", name)
            if location == "uri":
                found[name] = unquote(matched.group(spelt))
            elif location == "header":
                if (value := request.headers.get(spelt.lower())) is not None:
                    found[name] = _from_text(member.type_name, value)
            elif location == "querystring":
                if values := request.query.get(spelt):
                    listed = member.type_name == "list"
                    found[name] = values if listed else _from_text(member.type_name, values[0])
            elif name == payload:
                blob = member.type_name == "blob"
                found[name] = request.body if blob else _from_json(request.body)
            elif spelt in body_members:
                found[name] = body_members[spelt]
        return found


def _routes(model: ServiceModel) -> list[_Route]:
    return [_Route(model.operation_model(name)) for name in model.operation_names]


def _rest_response(model: OperationModel, answer: Mapping[str, Any]) -> Response:
    status = int(model.http.get("responseCode", 200))
    headers: dict[str, str] = {}
    shape = model.output_shape
    if shape is None:
        return Response(status, headers, b"")
    payload = shape.serialization.get("payload")
    rest: dict[str, Any] = {}
    body = b""
    for name, value in answer.items():
        member = shape.members[name]
        location = member.serialization.get("location")
        if location == "header":
            headers[member.serialization.get("name", name)] = _to_text(value)
        elif location == "statusCode":
            status = int(value)
        elif name == payload and member.type_name == "blob":
            body = bytes(value)
        elif name == payload:
            body = json.dumps(shapes.encode(member, value)).encode()
        else:
            rest[member.serialization.get("name", name)] = shapes.encode(member, value)
    if payload is None:
        body = json.dumps(rest).encode()
    headers.setdefault("Content-Type", "application/json")
    return Response(status, headers, body)


def _speaks_cbor(request: Request) -> bool:
    return request.headers.get("smithy-protocol") == "rpc-v2-cbor"


def _from_json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AwsFault("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise AwsFault("SerializationException", f"The body is a {kind}, not an object.")
    return value


def _from_cbor(body: bytes) -> dict[str, Any]:
    cbor2 = _cbor2()
    try:
        value = cbor2.loads(body) if body else {}
    except cbor2.CBORDecodeError as error:
        raise AwsFault("SerializationException", f"The body is not CBOR: {error}") from None
    return dict(value)


def _json_response(status: int, value: Any, content_type: str) -> Response:
    body = json.dumps(value).encode()
    return Response(status, {"Content-Type": content_type}, body)


def _cbor2() -> Any:
    # Only the emulator's environment holds it, hence not imported with this module.
    return importlib.import_module("cbor2")


def _cbor_response(status: int, value: Any) -> Response:
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    # datetime_as_timestamp: AWS sends tag 1 (epoch seconds), the only form botocore reads.
    return Response(status, headers, _cbor2().dumps(value, datetime_as_timestamp=True))


def _from_text(kind: str, value: str) -> Any:
    if kind in ("integer", "long"):
        return int(value) if re.fullmatch(r"-?\d+", value) else value
    if kind in ("float", "double"):
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def _to_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
