"""Drift over time, from stored reports."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from mlops_framework.drift.history import Entry, drifted_by, entry_of, history_page
from tests.unit.drift.test_service import LIKE, UNLIKE, World


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """A healthy hour, one that drifted, and one without data."""
    world = World()
    world.drift.build_baseline(world.config.name)
    world.evaluate("2026-03-01T12:00:00Z")
    for hour, rows in (("13", LIKE), ("14", UNLIKE)):
        world.capture(f"2026-03-01T{hour}:05:00Z", rows)
        world.evaluate(f"2026-03-01T{int(hour) + 1}:15:00Z")
    world.evaluate("2026-03-01T16:15:00Z")
    return [
        entry_of(world.document(f"reports/2026/03/01/{hour}00/report.json"))
        for hour in (13, 14, 15)
    ]


class Tags(HTMLParser):
    """Whether every tag is closed, and what is fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_becomes_one_row(entries: list[Entry]) -> None:
    assert [entry["verdict"] for entry in entries] == ["healthy", "drift", "no-data"]
    assert [entry["records"] for entry in entries] == [500, 500, 0]
    assert entries[1]["features"] == ["income"]
    assert entries[1]["largest_effect"] > 0.3
    assert entries[1]["columns"]["income"] > 1 > entries[1]["columns"]["colour"]
    assert set(entries[2]["columns"].values()) == {0.0}


def test_a_row_says_what_drifted_even_where_it_is_no_column_of_that_window(
    entries: list[Entry],
) -> None:
    assert [drifted_by(entry) for entry in entries] == ["", "income", ""]
    slow = entries[1] | {"features": [], "summary": "Drift in 14:00. Values of age are higher."}
    assert drifted_by(slow) == "Values of age are higher."


def test_the_page_stands_by_itself_and_says_first_what_matters(entries: list[Entry]) -> None:
    page = history_page("churn <prod>", entries)
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.fetched) == ([], [])
    assert "churn &lt;prod&gt;" in page
    assert page.index("1 of 3 windows drifted") < page.index("<svg")
    # One window in the timeline, and its column below.
    assert page.count('<rect class="bad"') == 2
    notable, everything = page.split("Windows to look at")[1].split("Every window")
    assert "income" in notable
    assert ">healthy<" not in notable
    assert ">healthy<" in everything


def test_windows_without_drift_are_said_to_be_so(entries: list[Entry]) -> None:
    page = history_page("churn", entries[:1])
    assert "None of 1 windows drifted." in page
    assert '<header class="good">' in page
