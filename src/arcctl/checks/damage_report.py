"""What a server that does not start says of its data, and the way back to data that it can read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from arcctl.model.service import Service

NO_BACKUP = "no backup in .arcctl/backups has this data"


@dataclass(frozen=True)
class Damage:
    message: str
    """With the server's words."""
    hint: str
    status: str = "fail"
    """warn where the server serves what is left."""


def damage(service: Service[Any], lines: Iterable[str], backup: str, volumes: Iterable[str]) -> Damage | None:
    """What the last lines of a log say; None where its data is not the reason.

    `backup` is the newest one that has the data of the service, `volumes` are the names of its own.
    """
    known = service.storage.damaged
    said = [found[0] for line in lines if known and (found := re.search(known.said, line))]
    if not known or not said:
        return None
    by_hand = f"copy the volume {', '.join(volumes)}, then run in it: {known.repair}"
    hint = f"arcctl backup restore {backup} {service.id}" if backup else f"{NO_BACKUP}; {by_hand}"
    return Damage(f"cannot read its data: {said[-1].strip()}", hint)


def loss(service_id: str, words: str, backup: str) -> Damage:
    """What a server lost, which serves the rest."""
    go_on = f"to go on without it: arcctl restart {service_id}"
    return Damage(words, f"arcctl backup restore {backup} {service_id}" if backup else f"{NO_BACKUP}; {go_on}", "warn")
