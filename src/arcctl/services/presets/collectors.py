"""What the collector and Jaeger share: both are OpenTelemetry Collectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arcctl.model.symptom import Cause, Symptom

_GARBAGE = 5
"""Percent below the share at which data is refused: before that, garbage is removed."""

SYMPTOMS = (
    Symptom(
        cause=Cause.CONFIGURATION,
        pattern=r"(?:to get config|invalid configuration): (?P<words>[^\n]*line (?P<line>\d+): .*)",
    ),
    Symptom(
        cause=Cause.CONFIGURATION,
        pattern=r"(?:to get config|invalid configuration): (?P<words>[^\n]*(?:\n[ \n]*['*][^\n]*){0,4})",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Of a container, and the percents of it that the memory limiter in its configuration file has.

    Data is refused from `limit` less `spike` on.
    """

    mb: int
    limit: int
    spike: int

    @property
    def limiter(self) -> Mapping[str, int | None]:
        """Limits of a local process, as in a container of that size: percents would be of the whole machine."""
        percents = {"limit_percentage": None, "spike_limit_percentage": None}
        return {**percents, "limit_mib": self._share(self.limit), "spike_limit_mib": self._share(self.spike)}

    @property
    def environment(self) -> Mapping[str, str]:
        return {"GOMEMLIMIT": f"{self._share(self.limit - self.spike - _GARBAGE)}MiB"}

    def _share(self, percent: int) -> int:
        return self.mb * percent // 100
