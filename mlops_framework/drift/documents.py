"""Reading and writing the parts that stored documents share; versions are checked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from mlops_framework.drift.columns import (
    UNSEEN_LIMIT,
    ColumnCounts,
    ColumnSpec,
    Kind,
    code_edges,
    distinct_edges,
)
from mlops_framework.drift.distinct import Distinct
from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.sample import Sample

TYPES: Final = ("whole", "fractional", "boolean", "textual")
"""The types of values, as counts and documents name them."""


def expect(document: Mapping[str, Any], kind: str, version: int, source: str) -> None:
    """Check what a stored document says it is.

    Raises:
        DocumentInvalid: If it is another kind or version.
    """
    found = (document.get("kind"), document.get("version"))
    if found != (kind, version):
        raise DocumentInvalid(
            f"{source} says kind {found[0]!r}, version {found[1]!r}; this release reads kind "
            f"{kind!r}, version {version}. Build it again with this release."
        )


@contextmanager
def member(source: str) -> Iterator[None]:
    """Turn a missing or malformed member into :class:`DocumentInvalid`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DocumentInvalid(
            f"{source} is damaged ({type(error).__name__}: {error}). Delete it and let it be "
            "written again."
        ) from error


def spec_to(spec: ColumnSpec) -> dict[str, Any]:
    """A column's cells as JSON; what is usual is left out."""
    document: dict[str, Any] = {"name": spec.name, "kind": spec.kind}
    if spec.kind == "categories":
        return document | {"categories": list(spec.categories), "buckets": spec.buckets}
    document |= {"centre": spec.centre, "exponent": spec.exponent}
    if spec.whole:
        document["whole"] = True
    if spec.kind == "codes":
        document["codes"] = list(spec.codes)
        if spec.edges == code_edges(spec.codes):  # of baselines of earlier releases
            return document
    return document | {"edges": list(spec.edges)}


def spec_from(document: Mapping[str, Any]) -> ColumnSpec:
    """Read what :func:`spec_to` wrote."""
    kind: Kind = document["kind"]
    codes = tuple(float(code) for code in document.get("codes", ()))
    edges = distinct_edges(float(edge) for edge in document.get("edges", ()))
    return ColumnSpec(
        str(document["name"]),
        kind,
        edges or code_edges(codes),
        codes,
        tuple(document.get("categories", ())),
        int(document.get("buckets", 1)),
        float(document.get("centre", 0.0)),
        int(document.get("exponent", 0)),
        bool(document.get("whole", False)),
    )


def counts_to(counts: ColumnCounts) -> dict[str, Any]:
    """A column's counts as JSON; what is empty is left out."""
    document: dict[str, Any] = {"records": counts.records, "cells": list(counts.cells)}
    optional: dict[str, Any] = {
        "missing": counts.missing,
        "invalid": counts.invalid,
        "exponent": counts.exponent,
        # Text: they outgrow the whole numbers that other readers of JSON keep exact.
        "sum": str(counts.total) if counts.total else "",
        "squares": str(counts.squares) if counts.squares else "",
        "unseen": sample_to(counts.unseen) if counts.unseen.total else None,
        "distinct": counts.distinct.to_text(),
        "whole": counts.whole,
        "fractional": counts.fractional,
        "boolean": counts.boolean,
        "textual": counts.textual,
    }
    document |= {key: value for key, value in optional.items() if value}
    if counts.minimum is not None:
        document |= {"min": counts.minimum, "max": counts.maximum}
    return document


def counts_from(document: Mapping[str, Any]) -> ColumnCounts:
    """Read what :func:`counts_to` wrote."""
    return ColumnCounts(
        int(document["records"]),
        int(document.get("missing", 0)),
        int(document.get("invalid", 0)),
        tuple(map(int, document["cells"])),
        int(document.get("sum", 0)),
        int(document.get("squares", 0)),
        None if "min" not in document else float(document["min"]),
        None if "max" not in document else float(document["max"]),
        sample_from(document["unseen"]) if "unseen" in document else Sample(UNSEEN_LIMIT),
        int(document.get("exponent", 0)),
        Distinct.from_text(document.get("distinct", "")),
        *(int(document.get(name, 0)) for name in TYPES),
    )


def sample_to(sample: Sample) -> dict[str, Any]:
    """A sample as JSON."""
    return {"limit": sample.limit, "total": sample.total, "counts": dict(sample.counts)}


def sample_from(document: Mapping[str, Any]) -> Sample:
    """Read what :func:`sample_to` wrote."""
    return Sample(int(document["limit"]), dict(document["counts"]), int(document["total"]))
