"""A prover that is told what holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arcctl.core.proof import Call, Calls, Proof, Step


@dataclass
class FakeProver:
    """Runs statements by their names: `find x` holds once `make x` was run, and `make x` tells the field `x`."""

    held: set[str] = field(default_factory=set)
    refusing: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    """Services of which no step of a proof holds."""

    async def attempt(
        self,
        owner: str,
        proofs: tuple[Proof, ...],
        ports: Mapping[str, Mapping[int, int]],
        values: Mapping[str, str],
        timeout: float,
    ) -> tuple[str, Mapping[str, str]]:
        assert owner in ports
        (call,) = [call for proof in proofs if isinstance(proof, Calls) for call in proof.steps]
        verb, _, name = call.name.partition(" ")
        if name in self.refusing or (verb == "find" and name not in self.held):
            return f"{name} is not there", values
        self.held.add(name)
        return "", {**values, **({name: f"told-{name}"} if verb == "make" and name in values else {})}

    async def prove(
        self, owner: str, proof: Proof, ports: Mapping[str, Mapping[int, int]], timeout: float
    ) -> tuple[Step, ...]:
        assert isinstance(proof, Calls)
        asked = [(call.name, call.at or owner) for call in proof.steps]
        return tuple(
            Step(owner=owner, service=at, name=name, ok=at not in self.broken, ms=1, since_ms=1, message="no answer")
            for name, at in asked
        )

    async def ask(
        self, owner: str, call: Call, ports: Mapping[str, Mapping[int, int]], values: Mapping[str, str]
    ) -> tuple[Step, str, Mapping[str, str]]:
        """What asks is tested with a prover of its own (`inside.py`) or on real servers."""
        raise NotImplementedError
