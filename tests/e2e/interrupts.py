"""Commands that are cut off at random moments, and what has to hold afterwards."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from arcctl.services import load
from tests.e2e.clients import redis_client, superuser
from tests.e2e.driver import Platform

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
COMMANDS = {
    "up": ("up",),
    "down": ("down",),
    "restart": ("restart",),
    "backup create": ("backup", "create"),
    "backup restore": ("backup", "restore", "{backup}", "--yes"),
    "secrets rotate": ("secrets", "rotate", "POSTGRES_APP_PASSWORD", "REDIS_PASSWORD", "--yes"),
    "upgrade": ("upgrade", "--to", "redis={tag}", "--yes"),
}
ALL = ("--stack",)
NEWER = "8.99.0-alpine"
"""A tag of Redis that no registry has: here it is a second tag of the same image."""
LONGEST = {"down": 8.0, "backup create": 8.0, "backup restore": 12.0, "secrets rotate": 12.0, "upgrade": 6.0}
"""Seconds after which a command gets its signal at the latest; all others 15."""


@dataclass(frozen=True)
class Round:
    """One command that was cut off, and the `up` after it."""

    command: str
    by: signal.Signals
    after: float
    """Seconds."""
    code: int
    repaired: float
    """Seconds that the next `up` took."""
    problem: str
    """Empty where all is well afterwards."""

    def __str__(self) -> str:
        end = self.problem or "healthy, with all data and secrets"
        cut = f"{self.command}: {self.by.name} after {self.after:.1f} s, exit code {self.code}"
        return f"{cut}; the next up took {self.repaired:.1f} s: {end}"


def rounds(
    platform: Platform, count: int, seed: int, names: tuple[str, ...], services: tuple[str, ...] = ALL
) -> Iterator[Round]:
    """Cut commands off, one after the other, and look after each what the next `up` makes of it.

    On a platform with these services, Postgres and Redis among them; all run at the end.
    """
    part = 1.0 if services == ALL else 0.5  # fewer services are done sooner
    platform.arcctl("down").ok()
    chance, backup = random.Random(seed), _prepare(platform, services)
    for number in range(count):
        name, by = names[number % len(names)], chance.choice(SIGNALS)
        words = ("up", *services) if name == "up" else _words(name, backup, platform)
        if name == "up":
            platform.arcctl("down").ok()
        after = chance.uniform(0.1, part * LONGEST.get(name, 15.0))
        code = platform.interrupted(after, *words, by=by)
        began = time.monotonic()
        done = platform.arcctl("up", *services)
        repaired = time.monotonic() - began
        if name == "secrets rotate":  # which is finished by the same command
            platform.arcctl(*words).ok()
        problem = f"up ended with {done.code}: {done.err[-600:]}" if done.code else _problem(platform)
        yield Round(name, by, after, code, repaired, problem)
    platform.arcctl("config", "set", "redis", "image_tag", "--unset").ok()
    platform.arcctl("up", "--stack").ok()


def _words(name: str, backup: str, platform: Platform) -> tuple[str, ...]:
    if name != "upgrade":
        return tuple(word.format(backup=backup) for word in COMMANDS[name])
    if platform.embedded:  # no tags there
        return (name, "--yes")
    image, tag = load().services["redis"].container.image.split(":")
    platform.docker("tag", f"{image}:{tag}", f"{image}:{NEWER}")
    running = {container["image"] for container in platform.containers("redis")}
    other = NEWER if f"{image}:{tag}" in running else tag
    return tuple(word.format(tag=other) for word in COMMANDS[name])


def _prepare(platform: Platform, services: tuple[str, ...]) -> str:
    """Data to be missed, and the name of a backup that has it."""
    platform.arcctl("up", *services).ok()
    with superuser(platform, "arc") as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS interrupted (text text)")
        admin.execute("INSERT INTO interrupted SELECT 'kept' WHERE NOT EXISTS (SELECT FROM interrupted)")
    redis_client(platform).set("interrupted", "kept")
    platform.arcctl("backup", "create").ok()
    return sorted(path.name for path in (platform.directory / ".arcctl" / "backups").iterdir())[-1]


def _problem(platform: Platform) -> str:
    report = platform.health("all")
    unwell = {s["name"]: s["checks"] for s in report["services"] if s["status"] not in ("healthy", "unknown")}
    if unwell:
        return f"not healthy: {unwell}"
    checks: dict[str, Callable[[], object]] = {
        "data of Postgres": lambda: _row(platform),
        "data of Redis": lambda: redis_client(platform).get("interrupted"),
    }
    return ", ".join(f"{what} is gone" for what, read in checks.items() if read() != "kept")


def _row(platform: Platform) -> object:
    with superuser(platform, "arc") as admin:
        return admin.execute("SELECT text FROM interrupted").fetchone()[0]
