"""What a home in memory keeps while secrets are changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from arcctl.core.env import Variable
from arcctl.core.secret import Change


@dataclass(kw_only=True)
class FakeJournal:
    times: dict[str, str] = field(default_factory=dict)
    journal: tuple[Change, ...] = ()

    def draw(self, variable: Variable) -> str:
        return f"anew-for-{variable.name.lower().replace('_', '-')}"

    def changed(self) -> dict[str, str]:
        return dict(self.times)

    def rotation(self) -> tuple[Change, ...]:
        return self.journal

    def remember_rotation(self, changes: Iterable[Change]) -> None:
        self.journal = tuple(changes)
