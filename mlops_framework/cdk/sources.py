"""Which files of the repository a Lambda needs: its imports, followed to the end.

A bundle holds what its service imports and nothing else, so that a change elsewhere leaves the
bundle's hash alone and a forbidden import (CDK, the CLI, the local AWS) is found at synth, with the
chain of files that leads to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_framework.cdk.errors import BundleRefused

FORBIDDEN = (
    "aws_cdk",
    "constructs",
    "sagemaker",
    "mlops_framework.cdk",
    "mlops_framework.cli",
    "mlops_framework.local",
    "mlops_framework.testing",
)
"""Packages that have no business in a Lambda."""

_DATA_SUFFIXES = frozenset({".json", ".html", ".css", ".txt", ".typed"})


@dataclass(frozen=True)
class SourceTree:
    """Packages whose source may be copied into a bundle.

    Attributes:
        roots: Top-level package name to the folder that holds it, for example
            ``{"mlops_framework": <checkout>/mlops_framework}``.
    """

    roots: Mapping[str, Path]

    def needed_by(self, modules: Iterable[str]) -> dict[str, Path]:
        """Find every first-party file that the modules import, directly or not.

        Args:
            modules: Dotted names to start from.

        Returns:
            Path inside the bundle (with ``/``) to the file on disk, sorted.

        Raises:
            BundleRefused: A starting module does not exist, or a forbidden package is imported.
        """
        chains: dict[str, tuple[str, ...]] = {}
        pending: list[tuple[str, tuple[str, ...]]] = []
        for name in modules:
            if self._file(name) is None:
                raise BundleRefused(
                    f"there is no module {name}; looked below "
                    f"{', '.join(str(root) for root in self.roots.values())}"
                )
            pending.append((name, (name,)))
        while pending:
            name, chain = pending.pop()
            if name in chains:
                continue
            self._refuse_forbidden(name, chain)
            file = self._file(name)
            if file is None:
                continue
            chains[name] = chain
            pending += [(parent, (*chain, parent)) for parent in _parents(name)]
            pending += [
                (imported, (*chain, imported))
                for imported in _imports(file, name)
                if imported not in chains
            ]
        return dict(sorted(self._with_data(chains).items()))

    def _refuse_forbidden(self, name: str, chain: tuple[str, ...]) -> None:
        for package in FORBIDDEN:
            if name == package or name.startswith(package + "."):
                raise BundleRefused(
                    f"{' -> '.join(chain)}: a Lambda must not import {package}. Move what it needs "
                    "into a pure module."
                )

    def _file(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        root = self.roots.get(top)
        if root is None:
            return None
        base = root.joinpath(*rest)
        for candidate in (base / "__init__.py", base.with_name(base.name + ".py")):
            if candidate.is_file():
                return candidate
        # A folder without __init__.py is a namespace package: it holds modules, but no code.
        return None

    def _with_data(self, modules: Iterable[str]) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for module in modules:
            file = self._file(module)
            assert file is not None
            inside = module.replace(".", "/")
            if file.name == "__init__.py":
                files[f"{inside}/__init__.py"] = file
                for data in sorted(file.parent.iterdir()):
                    if data.suffix in _DATA_SUFFIXES and data.name != "requirements.txt":
                        files[f"{inside}/{data.name}"] = data
            else:
                files[f"{inside}.py"] = file
        return files


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def _imports(file: Path, module: str) -> Iterator[str]:
    """Names that ``file`` may import; ``from a import b`` gives both ``a`` and ``a.b``."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    pending: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"), str(file))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            pending += node.orelse
            continue
        pending += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def defines(file: Path, name: str) -> bool:
    """Tell whether a module binds ``name`` at its top level, without importing it."""
    for node in ast.parse(file.read_text(encoding="utf-8"), str(file)).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name == name:
                return True
        elif isinstance(node, ast.Assign):
            if any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
                return True
        elif isinstance(node, (ast.AnnAssign, ast.Import, ast.ImportFrom)) and name in _bound(node):
            return True
    return False


def _bound(node: ast.AnnAssign | ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.AnnAssign):
        return {node.target.id} if isinstance(node.target, ast.Name) else set()
    return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
