"""Reads the product's sources as syntax trees, so that rules are checked without importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("mlops_framework", "stacks", "lambdas")


@dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        name: Dotted, e.g. `mlops_framework.cdk.stack`; a package without `__init__`.
        path: Where it is.
        tree: What it says.
    """

    name: str
    path: Path
    tree: ast.Module

    def within(self, *rooms: str) -> bool:
        """Tells whether it is one of the rooms, which may hold `*`, or inside one."""
        return any(fnmatchcase(self.name, p) for room in rooms for p in (room, f"{room}.*"))

    def at(self, node: ast.AST) -> str:
        """Where in the checkout a node stands, as an editor opens it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """One import: which module, of what, where, and whether it only serves the type checker."""

    module: Module
    target: str
    place: str
    for_types: bool


@cache
def product() -> tuple[Module, ...]:
    """Every module of the product, as the working tree has it."""
    files = [*ROOT.glob("app.py")]
    for room in ROOMS:
        files += sorted((ROOT / room).rglob("*.py"))
    return tuple(_read(file) for file in files)


def _read(file: Path) -> Module:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return Module(".".join(parts), file, ast.parse(file.read_text(), str(file)))


def imports() -> Iterator[Import]:
    """Every import statement of the product, wherever in its file it stands."""
    for module in product():
        type_checking = {
            id(inner)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(module.tree):
            for target in _targets(module, node):
                yield Import(module, target, module.at(node), id(node) in type_checking)


def _targets(module: Module, node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    origin = node.module or ""
    if node.level:
        package = module.name.split(".")
        if module.path.name != "__init__.py":
            package.pop()
        package = package[: len(package) - node.level + 1]
        origin = ".".join([*package, *([origin] if origin else [])])
    return [f"{origin}.{alias.name}" for alias in node.names]


def belongs(target: str, package: str) -> bool:
    """Tells whether an imported name is of a package."""
    return target == package or target.startswith(f"{package}.")


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported: bodies of functions left out."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            continue
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, *node.args.defaults]
            waiting += [default for default in node.args.kw_defaults if default]
        elif not isinstance(node, ast.Lambda):
            waiting += list(ast.iter_child_nodes(node))
