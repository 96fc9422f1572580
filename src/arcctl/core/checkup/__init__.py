"""What usually goes wrong on real machines: pure checks over facts that were gathered once, each with its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from arcctl.core.checkup import data, engine, home, host, network
from arcctl.core.checkup.facts import Facts
from arcctl.core.checkup.finding import Finding

Check = Callable[[Facts], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (*home.CHECKS, *engine.CHECKS, *network.CHECKS, *data.CHECKS, *host.CHECKS)


def judge(facts: Facts) -> tuple[Finding, ...]:
    """Every point is looked at, also when another one fails; what does not concern this machine is left out."""
    return tuple(finding for check in CHECKS for finding in check(facts))
