"""`init`: the secrets and the files that Compose reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arcctl.app.world import World, ensure_secrets
from arcctl.errors import EngineError


@dataclass(frozen=True)
class Result:
    home: Path
    generated: tuple[str, ...]


def run(world: World) -> Result:
    """Make what is missing. Without an engine there is nobody to ask for old data, and nothing to lose here."""
    try:
        volumes = world.engine.volumes()
    except EngineError:
        volumes = ()
    return Result(world.home.root, ensure_secrets(world, volumes))
