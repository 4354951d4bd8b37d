"""Start one runner from the folder itself: `python <this folder> <kind> <arguments>`.

The folder loads itself under a name of its own, so that neither this framework nor the folder's
modules end up on the import path of the data scientist's program.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

KINDS = (
    *("training", "processing", "serving", "building"),
    *("xgboost_training", "xgboost_serving"),
)
PACKAGE = "mlops_local_runner"


def main(arguments: list[str]) -> int:
    """Run the named kind of job.

    Args:
        arguments: the kind, then what that kind takes.

    Returns:
        The exit status of the job; 2 for a wrong call.
    """
    if not arguments or arguments[0] not in KINDS:
        print(f"usage: python <runner folder> {{{'|'.join(KINDS)}}} ...", file=sys.stderr)
        return 2
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{folder} is not a package folder")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    status = importlib.import_module(f"{PACKAGE}.{arguments[0]}").main(arguments[1:])
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
