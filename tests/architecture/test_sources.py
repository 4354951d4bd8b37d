from __future__ import annotations

import ast
from collections.abc import Callable

from .sources import ROOT, Module, outside_functions, product

FORBIDDEN_NAMES = {"common", "constants", "helpers", "misc", "util", "utils"}
LONGEST = 450

# Where the process environment may be read: what a function's settings and a person's command are
# for. The CDK CLI tells app.py in it where to write; the embedded AWS starts processes, and the
# bundler runs uv: both hand an environment on.
MAY_READ_ENVIRON = (
    "app",
    "mlops_framework.settings",
    # Runs inside CodeBuild, which hands over everything in variables and shows what is printed.
    "mlops_framework.blueprints.image_builder.build_script",
    "mlops_framework.cli",
    "mlops_framework.local",
    "mlops_framework.cdk.bundling",
    "lambdas.*.settings",
    "lambdas.*.wiring",
)
# Synthesis has to give the same bytes twice, and the drift engine the same verdict.
WITHOUT_CLOCK = (
    "app",
    "mlops_framework.blueprints",
    "mlops_framework.cdk",
    "mlops_framework.contracts",
    "mlops_framework.delivery",
    "mlops_framework.discovery",
    "mlops_framework.drift",
    "mlops_framework.environments",
    "mlops_framework.model_build",
    "mlops_framework.naming",
    "mlops_framework.registry",
    "stacks",
)
CLOCKS = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "time.monotonic",
    "time.time",
    "time.time_ns",
    "random.random",
    "secrets.token_hex",
    "uuid.uuid1",
    "uuid.uuid4",
}
# May print: the command line, what runs in a process of its own with its output as log, and a
# function's wiring, which hands bare lines (embedded metrics) to the log.
MAY_PRINT = (
    "mlops_framework.blueprints.image_builder.build_script",
    "mlops_framework.cli",
    "mlops_framework.local.process",
    "mlops_framework.local.runner",
    "lambdas.*.wiring",
)
AT_IMPORT = {"client", "getenv", "mkdir", "open", "read_bytes", "read_text", "resource", "urlopen"}


def ends_with(node: ast.AST, names: set[str]) -> bool:
    text = ast.unparse(node)
    return any(text == name or text.endswith(f".{name}") for name in names)


def reads_environ(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(a.name in {"environ", "getenv"} for a in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}


def places(
    chosen: Callable[[Module], bool], wrong: Callable[[ast.AST], bool], *, deep: bool = True
) -> list[str]:
    """Where the chosen modules have a node that is wrong, everywhere or at import time alone."""
    return [
        module.at(node)
        for module in product()
        if chosen(module)
        for node in (ast.walk(module.tree) if deep else outside_functions(module.tree))
        if wrong(node)
    ]


def calls(names: set[str]) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, ast.Call) and ends_with(node.func, names)


def test_the_environment_is_read_in_settings_and_the_command_line_alone() -> None:
    assert not places(lambda module: not module.within(*MAY_READ_ENVIRON), reads_environ)


def test_synthesis_and_drift_have_no_clock_and_no_dice() -> None:
    assert not places(lambda module: module.within(*WITHOUT_CLOCK), calls(CLOCKS))


def test_importing_a_module_touches_neither_disk_nor_network_nor_clock() -> None:
    assert not places(lambda _: True, calls(AT_IMPORT | CLOCKS), deep=False)
    assert not places(
        lambda module: not module.name.endswith("__main__"), reads_environ, deep=False
    )


def test_nothing_but_the_command_line_prints() -> None:
    assert not places(
        lambda module: not module.within(*MAY_PRINT) and module.name != "app", calls({"print"})
    )


def test_a_module_is_short_enough_to_know_at_a_glance() -> None:
    lengths = {module.name: len(module.path.read_text().splitlines()) for module in product()}

    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}


def test_a_module_has_a_name_that_says_what_it_is_about() -> None:
    vague = [
        module.name
        for module in product()
        if FORBIDDEN_NAMES & {part.strip("_") for part in module.name.split(".")}
    ]

    assert not vague


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(module.path.relative_to(ROOT))
        for module in product()
        if module.path.name == "__init__.py" and not ast.get_docstring(module.tree)
    ]

    assert not silent
