"""What the collector and Jaeger share: both are OpenTelemetry Collectors."""

from __future__ import annotations

MEMORY = {"limit_percentage": None, "spike_limit_percentage": None, "limit_mib": 768, "spike_limit_mib": 256}
"""Limits of a local process, as in a container of 1 GiB: percents would be of the whole machine."""
