"""What the collector and Jaeger share: both are OpenTelemetry Collectors."""

from __future__ import annotations

MEMORY = {"limit_percentage": None, "spike_limit_percentage": None, "limit_mib": 820, "spike_limit_mib": 154}
"""Limits of a local process, as in a container of 1 GiB: percents would be of the whole machine."""
GARBAGE = {"GOMEMLIMIT": "600MiB"}
"""Below the limit at which they refuse data, so that they remove garbage first."""
