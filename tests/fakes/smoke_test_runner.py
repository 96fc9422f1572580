"""A smoke test runner with chosen results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.model.smoke_test import Call, Calls, SmokeTest, Step


@dataclass
class FakeSmokeTestRunner:
    """Runs calls by their names: `find x` passes once `make x` was run, and `make x` keeps the value `x`."""

    created: set[str] = field(default_factory=set)
    refusing: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    """Services that fail every step."""

    async def attempt(
        self,
        owner: str,
        smoke_tests: tuple[SmokeTest, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        assert owner in ports
        (call,) = [call for smoke_test in smoke_tests if isinstance(smoke_test, Calls) for call in smoke_test.steps]
        verb, _, name = call.name.partition(" ")
        if name in self.refusing or (verb == "find" and name not in self.created):
            return f"{name} is not there", values
        self.created.add(name)
        return "", {**values, **({name: f"issued-{name}"} if verb == "make" and name in values else {})}

    async def run(
        self, owner: str, smoke_test: SmokeTest, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        assert isinstance(smoke_test, Calls)
        asked = [(call.name, call.at or owner) for call in smoke_test.steps]
        return tuple(
            Step(owner=owner, service=at, name=name, ok=at not in self.failing, ms=1, since_ms=1, message="no answer")
            for name, at in asked
        )

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """Tested with another runner or with real servers."""
        raise NotImplementedError
