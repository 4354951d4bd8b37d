"""The List operations: filters, order and pages, the same for every kind of record."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import invalid

_TIMES = ("CreationTime", "LastModifiedTime")
_PAGE = 100


def page(
    records: Iterable[Mapping[str, Any]],
    request: Mapping[str, Any],
    *,
    name: str,
    status: str = "",
    newest_first: bool = True,
) -> tuple[list[dict[str, Any]], str | None]:
    """Choose what a List operation returns.

    Args:
        records: everything of the kind.
        request: the request, with whichever of `NameContains`, `…After`, `…Before`,
            `StatusEquals`, `SortBy`, `SortOrder`, `MaxResults`, `NextToken` the operation has.
        name: the record's member that holds its name.
        status: the member that holds its status.
        newest_first: the order where the request names none.

    Returns:
        Copies of the records of this page, and the token of the next one.

    Raises:
        AwsFault: the token is not one of ours.
    """
    chosen = [record for record in records if _matches(record, request, name, status)]
    by = {"Name": name, "Status": status}.get(
        request.get("SortBy", ""), request.get("SortBy", "CreationTime")
    )
    descending = request.get("SortOrder", "Descending" if newest_first else "Ascending")
    chosen.sort(key=lambda record: record.get(by) or record["CreationTime"])
    if descending == "Descending":
        chosen.reverse()
    start = _start(request.get("NextToken"))
    end = start + request.get("MaxResults", _PAGE)
    token = base64.b64encode(str(end).encode()).decode() if end < len(chosen) else None
    return [copy.deepcopy(dict(record)) for record in chosen[start:end]], token


def _matches(record: Mapping[str, Any], request: Mapping[str, Any], name: str, status: str) -> bool:
    wanted = request.get("NameContains")
    if wanted and wanted.lower() not in str(record.get(name, "")).lower():
        return False
    if "StatusEquals" in request and record.get(status) != request["StatusEquals"]:
        return False
    for time in _TIMES:
        moment = record.get(time)
        after, before = request.get(f"{time}After"), request.get(f"{time}Before")
        if (after and moment <= after) or (before and moment >= before):
            return False
    return True


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise invalid(f"The token {token!r} is not one that this operation returned.") from None
