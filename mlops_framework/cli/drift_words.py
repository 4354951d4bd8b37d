"""How ``mlops drift check`` and ``explain`` put an evaluation into words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlops_framework.cli import screen
from mlops_framework.drift.findings import number, percent
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.report_tables import type_rows
from mlops_framework.drift.sections import Section
from mlops_framework.drift_check.counting import left_out

MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "location": (
        "Wilcoxon rank sum",
        "whether values are larger or smaller as a whole",
    ),
    "scale": ("Mood", "whether values spread out or draw together"),
    "shape": (
        "Kolmogorov-Smirnov",
        "whether the distribution differs anywhere, whatever the way",
    ),
    "shares": ("chi-square", "whether the known values are as frequent as before"),
    "missing": ("exact binomial", "whether values are absent more or less often"),
    "invalid": ("exact binomial", "whether text stands where numbers were"),
    "unseen": ("Good-Turing", "whether values occur that the baseline never had"),
    "data_type_check": ("Model Monitor", "whether values are of the constraint's type"),
    "completeness_check": ("Model Monitor", "whether records have a value"),
    "categorical_values_check": ("Model Monitor", "whether values are among the known ones"),
    "baseline_drift_check": ("Model Monitor", "how far the distribution is from the baseline's"),
    "range": ("exchangeability", "whether values lie beyond the baseline's smallest and largest"),
}
"""Each test of a column: its name in the literature, and what it finds out."""

_KINDS: Final[Mapping[str, str]] = {
    "numeric": "numeric",
    "codes": "codes: few distinct numbers, compared as categories and in order",
    "categories": "categories",
}
_ABOUT: Final[Mapping[str, str]] = {
    "model-quality": "(model)",
    "attribution": "(model)",
    "bias": "everybody",
}
"""What findings without a column are about."""
_WATCHED: Final[Mapping[str, str]] = {"model-quality": "model quality"}
_MOST_QUIET: Final = 20
_MOST_IGNORED: Final = 10


def show_check(document: Mapping[str, Any]) -> None:
    """The verdict, and a table with the worst column first."""
    _show_verdict(document)
    rows = _rows(document)
    if rows:
        screen.show_table(("Column", "What changed", "Effect", "q"), rows)
    quiet = sum(not column["drifted"] and bool(column["tests"]) for column in document["columns"])
    if quiet > _MOST_QUIET:
        screen.show_line(f"and {quiet - _MOST_QUIET} more columns without drift")


def show_sections(sections: Sequence[Section]) -> None:
    """What was judged beside the columns, and how it is."""
    told = [f"{_WATCHED.get(part.kind, part.kind)}: {part.verdict}" for part in sections]
    if told:
        screen.show_line(f"Also judged: {', '.join(told)}.")


def show_left_out(profile: Profile, ignored: Sequence[str]) -> None:
    """What was not compared, and why."""
    for line in left_out(profile):
        screen.show_line(line)
    if ignored:
        more = f" and {len(ignored) - _MOST_IGNORED} more" if len(ignored) > _MOST_IGNORED else ""
        names = ", ".join(name or "(no name)" for name in ignored[:_MOST_IGNORED])
        screen.show_line(f"Not compared, since the baseline does not have it: {names}{more}.")


def show_column(document: Mapping[str, Any], column: Mapping[str, Any]) -> None:
    """Everything about one column: its tests, and baseline and window side by side."""
    _show_verdict(document)
    screen.show_line(f"{column['name']}: {_KINDS[column['kind']]}")
    for finding in document["findings"]:
        if finding["column"] == column["name"]:
            screen.show_line(f"- {finding['sentence']}")
    if column["tests"]:
        head = ("Test", "By", "Finds out", "Effect", "Limit", "q", "Result")
        screen.show_table(head, (_test_row(test) for test in column["tests"]))
        screen.show_line(_how(document))
    else:
        screen.show_line("Too few values to test.")
    screen.show_table(("", "Baseline", "Window"), _summary_rows(column))
    _show_bars(column["bars"])
    if column["distances"]:
        told = (
            f"{name.replace('_', ' ')} {number(value)}"
            for name, value in column["distances"].items()
            if value is not None
        )
        screen.show_line(f"Distances, which describe and never decide: {', '.join(told)}.")


def _how(document: Mapping[str, Any]) -> str:
    if document.get("model_monitor", {}).get("decides"):
        return "Checks of Model Monitor's policy: one counts when its effect is beyond its limit."
    return (
        f"A test counts when its q is at most {document['method']['false_discovery_rate']:g} "
        "and its effect reaches its limit. q is the p-value adjusted for all tests of all "
        "columns; the effect is the share of the records that moved, or the change of a rate."
    )


def _show_bars(bars: Sequence[Mapping[str, Any]]) -> None:
    """Shares of groups of values; and, where times are known, between which they ordinarily lie."""
    if not bars:
        return
    hours = any("ordinary" in bar for bar in bars)
    head: tuple[str, ...] = ("Values", "Baseline", "Ordinary", "Window")
    rows = [
        (
            bar["label"],
            percent(bar["baseline"]),
            *([" to ".join(map(percent, bar["ordinary"]))] if hours else ()),
            percent(bar["window"]),
        )
        for bar in bars
    ]
    if not hours:
        head = (head[0], head[1], head[3])
    screen.show_table(head, rows)
    if hours:
        screen.show_line(
            "Ordinary is what nine of ten windows of the baseline had: hours, unless a request "
            "says how long windows are."
        )


def _show_verdict(document: Mapping[str, Any]) -> None:
    verdict = document["verdict"]
    screen.out().print(verdict, style=screen.COLOURS.get(verdict, "bold"))
    screen.show_line(document["summary"])


def _rows(document: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = [
        (
            finding["column"] or _ABOUT.get(finding["kind"], "(records)"),
            finding["sentence"].removeprefix(f"{finding['column']} ").rstrip("."),
            percent(finding["effect"]),
            probability(finding["q_value"]),
        )
        for finding in document["findings"]
        if finding["q_value"] is not None
    ]
    quiet = (column for column in document["columns"] if not column["drifted"])
    nearest = [(column["name"], _nearest(column["tests"])) for column in quiet if column["tests"]]
    nearest.sort(key=lambda item: -_reach(item[1]))
    rows += [
        (name, "no drift", percent(test["effect"]), probability(test["q_value"]))
        for name, test in nearest[:_MOST_QUIET]
    ]
    return rows


def _nearest(tests: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The test that comes nearest to counting."""
    return min(tests, key=lambda test: (test["q_value"], -_reach(test)))


def _reach(test: Mapping[str, Any]) -> float:
    return float(test["effect"]) / (float(test["threshold"]) or 1.0)


def _test_row(test: Mapping[str, Any]) -> tuple[str, ...]:
    by, finds = MEANINGS.get(test["test"], ("", ""))
    return (
        test["test"],
        by,
        finds,
        percent(test["effect"]),
        percent(test["threshold"]),
        probability(test["q_value"]),
        "drift" if test["breached"] else "",
    )


def _summary_rows(column: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    sides = (column["baseline"], column["window"])
    rows = [("records", *(f"{side['records']:,}" for side in sides))]
    rows.append(("missing", *(side["missing_share"] for side in sides)))
    if any(side["invalid"] for side in sides):
        rows.append(("not a number", *(f"{side['invalid']:,}" for side in sides)))
    if any(side["mean"] is not None for side in sides):
        rows += [
            (label, *(number(side[key]) for side in sides))
            for label, key in (
                ("mean", "mean"),
                ("standard deviation", "deviation"),
                ("smallest", "minimum"),
                ("largest", "maximum"),
            )
        ]
    return [*((label, before, after) for label, before, after in rows), *type_rows(column)]


def probability(value: float | None) -> str:
    """A q-value for people."""
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
