"""Reads one element of what `docker container inspect` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arcctl.engines.base import ContainerState

CONFIG_FILES = "com.docker.compose.project.config_files"
"""The label with the Compose files that a container was created from, separated by commas."""


def project(item: Mapping[str, Any]) -> str:
    return str((item["Config"].get("Labels") or {}).get("com.docker.compose.project", ""))


def directory(files: str) -> Path | None:
    """The project directory of the first of these Compose files."""
    first = Path(files.split(",")[0])
    return first.parents[1] if first.is_absolute() and len(first.parents) > 1 else None


def _existing(folder: Path | None) -> str:
    return str(folder.resolve()) if folder and folder.is_dir() else ""


def state(item: Mapping[str, Any]) -> ContainerState:
    state, labels = item["State"], item["Config"]["Labels"]
    health = state.get("Health") or {}
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
    )


def _last_line(log: list[dict[str, Any]]) -> str:
    lines = log[-1]["Output"].strip().splitlines() if log else []
    return lines[-1][:200] if lines else ""


def _ports(published: Mapping[str, list[dict[str, str]] | None]) -> dict[int, int]:
    return {int(inside.split("/")[0]): int(outside[0]["HostPort"]) for inside, outside in published.items() if outside}
