"""Where a monitor's documents lie in its data bucket."""

from __future__ import annotations

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.windows import Window
from mlops_framework.naming import monitor_prefix


def baseline_key(config: MonitorConfig) -> str:
    """The baseline."""
    return f"{monitor_prefix(config.name)}/baseline.json"


def state_key(config: MonitorConfig) -> str:
    """What the monitor remembers."""
    return f"{monitor_prefix(config.name)}/state.json"


def sequence_key(config: MonitorConfig) -> str:
    """What the latest windows said, to be added up."""
    return f"{monitor_prefix(config.name)}/sequence.json"


def heartbeat_key(config: MonitorConfig) -> str:
    """What the heartbeat remembers."""
    return f"{monitor_prefix(config.name)}/heartbeat.json"


def latest_key(config: MonitorConfig) -> str:
    """Verdict and place of the newest report."""
    return f"{monitor_prefix(config.name)}/latest.json"


def profiles_prefix(config: MonitorConfig) -> str:
    """All profiles; below it ``yyyy/mm/dd/HHMM/<digest>.json``."""
    return f"{monitor_prefix(config.name)}/profiles/"


def profile_key(config: MonitorConfig, window: Window, digest: str) -> str:
    """The profile of one object version in one window."""
    return f"{profiles_prefix(config)}{window.path}/{digest}.json"


def parts_prefix(config: MonitorConfig, window: Window) -> str:
    """Merged profiles of a window, where it has very many."""
    return f"{monitor_prefix(config.name)}/parts/{window.path}/"


def part_key(config: MonitorConfig, window: Window, name: str) -> str:
    """One of them."""
    return f"{parts_prefix(config, window)}{name}"


def run_key(config: MonitorConfig, run: str, step: str) -> str:
    """What one step of a distributed run is to do, a list."""
    return f"{monitor_prefix(config.name)}/runs/{run}/{step}.json"


def kept_prefix(config: MonitorConfig, name: str) -> str:
    """What keepers keep beside profiles, by its name; below it as below the profiles."""
    return f"{monitor_prefix(config.name)}/kept/{name}/"


def kept_key(config: MonitorConfig, name: str, window: Window, file: str) -> str:
    """What is kept of one object version in one window."""
    return f"{kept_prefix(config, name)}{window.path}/{file}"


def model_monitor_folder(config: MonitorConfig, window: Window, kind: str = "") -> str:
    """Model Monitor's files of a window: ``{endpoint}/{schedule}/yyyy/mm/dd/HH`` as it has them.

    Below the reports, which the evaluation may write. Windows that begin within an hour, which
    Model Monitor does not have, get a folder each in it.
    """
    time = window.start.strftime("%Y/%m/%d/%H/%M" if window.start.minute else "%Y/%m/%d/%H")
    schedule = f"{config.schedule_name}-{kind}" if kind else config.schedule_name
    place = f"{config.endpoint_name}/{schedule}/{time}"
    return f"{monitor_prefix(config.name)}/reports/model-monitor/{place}"


def report_keys(config: MonitorConfig, window: Window) -> dict[str, str]:
    """The report of a window, as JSON and as a page."""
    folder = f"{monitor_prefix(config.name)}/reports/{window.path}"
    return {"json_key": f"{folder}/report.json", "html_key": f"{folder}/report.html"}
