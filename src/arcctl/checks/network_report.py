"""Whether containers reach each other by their names: who looks from where at whom, and what that shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from arcctl.engines.base import Observed
from arcctl.model.probe import Answer
from arcctl.model.service import Catalogue

ROUNDS = 2
"""A second container looks where the first one reaches few others: it may be the one that is cut off."""
SCRIPT = """\
connect() {
  if command -v bash; then timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"
  else nc -w 2 "$1" "$2" -e true
  fi </dev/null >/dev/null 2>&1
}
connect 127.0.0.1 "$1" || exit 3
shift
for address; do
  connect "${address%:*}" "${address##*:}" || echo "$address" &
done
wait
"""
"""Prints each address that takes no connection; fails where not even the container's own port does."""


@dataclass(frozen=True)
class View:
    """From one container at others, which it knows by their names."""

    place: str
    port: int
    """The own port of `place`: it has to take a connection, or nothing is known."""
    others: Mapping[str, int]
    """The port of each."""

    @property
    def command(self) -> tuple[str, ...]:
        return ("sh", "-c", SCRIPT, "sh", str(self.port), *(f"{key}:{port}" for key, port in self.others.items()))


@dataclass(frozen=True)
class Seen:
    """Which of the others a view did not reach."""

    view: View
    missed: frozenset[str]

    @property
    def conclusive(self) -> bool:
        """Whether the others are to blame and not the place."""
        return len(self.missed) * 2 <= len(self.view.others)


def views(
    catalogue: Catalogue, observed: Observed, ports: Mapping[str, int], tried: Collection[str] = ()
) -> tuple[View, ...]:
    """The fewest views that cover each network, from containers that were not tried yet.

    Always at all others: whom a place does not reach says little where nobody else was asked.
    """
    members = {key: observed.of(key).networks for key in ports if observed.of(key).running}
    able = [key for key in members if catalogue.components()[key].container.has_nc and key not in tried]
    found, left = [], {network for networks in members.values() for network in networks}
    for place in sorted(able, key=lambda key: -len(members[key])):
        covered = members[place] & left
        others = {key: ports[key] for key, networks in members.items() if key != place and networks & covered}
        if others:
            found.append(View(place, ports[place], others))
            left -= covered
    return tuple(found)


def seen(view: View, printed: str) -> Seen:
    words = set(printed.split())
    return Seen(view, frozenset(key for key, port in view.others.items() if f"{key}:{port}" in words))


def answers(found: Collection[Seen]) -> dict[str, Answer]:
    """What is known of each container, the place of a view included."""
    known = [one for one in found if one.conclusive] or found
    answered: dict[str, Answer] = {}
    for one in found:
        place, count = one.view.place, len(one.view.others)
        if one.conclusive:
            answered[place] = Answer(True, "connects to other containers by their names")
        elif one not in known:
            answered[place] = Answer(False, f"cannot connect to {len(one.missed)} of {count} other containers")
    for one in known:
        for key, port in one.view.others.items():
            verb = "cannot connect" if key in one.missed else "connects"
            answered.setdefault(key, Answer(key not in one.missed, f"{one.view.place} {verb} to {key}:{port}"))
    return answered
