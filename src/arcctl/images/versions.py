"""Compares image tags as versions of the same flavour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.version import Version

_TAG = re.compile(r"(?P<prefix>v?)(?P<number>\d+(\.\d+)*)(?P<suffix>(-[A-Za-z][\w.-]*)?)")


@dataclass(frozen=True)
class Flavour:
    """What comparable tags have in common: a leading `v`, a suffix such as `-alpine`, as many numbers."""

    prefix: str
    suffix: str
    numbers: int


def parse(tag: str) -> tuple[Flavour, Version] | None:
    """None for a tag that is not a version, such as `latest`."""
    found = _TAG.fullmatch(tag)
    if not found:
        return None
    number = found["number"]
    return Flavour(found["prefix"], found["suffix"], number.count(".") + 1), Version(number)


def newer(tag: str, others: Iterable[str]) -> tuple[str, ...]:
    """The tags of the same flavour that are newer, the newest first."""
    current = parse(tag)
    if current is None:
        return ()
    known = ((version[1], other) for other in set(others) if (version := parse(other)) and version[0] == current[0])
    return tuple(other for number, other in sorted(known, reverse=True) if number > current[1])


def is_older(tag: str, than: str) -> bool:
    """False for tags that are not versions."""
    one, other = parse(tag), parse(than)
    return bool(one and other and one[1] < other[1])
