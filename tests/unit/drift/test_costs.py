"""What the documentation says of costs is what is computed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COSTS = runpy.run_path(str(ROOT / "bench" / "drift_costs.py"), run_name="drift_costs")


@pytest.mark.parametrize(
    "table", ["monthly_table", "arithmetic_table", "billion_table", "labels_table"]
)
def test_the_tables_of_the_documentation_are_those_that_the_script_prints(table: str) -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert COSTS[table]() in page, "run bench/drift_costs.py and put its tables into the page"


@pytest.mark.parametrize("rows", [10_000, 100_000, 1_000_000])
def test_an_endpoint_costs_less_than_model_monitor_on_its_smallest_instance(rows: int) -> None:
    theirs = COSTS["model_monitor_month"]("ml.m5.large").cost
    assert sum(item.cost for item in COSTS["endpoint_month"](rows)) < theirs


def test_each_line_of_a_bill_is_what_its_arithmetic_gives() -> None:
    bill = [*COSTS["endpoint_month"](1_000_000), *COSTS["billion_rows"]()]
    bill += COSTS["billion_labels"]()
    for item in bill:
        sides = item.how.replace(",", "").replace("×", "*").replace("2 KB", "2e-6")
        for word in (
            " GB-s",
            " GB",
            " s ",
            "/GB",
            " captures",
            " profiles and parts",
            " children",
            " labels",
            " tables",
        ):
            sides = sides.replace(word, " ")
        sides = sides.replace(" profiles", " ").replace(" parts", " ")
        assert eval(sides) == pytest.approx(item.cost, rel=0.01)
