"""Who holds a lock that a statement of arcctl waits for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from arcctl.model.data_store import LOCK_SECONDS

POLL_SECONDS = 5.0
"""How often arcctl asks who holds a lock that a statement waits for."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    pid: int
    """0 for a prepared transaction, which has no session."""
    application: str = ""
    address: str = ""
    state: str = ""
    since: str = ""
    """When its transaction began."""

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction"
        state = f"{self.state or 'open'} since {self.since}" if self.since else ""
        facts = (f"pid {self.pid}", self.address, state)
        return f"{self.application or 'a session'} ({', '.join(filter(None, facts))})"


def read_holders(text: str) -> tuple[Holder, ...]:
    """Those of a list in JSON."""
    return tuple(Holder(**item) for item in json.loads(text))


def explained(holders: Sequence[Holder]) -> str:
    return f"waited {LOCK_SECONDS} s for a lock that is held by {', '.join(map(str, holders))}"


def hint(service: str, superuser: str, holders: Sequence[Holder]) -> str:
    """The command that shows what the first of them does."""
    pid = holders[0].pid
    shown = f"'select * from pg_stat_activity where pid = {pid}'" if pid else "'table pg_prepared_xacts'"
    command = f"arcctl shell {service} --as {superuser} -- -xc {shown}"
    return f"end that transaction and try again; what it does: {command}"
