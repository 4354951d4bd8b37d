"""Writes the table of AWS's public images, from the image data that the SageMaker SDK carries.

The SDK names an image for a framework, its version, a scope, a processor and a region. Everything
that it can name for the frameworks below is asked once and written down, so that no function has to
carry the SDK (hundreds of megabytes) to look a line up. It runs where the SDK is, in the
environment that the oracle tests make from ``requirements-oracle.txt``:

    make oracle ARGS="-k images"                            # makes the environment, and compares
    .mlops/venvs/oracle-<hash>/bin/python tools/image_table.py          # writes the table
    .mlops/venvs/oracle-<hash>/bin/python tools/image_table.py --check  # fails when it differs
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parents[1] / "mlops_framework" / "images" / "table.json"

ALGORITHMS: Final = (
    "blazingtext",
    "factorization-machines",
    "forecasting-deepar",
    "image-classification",
    "ipinsights",
    "kmeans",
    "knn",
    "lda",
    "linear-learner",
    "ntm",
    "object-detection",
    "object2vec",
    "pca",
    "randomcutforest",
    "semantic-segmentation",
    "seq2seq",
)
"""SageMaker's own algorithms: one image for training and serving."""
FRAMEWORKS: Final = (
    "autogluon",
    "chainer",
    "huggingface",
    "mxnet",
    "pytorch",
    "sklearn",
    "sparkml-serving",
    "tensorflow",
    "vw",
    "xgboost",
)
ANALYZERS: Final = ("clarify", "model-monitor")
"""What SageMaker's monitors run."""

SAMPLES: Final = {"cpu": "ml.m5.large", "gpu": "ml.g5.xlarge", "arm": "ml.c7g.large"}
"""An instance type for each processor that an image may be for."""
DEFAULT_DOMAIN: Final = "amazonaws.com"


def sdk() -> Any:
    """The SDK's module that names images.

    Raises:
        SystemExit: If it is not installed in this environment.
    """
    try:
        images = importlib.import_module("sagemaker.core.image_uris")
    except ImportError as error:
        raise SystemExit(
            f"The SageMaker SDK is not in this environment ({error}). Run this with the Python of "
            ".mlops/venvs/oracle-<hash>, which `make oracle` makes."
        ) from None
    # It reads a file of up to 240 kB, and botocore's list of regions, again for every question.
    for holder, name in ((images, "config_for_framework"), (images.utils, "_botocore_resolver")):
        vars(holder)[name] = functools.cache(getattr(holder, name))
    return images


def table(images: Any) -> dict[str, Any]:
    """The whole table.

    Args:
        images: What :func:`sdk` gives.
    """
    registries: list[Mapping[str, str]] = []
    names = (*ALGORITHMS, *FRAMEWORKS, *ANALYZERS)
    document = {name: _scopes(images, name, registries) for name in sorted(names)}
    regions = sorted({region for registry in registries for region in registry})
    return {
        "source": f"sagemaker {importlib.metadata.version('sagemaker')}",
        "domains": _domains(images, regions),
        "registries": registries,
        "images": document,
    }


def _domains(images: Any, regions: list[str]) -> dict[str, str]:
    """The regions whose hosts do not end as most do."""
    found = {}
    for region in regions:
        endpoint = images.utils._botocore_resolver().construct_endpoint("ecr", region)
        # The SDK knows one region that its botocore did not, and takes the usual domain there.
        host = endpoint["hostname"] if endpoint else f"ecr.{region}.{DEFAULT_DOMAIN}"
        if not host.startswith(f"ecr.{region}."):
            raise SystemExit(f"{region}: unexpected host {host}")
        domain = host.removeprefix(f"ecr.{region}.")
        if domain != DEFAULT_DOMAIN:
            found[region] = domain
    return found


def _scopes(images: Any, name: str, registries: list[Mapping[str, str]]) -> dict[str, Any]:
    """Versions by scope; one entry ``any`` where training and inference have the same images."""
    config = images.config_for_framework(name)
    if "scope" in config:
        return {"any": _versions(images, name, config["scope"][0], config, registries)}
    found = {
        scope: _versions(images, name, scope, config[scope], registries)
        for scope in ("training", "inference", "processing")
        if scope in config
    }
    arm = config.get("inference_graviton")
    if arm:
        for version, named in _versions(
            images, name, "inference_graviton", arm, registries
        ).items():
            found["inference"].setdefault(version, {}).update(named)
    first, *others = found.values()
    return {"any": first} if all(other == first for other in others) else found


def _versions(
    images: Any,
    name: str,
    scope: str,
    config: Mapping[str, Any],
    registries: list[Mapping[str, str]],
) -> dict[str, Any]:
    """``{processor: [index of the accounts, repository and tag]}`` by version and alias."""
    found: dict[str, Any] = {}
    for version, arguments, entry in _asked(name, config):
        accounts = dict(sorted(entry["registries"].items()))
        if accounts not in registries:
            registries.append(accounts)
        named = _by_processor(images, name, scope, arguments, next(iter(accounts)))
        if named:
            place = registries.index(accounts)
            found[version] = {processor: [place, image] for processor, image in named.items()}
    return found


def _asked(
    name: str, config: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, str], Mapping[str, Any]]]:
    """Each version as we call it, what the SDK takes for it, and its data."""
    aliases = config.get("version_aliases", {})
    for version in [*config["versions"], *aliases]:
        entry = config["versions"][aliases.get(version, version)]
        if name != "huggingface":
            yield version, {"version": version, **_python(entry)}, _leaf(entry)
            continue
        inner = entry.get("version_aliases", {})
        bases = [key for key in entry if key != "version_aliases"]
        for base in [*bases, *inner]:
            data = entry[inner.get(base, base)]
            arguments = {"version": version, "base_framework_version": base, **_python(data)}
            yield f"{version}-{base}", arguments, _leaf(data)


def _python(entry: Mapping[str, Any]) -> dict[str, str]:
    """The newest Python of an image, where it says any."""
    offered = entry.get("py_versions") or ([] if "repository" in entry else list(entry))
    if not offered:
        return {}
    return {"py_version": max(offered, key=lambda word: (len(word), word))}


def _leaf(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return entry if "registries" in entry else entry[_python(entry)["py_version"]]


def _by_processor(
    images: Any, name: str, scope: str, arguments: Mapping[str, str], region: str
) -> dict[str, str]:
    processors = ("arm",) if scope == "inference_graviton" else ("cpu", "gpu")
    named: dict[str, str] = {}
    for processor in processors:
        try:
            uri = images.retrieve(
                name,
                region,
                instance_type=SAMPLES[processor],
                # The SDK adds the scope of an arm instance itself.
                image_scope="inference" if processor == "arm" else scope,
                **arguments,
            )
        except ValueError:
            continue  # There is no such image; what remains says for which processors there is.
        named[processor] = uri.partition("/")[2]
    if set(named) == {"cpu", "gpu"} and named["cpu"] == named["gpu"]:
        return {"any": named["cpu"]}
    return named


def main() -> int:
    """Runs the command line; the exit status is 1 when ``--check`` finds another table."""
    parser = argparse.ArgumentParser(
        prog="tools/image_table.py", description="Writes or checks the table of AWS's images."
    )
    parser.add_argument("--check", action="store_true", help="write nothing, fail when it differs")
    arguments = parser.parse_args()
    text = written(table(sdk()))
    if arguments.check:
        same = TABLE.exists() and TABLE.read_text(encoding="utf-8") == text
        if not same:
            print(f"{TABLE} differs from what the SDK says: run without --check", file=sys.stderr)
        return 0 if same else 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


def written(document: Mapping[str, Any]) -> str:
    """The table as text: one line for each list of accounts and each version."""
    lines = ["{", f' "source": {_line(document["source"])},']
    lines += [f' "domains": {_line(document["domains"])},', ' "registries": [']
    lines += [",\n".join(f"  {_line(accounts)}" for accounts in document["registries"]), " ],"]
    lines += [' "images": {']
    images = []
    for name, scopes in document["images"].items():
        inner = ",\n".join(
            f'   "{scope}": {{\n'
            + ",\n".join(f"    {_line(key)}: {_line(value)}" for key, value in versions.items())
            + "\n   }"
            for scope, versions in scopes.items()
        )
        images.append(f'  "{name}": {{\n{inner}\n  }}')
    lines += [",\n".join(images), " }", "}", ""]
    return "\n".join(lines)


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
