"""What a monitor watches, in words for people."""

from __future__ import annotations

from mlops_framework.drift.config import MonitorConfig


def watched(config: MonitorConfig) -> str:
    """The endpoint, and which variant or model of it where the monitor watches one alone."""
    parts = (
        f"variant {config.variant_name}" if config.variant_name else "",
        f"model {config.target_model}" if config.target_model else "",
    )
    told = ", ".join(part for part in parts if part)
    return f"{config.endpoint_name} ({told})" if told else config.endpoint_name
