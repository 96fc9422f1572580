"""Reads one element of what `docker container inspect` prints, and compares it with what the container should have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from arcctl.engines.base import ContainerState
from arcctl.model.disk import MEGABYTE
from arcctl.render.compose import LIMITS

CONFIG_FILES = "com.docker.compose.project.config_files"
"""The label with the Compose files that a container was created from, separated by commas."""
NEVER = "0001-01-01T00:00:00Z"
"""What the engine says of the start of a container that was never started."""

LAST_WORDS = timedelta(seconds=10)
"""How long before its end a server says why it ends."""


def project(item: Mapping[str, Any]) -> str:
    return str((item["Config"].get("Labels") or {}).get("com.docker.compose.project", ""))


def directory(files: str) -> Path | None:
    """The project directory of the first of these Compose files."""
    first = Path(files.split(",")[0])
    return first.parents[1] if first.is_absolute() and len(first.parents) > 1 else None


def _existing(folder: Path | None) -> str:
    return str(folder.resolve()) if folder and folder.is_dir() else ""


def state(item: Mapping[str, Any], key: str, networks: Mapping[str, str]) -> ContainerState:
    """`networks` are those that it should be on: the name of each on this engine, by its name in the declaration."""
    state, labels = item["State"], item["Config"]["Labels"]
    health = state.get("Health") or {}
    lost = {name: _lost(item, key, actual) for name, actual in networks.items()}
    return ContainerState(
        state=state["Status"],
        health=health.get("Status", "").replace("none", ""),
        health_log=_last_line(health.get("Log") or []),
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restarts=item["RestartCount"],
        config_hash=labels.get("com.docker.compose.config-hash", ""),
        directory=_existing(directory(labels.get(CONFIG_FILES, ""))),
        image=item["Config"]["Image"],
        image_id=item["Image"],
        stub=labels.get("arcctl.standin") == "stub",
        ports=_ports(item["NetworkSettings"]["Ports"] or {}),
        volumes={m["Destination"]: m["Source"] for m in item.get("Mounts") or () if m["Type"] == "volume"},
        started_at=_seconds(state["StartedAt"]),
        networks=frozenset(name for name, text in lost.items() if not text),
        cut_off=tuple(filter(None, lost.values())) or tuple(_unpublished(item)),
        changed=tuple(_changed_limits(item["HostConfig"], labels.get(LIMITS, ""))),
    )


def last_run(item: Mapping[str, Any]) -> str:
    """When what a container prints began to matter: at its last start.

    Where it runs after a crash, shortly before that: the engine does not tell when it was started the time before.
    """
    state = item["State"]
    if state["Status"] == "running" and item["RestartCount"]:
        return f"{datetime.fromisoformat(_seconds(state['FinishedAt'])) - LAST_WORDS:%Y-%m-%dT%H:%M:%SZ}"
    return _seconds(state["StartedAt"])


def _last_line(log: list[dict[str, Any]]) -> str:
    lines = log[-1]["Output"].strip().splitlines() if log else []
    return lines[-1][:200] if lines else ""


def published(listed: str) -> frozenset[int]:
    """The host's ports of lines such as `127.0.0.1:8080->80/tcp, 0.0.0.0:3000-3002->3000-3002/tcp, 9000/tcp`."""
    found = re.findall(r":(\d+)(?:-(\d+))?->", listed)
    return frozenset(port for first, last in found for port in range(int(first), int(last or first) + 1))


def _ports(published: Mapping[str, list[dict[str, str]] | None]) -> dict[int, int]:
    """Without those that the engine chooses."""
    found = {inside: outside[0]["HostPort"] for inside, outside in published.items() if outside}
    return {int(inside.split("/")[0]): int(port) for inside, port in found.items() if port}


def _seconds(time: str) -> str:
    """`2026-01-31T10:00:00Z` of a time with fractions."""
    return "" if time == NEVER else re.sub(r"\.\d+", "", time)


def _lost(item: Mapping[str, Any], key: str, network: str) -> str:
    """What a container lacks on a network; empty where others find it there by its name."""
    found = (item["NetworkSettings"]["Networks"] or {}).get(network)
    if found is None or (item["State"]["Status"] == "running" and not found["EndpointID"]):
        return f"not connected to the network {network}"
    known = key in {*(found.get("Aliases") or ()), *(found.get("DNSNames") or ())}
    return "" if known else f"on the network {network} without its name {key}"


def _unpublished(item: Mapping[str, Any]) -> Iterator[str]:
    """Ports that were to be published, and are not although the container runs."""
    wanted, found = _ports(item["HostConfig"]["PortBindings"] or {}), _ports(item["NetworkSettings"]["Ports"] or {})
    if item["State"]["Status"] == "running":
        yield from (f"port {port} is not published on {wanted[port]}" for port in sorted(wanted.keys() - found.keys()))


def _changed_limits(host: Mapping[str, Any], label: str) -> Iterator[str]:
    """Limits that are not those of the label; an engine that cannot limit something says 0 or nothing."""
    memory_mb, _, pids = label.partition("/")
    memory = host["Memory"] // MEGABYTE
    if label and memory not in (0, int(memory_mb)):
        yield f"its memory limit is {memory} MiB, not {memory_mb} MiB"
    if label and host["PidsLimit"] not in (None, 0, int(pids)):
        limit = host["PidsLimit"]
        yield f"its limit of processes is {limit if limit > 0 else 'none'}, not {pids}"
