"""Which operations our functions' code calls, read from the adapters that they import.

So the table of ``calls.py`` covers what a function may do some day, not only what tests make it do.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[2]
_ADAPTERS = "mlops_framework.aws"


def used(operations: Mapping[str, object]) -> set[str]:
    """Names of boto3's methods that the code of a function calls, ``get_object`` for example.

    Args:
        operations: Keys ``<service>.<Operation>``; methods of these services are looked for.
    """
    session = botocore.session.get_session()
    methods = {
        xform_name(operation)
        for service in {key.partition(".")[0] for key in operations}
        for operation in session.get_service_model(service).operation_names
    }
    return {name for module in _modules() for name in _called(module) if name in methods}


def services() -> set[str]:
    """Names of the services that functions make clients of."""
    return {
        str(node.args[0].value)
        for file in sorted((ROOT / "lambdas").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "client"
        and isinstance(node.args[0], ast.Constant)
    }


def _modules() -> set[Path]:
    found: set[Path] = set()
    waiting = sorted((ROOT / "lambdas").rglob("*.py"))
    while waiting:
        for name in _imported(waiting.pop()):
            module = ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith(f"{_ADAPTERS}.") and module.is_file() and module not in found:
                found.add(module)
                waiting.append(module)
    return found


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _called(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        yield node.func.attr
        if node.func.attr in ("get_paginator", "get_waiter") and node.args:
            assert isinstance(node.args[0], ast.Constant), f"{file}:{node.lineno}: name it here"
            yield str(node.args[0].value)
