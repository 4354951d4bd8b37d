"""Binds the plane to the emulator: the only module that reaches into ministack.

ministack has no plugin interface, so this uses its module-level registries. It is pinned to one
exact version, every name used is looked up when the emulator starts, and a missing one stops the
start with a message that names it; ``tests/local/test_plane_binding.py`` holds one contract test
per registry.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_framework.local.plane.cloudformation import ResourceContext, ResourceType
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.record import Record
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope
from mlops_framework.local.plane.targets import TargetDelivery
from mlops_framework.local.plane.wire import Request, Response, Wire

_log = logging.getLogger(__name__)

EMULATOR_VERSION = "1.5.33"

# Everything of the emulator that is used here or in corrections.py, by module.
USED_NAMES: Mapping[str, tuple[str, ...]] = {
    "ministack.app": ("SERVICE_HANDLERS", "detect_service", "main"),
    "ministack.core.arn": ("parse_arn", "ArnParseError"),
    "ministack.core.concurrency": ("run_reentrant",),
    "ministack.core.lambda_runtime": ("_detect_runtime_binary",),
    "ministack.core.responses": ("get_account_id", "get_region", "request_scope"),
    "ministack.services.apigateway_v1": ("_update_method",),
    "ministack.services.eventbridge": (
        "_SCHEDULER_TICK_INTERVAL",
        "_invoke_target",
        "_pattern_event_view",
        "_put_events",
    ),
    "ministack.services.stepfunctions": ("_AWS_SDK_ERROR_PREFIX", "_AWS_SDK_SERVICE_MAP"),
    "ministack.services.scheduler": ("_SCHEDULE_TICK_INTERVAL",),
    "ministack.services.cloudformation.stacks": ("_runs_on_worker_thread",),
    "ministack.services.cloudformation.provisioners": (
        "_CUSTOM_NAME_REPLACEMENT",
        "_NAME_SEED",
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
    ),
}


class EmulatorMismatch(RuntimeError):
    """The installed emulator is not the one this plane was written against."""


def check_emulator() -> None:
    """Makes sure that every name used exists in the installed emulator.

    Raises:
        EmulatorMismatch: Names the version found and every missing name.
    """
    missing: list[str] = []
    for module_name, names in USED_NAMES.items():
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            missing.append(f"{module_name} ({error})")
            continue
        missing += [f"{module_name}.{name}" for name in names if not hasattr(module, name)]
    if missing:
        from importlib.metadata import version

        raise EmulatorMismatch(
            f"ministack {version('ministack')} is installed; the plane is written against "
            f"{EMULATOR_VERSION} and misses: {', '.join(missing)}. Install the locked "
            "requirements, or adapt mlops_framework/local/plane/binding.py."
        )


def put_event(
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str],
    scope: Scope,
) -> None:
    """Puts an event on the default bus, sources of AWS's own included (an ``EventSink``)."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, default=str),
        "Resources": list(resources),
    }
    with request_scope(scope.account, scope.region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def bind_services(services: Sequence[LocalService]) -> None:
    """Routes the services' requests to them, ahead of the emulator's own routing.

    Args:
        services: The plane's services.
    """
    from ministack import app
    from ministack.services import stepfunctions

    doors = {f"plane:{service.name}": (Wire(service.model), service) for service in services}
    emulators_own = app.detect_service

    def detect(method: str, path: str, headers: Any, query: Any) -> str:
        request = Request(method, path, headers)
        for key, (wire, _) in doors.items():
            if wire.claims(request):
                return key
        return str(emulators_own(method, path, headers, query))

    app.detect_service = detect
    # Keys of our own: under "sagemaker" the emulator would rewrite the content types of answers.
    for key, (wire, service) in doors.items():
        app.SERVICE_HANDLERS[key] = _handler(wire, service)
    # Step Functions calls SageMaker too; the emulator knows no SageMaker to call.
    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {
        "target_prefix": "SageMaker",
        "protocol": "json",
        "service_key": "plane:sagemaker",
    }
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"


def bind_resource_types(types: Sequence[ResourceType], host: PlaneHost) -> None:
    """Registers CloudFormation resource types.

    Args:
        types: One instance per type.
        host: Handed to them with each call.
    """
    from ministack.services.cloudformation import provisioners, stacks

    for kind in types:
        name = kind.type_name
        provisioners._RESOURCE_HANDLERS[name] = _cloudformation_handlers(kind, host)
        provisioners._REPLACING_PROPERTIES[name] = _Replacing(kind)
        if kind.name_property:
            provisioners._CUSTOM_NAME_REPLACEMENT[name] = {"name": kind.name_property}
        if kind.tags:
            provisioners._STACK_TAG_PROPERTY[name] = (kind.tags, "list")
    ours = {kind.type_name for kind in types}
    emulators_own = stacks._runs_on_worker_thread

    # Our handlers call the emulator's own endpoint, so they must not block its event loop.
    def runs_on_worker_thread(resource_type: str) -> bool:
        return resource_type in ours or bool(emulators_own(resource_type))

    stacks._runs_on_worker_thread = runs_on_worker_thread


def bind_targets(delivery: TargetDelivery) -> None:
    """Lets EventBridge rules and Scheduler schedules reach the plane's services.

    Args:
        delivery: Knows the targets that the emulator does not.
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge

    emulators_own = eventbridge._invoke_target

    def invoke(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        scope = Scope(get_account_id(), get_region())
        target = delivery.filled_in(target, event)
        if not delivery.carries(target.get("Arn", "")):
            emulators_own(target, event, rule, view)
            return
        # The event as the emulator would deliver it: same decoding, same Input rules.
        view = view or eventbridge._pattern_event_view(event)
        delivery.deliver(target, view.event_with_detail(), scope, (rule or {}).get("Arn", ""))

    eventbridge._invoke_target = invoke


def bind_lambda_python(interpreter: str, prelude: str = "") -> None:
    """Runs Python functions on an interpreter of their own instead of the emulator's.

    Args:
        interpreter: A Python whose environment holds what AWS's runtime brings, and no more.
        prelude: Python source that each function's process runs first.
    """
    from ministack.core import lambda_runtime

    emulators_own = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        binary, worker = emulators_own(runtime)
        if not runtime.startswith("python"):
            return binary, worker
        return interpreter, prelude + worker

    lambda_runtime._detect_runtime_binary = detect


def bind_record(record: Record) -> None:
    """Writes down every resource that CloudFormation makes, changes or deletes.

    Args:
        record: Where to.
    """
    from ministack.services.cloudformation import provisioners

    for kind, handlers in provisioners._RESOURCE_HANDLERS.items():
        _record_resource(record, kind, handlers)


def _record_resource(record: Record, kind: str, handlers: dict[str, Any]) -> None:
    emulators_own = dict(handlers)

    def created(logical_id: str, properties: Any, stack: str) -> Any:
        made = emulators_own["create"](logical_id, properties, stack)
        note("create", stack, logical_id, made, properties)
        return made

    def updated(physical_id: str, before: Any, after: Any, stack: str, *logical_id: Any) -> Any:
        made = emulators_own["update"](physical_id, before, after, stack, *logical_id)
        note("update", stack, (*logical_id, "")[0], made or (physical_id, {}), after)
        return made

    def deleted(physical_id: str, properties: Any, *logical_id: Any) -> Any:
        done = emulators_own["delete"](physical_id, properties, *logical_id)
        note("delete", "", (*logical_id, "")[0], (physical_id, {}), properties)
        return done

    def note(event: str, stack: str, logical_id: Any, made: Any, properties: Any) -> None:
        physical_id, attributes = made
        record.resource(
            event,
            kind,
            stack=stack,
            logical_id=logical_id or "",
            physical_id=physical_id,
            properties=properties or {},
            attributes=attributes or {},
        )

    # Not every type has all three.
    ours = {"create": created, "update": updated, "delete": deleted}
    handlers |= {event: noting for event, noting in ours.items() if event in handlers}


class _Replacing:
    """The emulator's table of replacing properties, for one of our types."""

    def __init__(self, kind: ResourceType) -> None:
        self._kind = kind

    def __contains__(self, name: object) -> bool:
        if "*" in self._kind.replaced_by:
            return name != self._kind.tags
        return name in self._kind.replaced_by

    def __iter__(self) -> Any:
        return iter(self._kind.replaced_by)


def _handler(wire: Wire, service: LocalService) -> Any:
    from ministack.core.concurrency import run_reentrant
    from ministack.core.responses import get_account_id, get_region

    def answer(request: Request, scope: Scope) -> Response:
        try:
            call = wire.read(request)
            return wire.write(
                request, call.operation, service.call(call.operation, call.parameters, scope)
            )
        except AwsFault as fault:
            return wire.write_fault(request, fault)
        except Exception as error:
            _log.exception("%s failed", service.name)
            ours = AwsFault("InternalFailure", f"{type(error).__name__}: {error}", 500)
            return wire.write_fault(request, ours)

    async def handle(
        method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> tuple[int, dict[str, str], bytes]:
        request = Request(method, path, headers, body, query)
        scope = Scope(get_account_id(), get_region())
        # A thread of its own: an operation may call the emulator back.
        response = await run_reentrant(answer, request, scope)
        return response.status, response.headers, response.body

    return handle


def _cloudformation_handlers(kind: ResourceType, host: PlaneHost) -> dict[str, Any]:
    from ministack.core.responses import get_account_id, get_region
    from ministack.services.cloudformation import provisioners

    def context(stack_name: str, logical_id: str | None) -> ResourceContext:
        scope = Scope(get_account_id(), get_region())
        seed = str(provisioners._NAME_SEED.get())
        return ResourceContext(host, scope, stack_name, logical_id or "", seed)

    def checked(created: tuple[str, Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = created
        undeclared = sorted(set(attributes) - kind.attributes)
        if undeclared:
            raise RuntimeError(f"{kind.type_name} returned undeclared attributes {undeclared}")
        return physical_id, dict(attributes)

    def create(logical_id: str, properties: Any, stack_name: str) -> tuple[str, dict[str, Any]]:
        return checked(kind.create(properties, context(stack_name, logical_id)))

    def update(
        physical_id: str, before: Any, after: Any, stack_name: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        return checked(kind.update(physical_id, before, after, context(stack_name, logical_id)))

    def delete(physical_id: str, properties: Any, logical_id: str | None) -> None:
        kind.delete(physical_id, properties, context("", logical_id))

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
        "delete_with_logical_id": True,
    }


def serve() -> None:
    """Runs the emulator in this thread until it is told to stop (SIGTERM, SIGINT)."""
    from ministack import app

    app.main()
