"""Markdown for the page that a CI job ends with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arcctl.core import health, proof
from arcctl.ui.terminal import word
from arcctl.ui.verify import WORDS


def of_health(report: health.Report) -> str:
    """A row per service."""
    rows = [(v.name, word(v.status.value)[0], v.version, v.reason) for v in report.services]
    return _section(
        f"Health: {word(report.status.value)[0]}, {report.engine} engine",
        ("service", "status", "version", "reason"),
        rows,
    )


def of_verify(report: proof.Report) -> str:
    """A row per service, and the first step that did not hold."""
    rows = [(v.service, WORDS[v.outcome][0], v.reason or f"{len(v.steps)} steps") for v in report.services]
    return _section(
        f"Verify: {word('ok' if report.passed else 'bad')[0]}", ("service", "outcome", "what was shown"), rows
    )


def _section(title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ("---",) * len(headers), *rows]
    return f"### {title}\n\n" + "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines) + "\n"


def _cell(text: str) -> str:
    """Text from outside stays text."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
