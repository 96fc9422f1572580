"""The times of log lines as a user writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from arcctl.checks.trace_report import LogLine
from arcctl.errors import UsageError

LOOK_BACK_NS = 720 * 3600 * 10**9
"""How far back lines are read where nobody says since when: what the log store allows."""
_UNITS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9}
_AMOUNT = rf"(\d+)({'|'.join(_UNITS)})"


def since_ns(text: str, now_ns: int) -> int:
    """Unix time in nanoseconds of `10m`, `1h30m` or `2026-01-31T10:00:00Z`. Raises UsageError for any other text."""
    if not text:
        return now_ns - LOOK_BACK_NS
    if re.fullmatch(f"(?:{_AMOUNT})+", text):
        ago = sum(int(number) * _UNITS[unit] for number, unit in re.findall(_AMOUNT, text))
        return now_ns - min(ago, LOOK_BACK_NS)
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000) * 10**6
    except ValueError:
        raise UsageError(f"{text!r} is neither a duration nor a time", hint="arcctl logs --since 10m") from None


def shown(line: LogLine) -> str:
    """After the name of its program, like the lines of a container."""
    at = datetime.fromtimestamp(line.time_ns // 10**9, UTC)
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{line.time_ns // 10**6 % 1000:03}Z"
    return f"{line.service}  | {' '.join(filter(None, (stamp, line.level, line.text)))}"
