"""One model server: /ping and /invocations on 127.0.0.1 around the user's model.

The handler functions (`model_fn`, `input_fn`, `predict_fn`, `output_fn` or `transform_fn`) are
found and called by `sagemaker_inference.transformer.Transformer`, which the framework images use.
The server listens on a free port and writes it to output/serving.json once the model is loaded; a
model that does not load ends the server, with the reason in its log and in output/failure.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from . import lifeline, optml, source
from .errors import UserError


class RequestContext:
    """What the transformer asks of a model server for one request."""

    def __init__(self, model_dir: Path, headers: Mapping[str, str]) -> None:
        """Start with a successful answer.

        Args:
            model_dir: the unpacked model artefact.
            headers: the request's headers.
        """
        self.system_properties = {"model_dir": str(model_dir), "gpu_id": None}
        self.request_processor = [self]
        self.status = 200
        self.content_type = "application/json"
        self._headers = dict(headers)

    def get_request_properties(self) -> dict[str, str]:
        """The request's headers."""
        return self._headers

    def get_request_header(self, _index: int, name: str) -> str | None:
        """One header of the request."""
        wanted = name.lower()
        return next((v for k, v in self._headers.items() if k.lower() == wanted), None)

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """Take the transformer's status."""
        self.status = int(code)

    def set_response_content_type(self, _index: int, value: str) -> None:
        """Take the answer's content type."""
        self.content_type = value


class ModelServer(ThreadingHTTPServer):
    """The HTTP server; one prediction at a time, as in one worker of the framework image."""

    daemon_threads = True

    def __init__(self, transformer: Any, model_dir: Path) -> None:
        """Listen on a free port of 127.0.0.1.

        Args:
            transformer: a loaded `sagemaker_inference` transformer.
            model_dir: the unpacked model artefact.
        """
        super().__init__(("127.0.0.1", 0), _Handler)
        self.transformer = transformer
        self.model_dir = model_dir
        self.one_at_a_time = threading.Lock()

    def transform(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """Answer one request.

        Args:
            body: its payload.
            headers: its headers.

        Returns:
            Status, content type and payload of the answer.
        """
        context = RequestContext(self.model_dir, headers)
        with self.one_at_a_time:
            (answer,) = self.transformer.transform([{"body": body}], context)
        if context.status >= 400:
            print(answer, file=sys.stderr, flush=True)
            context.content_type = "text/plain"
        payload = answer.encode() if isinstance(answer, str) else bytes(answer)
        return context.status, context.content_type, payload


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._answer(200, "application/json", b"\n")
        else:
            self._answer(404, "text/plain", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/invocations":
            self._answer(404, "text/plain", b"")
            return
        status, content_type, payload = self.server.transform(body, dict(self.headers.items()))
        self._answer(status, content_type, payload)
        print(f'"POST /invocations" {status} {len(payload)}', flush=True)

    def _answer(self, status: int, content_type: str, payload: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent: a ping every few seconds is no news, invocations are told above."""


def main(arguments: list[str]) -> int:
    """Serve the model whose folder is given until the process is ended.

    Args:
        arguments: the one folder that is to be /opt/ml; its `model` holds the unpacked artefact.

    Returns:
        1 when the model cannot be loaded.
    """
    return serve(arguments, load)


def serve(arguments: list[str], open_server: Callable[[Path], ModelServer]) -> int:
    """Open a server and let it answer until the process is ended.

    Args:
        arguments: the one folder that is to be /opt/ml.
        open_server: given /opt/ml, or the folder that stands for it; a listening server.

    Returns:
        1 when the model cannot be loaded.
    """
    view = optml.enter(Path(arguments[0]))
    lifeline.hold()
    output = view.base / "output"
    output.mkdir(parents=True, exist_ok=True)
    try:
        server = open_server(view.base)
    except Exception as error:
        told = traceback.format_exc() if not isinstance(error, UserError) else str(error)
        print(view.explain(told), file=sys.stderr, flush=True)
        reason = str(error).strip() or type(error).__name__
        if not isinstance(error, UserError):
            reason = f"{type(error).__name__}: {reason}"
        (output / "failure").write_text(view.explain(reason))
        return 1
    port = server.server_address[1]
    ready = output / "serving.new"
    ready.write_text(json.dumps({"port": port}))
    ready.replace(output / "serving.json")
    print(f"Serving on 127.0.0.1:{port}", flush=True)
    server.serve_forever()
    return 0


def load(base: Path) -> ModelServer:
    """Fetch the user's code, load the model and open the server.

    Args:
        base: /opt/ml, or the folder that stands for it.

    Returns:
        A listening server.

    Raises:
        UserError: the code or its requirements cannot be had.
        Exception: whatever the user's module or its `model_fn` raised.
    """
    model_dir = base / "model"
    if base != optml.OPT_ML:
        os.environ["SAGEMAKER_BASE_DIR"] = str(base)
    name = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    code = _code(base, model_dir)
    packages = base / ".packages"
    if code.is_dir():
        source.install(code, name, packages)
    sys.path[:0] = [str(code), *([str(packages)] if packages.exists() else [])]
    if "SAGEMAKER_PROGRAM" in os.environ and not (code / name).is_file():
        raise UserError(
            f"SAGEMAKER_PROGRAM is {name!r}, but {code} holds no such file. Put it in the model "
            f"archive's code/ folder, or name the archive that has it in "
            f"SAGEMAKER_SUBMIT_DIRECTORY."
        )

    # Only here: the toolkit reads SAGEMAKER_BASE_DIR when it is imported.
    from sagemaker_inference.transformer import Transformer

    from .sklearn_handler import SklearnHandler

    transformer = Transformer(default_inference_handler=SklearnHandler())
    transformer.validate_and_initialize(
        model_dir=str(model_dir), context=RequestContext(model_dir, {})
    )
    return ModelServer(transformer, model_dir)


def _code(base: Path, model_dir: Path) -> Path:
    """The folder of the user's module: its own archive's, or the model archive's code/."""
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        source.fetch(submitted, base / "code")
        return base / "code"
    if submitted.startswith("file://"):
        submitted = submitted.removeprefix("file://")
    inside = submitted.removeprefix(f"{optml.OPT_ML}/")
    return base / inside if inside else model_dir / "code"
