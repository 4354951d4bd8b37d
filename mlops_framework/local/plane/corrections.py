"""Where the emulator leaves out what AWS does and the product relies on it.

Each correction names what it corrects; it goes when the emulator does it itself.
"""

from __future__ import annotations

from typing import Any

_TICK_SECONDS = 1.0


def apply() -> None:
    """Applies every correction to the emulator in this process."""
    _keep_request_validators()
    _tick_every_second()


def _keep_request_validators() -> None:
    """``AWS::ApiGateway::Method`` drops ``RequestValidatorId``, so no body would be checked."""
    from ministack.services import apigateway_v1
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]
    create, update = handlers["create"], handlers["update"]

    def put(properties: dict[str, Any]) -> None:
        path, value = "/requestValidatorId", properties.get("RequestValidatorId")
        apigateway_v1._update_method(
            properties.get("RestApiId", ""),
            properties.get("ResourceId", ""),
            properties.get("HttpMethod", "ANY"),
            {"patchOperations": [{"op": "replace", "path": path, "value": value}]},
        )

    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        made = create(logical_id, properties, stack_name)
        put(properties)
        return made

    def updated(physical_id: str, before: Any, after: dict[str, Any], stack_name: str) -> Any:
        made = update(physical_id, before, after, stack_name)
        put(after)
        return made

    handlers["create"], handlers["update"] = created, updated


def _tick_every_second() -> None:
    """Schedules are looked at every ten seconds; AWS fires within the second or so."""
    from ministack.services import eventbridge, scheduler

    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS
    eventbridge._SCHEDULER_TICK_INTERVAL = _TICK_SECONDS
