"""What watching for drift costs on AWS, computed from list prices and measured CPU seconds.

``.venv/bin/python bench/drift_costs.py`` prints the tables of ``docs/performance.md``. Prices are
those of us-east-1 without any free tier, discount or tax; what is measured and what is assumed says
so below, and everything else follows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# List prices, us-east-1, USD.
LAMBDA_GB_SECOND: Final = 0.0000133334  # arm64
LAMBDA_REQUEST: Final = 0.20e-6
S3_PUT: Final = 0.005e-3
S3_GET: Final = 0.0004e-3
S3_GB_MONTH: Final = 0.023
SQS_REQUEST: Final = 0.40e-6
EVENT: Final = 1.00e-6  # EventBridge: custom events; S3's are counted like them
SCHEDULE: Final = 1.00e-6  # EventBridge Scheduler, an invocation
METRIC: Final = 0.30  # CloudWatch, a metric and month
ALARM: Final = 0.10
LOG_GB: Final = 0.50
TRANSITION: Final = 0.025e-3  # Step Functions, standard
CHILD_TRANSITIONS: Final = 3  # of a standard child with one state: given out, entered, left
EXPRESS_REQUEST: Final = 1.00e-6
EXPRESS_GB_SECOND: Final = 0.00001667
INSTANCE_HOUR: Final[Mapping[str, float]] = {"ml.m5.large": 0.115, "ml.m5.xlarge": 0.23}

# Measured: docs/performance.md.
CPU_PER_MILLION_ROWS: Final = 2.5  # seconds of one core; 20 columns, raw capture JSON lines
CPU_PER_PROFILE: Final = (0.62 + 0.45) / 1000  # seconds: merged, and its JSON read
BYTES_PER_ROW: Final = 490  # 20 columns with their envelope

# Measured: mlops_framework/drift/ground_truth/README.md.
CPU_TO_TAKE_A_MILLION_LABELS: Final = 1.4  # seconds: read and stored
CPU_TO_SORT_OUT_A_MILLION: Final = 0.4  # rows and their labels, read for one part of a window
CPU_TO_JOIN_A_MILLION: Final = 3.4  # joined and counted
MB_PER_MILLION_ROWS: Final = 32  # predictions as they are kept
MB_PER_MILLION_LABELS: Final = 22

# Assumed.
VCPU_GB: Final = 1.769  # memory at which a function has one whole core
HOURS: Final = 730  # of a month
OBJECTS_PER_HOUR: Final[Mapping[int, int]] = {10_000: 60, 100_000: 60, 1_000_000: 240}
"""One a minute from each instance: one instance, one, and four."""
WAIT_PER_OBJECT: Final = 0.2  # seconds of a function: event, reading, writing
S3_MB_PER_SECOND: Final = 80  # to one function
FUNCTION_GB: Final = 1.0  # of the functions that profile and evaluate
EVALUATION_SECONDS: Final = 2.0  # besides its profiles
PROFILE_KB: Final = 30  # stored, of one object
REPORT_KB: Final = 200  # report.json and report.html of a window
DAYS_KEPT: Final = 30
METRICS: Final = 11
METRICS_OF_ALL_KINDS: Final = 9
"""Labels 5, quality 2, bias and attributions 1 each."""
ALARMS: Final = 4
MODEL_MONITOR_MINUTES: Final = 6  # of an instance for one check, whatever its traffic
BATCH_MB: Final = 64  # mlops_framework/drift/scale/planning.py
FAN_IN: Final = 64  # mlops_framework/drift/scale/parts.py
ROWS_PER_OBJECT: Final = 10_000  # where a billion rows are profiled
ROWS_PER_WINDOW: Final = 10_000_000  # where a billion rows are joined with labels
PART_ROWS: Final = 1_500_000  # mlops_framework/drift/ground_truth/joins.py
LABELS_PER_OBJECT: Final = 1_000_000
WAIT_PER_READ: Final = 0.02 / 10  # seconds: a profile from S3, ten at a time


@dataclass(frozen=True)
class Item:
    """A line of a bill.

    Attributes:
        what: What is paid for.
        how: The arithmetic.
        cost: USD.
    """

    what: str
    how: str
    cost: float


def endpoint_month(rows: int) -> list[Item]:
    """A month of one endpoint with so many rows an hour, judged every hour."""
    objects = OBJECTS_PER_HOUR[rows]
    cpu = rows / 1e6 * CPU_PER_MILLION_ROWS * VCPU_GB
    transfer = rows * BYTES_PER_ROW / 1e6 / S3_MB_PER_SECOND * FUNCTION_GB
    waiting = objects * WAIT_PER_OBJECT * FUNCTION_GB
    merging = objects * CPU_PER_PROFILE * VCPU_GB + EVALUATION_SECONDS * FUNCTION_GB
    seconds = cpu + transfer + waiting + merging
    calls = objects + 1
    puts, gets = objects + 5, 3 * objects + 10  # a report's parts and state; captures, profiles
    stored = (objects * PROFILE_KB + REPORT_KB) * 24 * DAYS_KEPT / 1e6
    return [
        Item(
            "functions",
            f"{HOURS} × ({seconds:.1f} GB-s × {LAMBDA_GB_SECOND:.10f} + "
            f"{calls} × {LAMBDA_REQUEST:.7f})",
            HOURS * (seconds * LAMBDA_GB_SECOND + calls * LAMBDA_REQUEST),
        ),
        Item(
            "S3",
            f"{HOURS} × ({puts} × {S3_PUT:.6f} + {gets} × {S3_GET:.7f}) + "
            f"{stored:.2f} GB × {S3_GB_MONTH}",
            HOURS * (puts * S3_PUT + gets * S3_GET) + stored * S3_GB_MONTH,
        ),
        Item(
            "events, queue, schedule",
            f"{HOURS} × ({objects} × {EVENT + 3 * SQS_REQUEST:.7f} + {2 * EVENT + SCHEDULE:.6f})",
            HOURS * (objects * (EVENT + 3 * SQS_REQUEST) + 2 * EVENT + SCHEDULE),
        ),
        Item("metrics", f"{METRICS} × {METRIC:.2f}", METRICS * METRIC),
        Item("alarms", f"{ALARMS} × {ALARM:.2f}", ALARMS * ALARM),
        Item("logs", f"{HOURS} × {calls} × 2 KB × {LOG_GB:.2f}/GB", HOURS * calls * 2e-6 * LOG_GB),
    ]


def model_monitor_month(instance: str) -> Item:
    """A month of one hourly schedule of Model Monitor."""
    price = INSTANCE_HOUR[instance]
    return Item(
        f"Model Monitor, {instance}",
        f"{HOURS} × {MODEL_MONITOR_MINUTES}/60 h × {price}",
        HOURS * MODEL_MONITOR_MINUTES / 60 * price,
    )


def billion_rows() -> list[Item]:
    """A billion rows that no event announced, in one window: profiled, merged and judged."""
    rows = 1_000_000_000
    objects = rows // ROWS_PER_OBJECT
    megabytes = rows * BYTES_PER_ROW / 1e6
    batches = math.ceil(megabytes / BATCH_MB)
    profiling = (
        rows / 1e6 * CPU_PER_MILLION_ROWS + megabytes / S3_MB_PER_SECOND + objects * WAIT_PER_OBJECT
    )
    groups, level = 0, objects
    while level > FAN_IN:
        level = math.ceil(level / FAN_IN)
        groups += level
    reads = objects + groups
    merging = reads * (CPU_PER_PROFILE + WAIT_PER_READ) + groups * WAIT_PER_OBJECT
    return [
        Item(
            "functions that profile",
            f"{profiling:,.0f} s × {VCPU_GB} GB × {LAMBDA_GB_SECOND:.10f} "
            f"+ {batches:,} × {LAMBDA_REQUEST:.7f}",
            profiling * VCPU_GB * LAMBDA_GB_SECOND + batches * LAMBDA_REQUEST,
        ),
        Item(
            "functions that merge",
            f"{merging:,.0f} s × {VCPU_GB} GB × {LAMBDA_GB_SECOND:.10f} "
            f"+ {groups:,} × {LAMBDA_REQUEST:.7f}",
            merging * VCPU_GB * LAMBDA_GB_SECOND + groups * LAMBDA_REQUEST,
        ),
        Item(
            "S3 reads",
            f"({objects:,} captures + {reads:,} profiles and parts) × {S3_GET:.7f}",
            (objects + reads) * S3_GET,
        ),
        Item(
            "S3 writes",
            f"({objects:,} profiles + {groups:,} parts) × {S3_PUT:.6f}",
            (objects + groups) * S3_PUT,
        ),
        Item(
            "Distributed Map",
            f"{batches:,} children × {CHILD_TRANSITIONS} × {TRANSITION:.6f} + "
            f"{groups:,} children × ({TRANSITION:.6f} + {EXPRESS_REQUEST:.6f}) + "
            f"{merging:,.0f} s × 0.0625 GB × {EXPRESS_GB_SECOND:.8f}",
            batches * CHILD_TRANSITIONS * TRANSITION
            + groups * (TRANSITION + EXPRESS_REQUEST)
            + merging * 0.0625 * EXPRESS_GB_SECOND,
        ),
    ]


def billion_labels() -> list[Item]:
    """A billion rows, profiled already, that all get a label: taken, joined and counted."""
    rows = 1_000_000_000
    files = rows // LABELS_PER_OBJECT
    windows = rows // ROWS_PER_WINDOW
    parts = math.ceil(ROWS_PER_WINDOW / PART_ROWS)
    taking = files * (LABELS_PER_OBJECT / 1e6 * CPU_TO_TAKE_A_MILLION_LABELS + WAIT_PER_OBJECT)
    # Every part reads the whole window and keeps what is its own.
    millions = ROWS_PER_WINDOW / 1e6
    tables = ROWS_PER_WINDOW // ROWS_PER_OBJECT + ROWS_PER_WINDOW // LABELS_PER_OBJECT
    megabytes = millions * (MB_PER_MILLION_ROWS + MB_PER_MILLION_LABELS)
    reading = megabytes / S3_MB_PER_SECOND + tables * WAIT_PER_READ
    joining = parts * (millions * CPU_TO_SORT_OUT_A_MILLION + reading + WAIT_PER_OBJECT)
    joining += millions * CPU_TO_JOIN_A_MILLION
    children, seconds, reads = windows * parts, windows * joining, windows * parts * tables
    return [
        Item(
            "functions that take labels",
            f"{taking:,.0f} s × {VCPU_GB} GB × {LAMBDA_GB_SECOND:.10f} "
            f"+ {files:,} × {LAMBDA_REQUEST:.7f}",
            taking * VCPU_GB * LAMBDA_GB_SECOND + files * LAMBDA_REQUEST,
        ),
        Item(
            "functions that join",
            f"{seconds:,.0f} s × {VCPU_GB} GB × {LAMBDA_GB_SECOND:.10f} "
            f"+ {children:,} × {LAMBDA_REQUEST:.7f}",
            seconds * VCPU_GB * LAMBDA_GB_SECOND + children * LAMBDA_REQUEST,
        ),
        Item(
            "S3 reads",
            f"({files:,} labels + {reads:,} tables) × {S3_GET:.7f}",
            (files + reads) * S3_GET,
        ),
        Item(
            "S3 writes",
            f"({files:,} labels + {children:,} parts) × {S3_PUT:.6f}",
            (files + children) * S3_PUT,
        ),
        Item(
            "Distributed Map",
            f"{children:,} children × {CHILD_TRANSITIONS} × {TRANSITION:.6f}",
            children * CHILD_TRANSITIONS * TRANSITION,
        ),
    ]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def monthly_table() -> str:
    """Endpoints of three sizes beside Model Monitor, USD a month."""
    sizes = list(OBJECTS_PER_HOUR)
    bills = [endpoint_month(rows) for rows in sizes]
    rows = [
        [lines[0].what, *(f"{line.cost:.2f}" for line in lines)]
        for lines in zip(*bills, strict=True)
    ]
    totals = [sum(item.cost for item in bill) for bill in bills]
    rows.append(["**drift-monitor**", *(f"**{total:.2f}**" for total in totals)])
    more = METRICS_OF_ALL_KINDS * METRIC
    rows.append(
        [
            f"all kinds of monitoring: {METRICS_OF_ALL_KINDS} × {METRIC:.2f} for more metrics",
            *(f"{total + more:.2f}" for total in totals),
        ]
    )
    for instance in INSTANCE_HOUR:
        theirs = model_monitor_month(instance)
        shown = (f"{theirs.cost:.2f} ({theirs.cost / total:.1f} times)" for total in totals)
        rows.append([f"{theirs.what}: {theirs.how}", *shown])
    theirs = model_monitor_month("ml.m5.xlarge")
    shown = (
        f"{4 * theirs.cost:.2f} ({4 * theirs.cost / (total + more):.1f} times)" for total in totals
    )
    rows.append([f"its four kinds, ml.m5.xlarge: 4 × {theirs.cost:.2f}", *shown])
    return markdown(["USD a month", *(f"{rows:,} rows an hour" for rows in sizes)], rows)


def arithmetic_table() -> str:
    """How the lines of the middle size come about."""
    return markdown(
        ["100,000 rows an hour", "arithmetic", "USD a month"],
        [[item.what, item.how, f"{item.cost:.2f}"] for item in endpoint_month(100_000)],
    )


def billion_table() -> str:
    """What a billion rows cost."""
    bill = billion_rows()
    rows = [[item.what, item.how, f"{item.cost:.2f}"] for item in bill]
    rows.append(["**together**", "", f"**{sum(item.cost for item in bill):.2f}**"])
    return markdown(["a billion rows of 20 columns", "arithmetic", "USD"], rows)


def labels_table() -> str:
    """What a billion labels cost."""
    bill = billion_labels()
    rows = [[item.what, item.how, f"{item.cost:.2f}"] for item in bill]
    rows.append(["**together**", "", f"**{sum(item.cost for item in bill):.2f}**"])
    return markdown(["a billion labels of profiled rows", "arithmetic", "USD"], rows)


def main() -> None:
    """Print the tables."""
    print("\n\n".join((monthly_table(), arithmetic_table(), billion_table(), labels_table())))


if __name__ == "__main__":
    main()
