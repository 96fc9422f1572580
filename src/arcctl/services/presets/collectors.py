"""What the collector and Jaeger share: both are OpenTelemetry Collectors."""

from __future__ import annotations

from collections.abc import Mapping

from arcctl.model.symptom import Cause, Symptom

SYMPTOMS = (
    Symptom(
        cause=Cause.CONFIGURATION,
        said=r"(?:to get config|invalid configuration): (?P<words>[^\n]*line (?P<line>\d+): .*)",
    ),
    Symptom(
        cause=Cause.CONFIGURATION,
        said=r"(?:to get config|invalid configuration): (?P<words>[^\n]*(?:\n[ \n]*['*][^\n]*){0,4})",
    ),
)


def limiter(memory_mb: int, *, percent: int, spike: int) -> Mapping[str, int | None]:
    """Limits of a local process, as in a container of that size: percents would be of the whole machine."""
    percents = {"limit_percentage": None, "spike_limit_percentage": None}
    return {**percents, "limit_mib": memory_mb * percent // 100, "spike_limit_mib": memory_mb * spike // 100}


def garbage(memory_mb: int, percent: int) -> Mapping[str, str]:
    """Below the limit at which they refuse data, so that they remove garbage first."""
    return {"GOMEMLIMIT": f"{memory_mb * percent // 100}MiB"}
