"""Containers that several services have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from arcctl.model.env import ServiceEnv
from arcctl.model.service import Component, Container, Mount, Role, Storage

E = TypeVar("E", bound=ServiceEnv)

START_AS_ROOT = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""Capabilities of an image that starts as root, gives its new volumes to another user and becomes that user."""


def exporter(
    service: str,
    env: type[E],
    image: str,
    *,
    user: int,
    command: tuple[str, ...] = (),
    environment: Callable[[E], Mapping[str, str]] = lambda env: {},
    mounts: Callable[[E], tuple[Mount, ...]] = lambda env: (),
    read_only: bool = False,
) -> Component[E]:
    """The sidecar `<service>-exporter`, which reads a server that has no metrics page; `user` is its user and group."""
    return Component(
        id=f"{service}-exporter",
        role=Role.SIDECAR,
        after_server=True,
        env=env,
        container=Container(
            image=image,
            user=f"{user}:{user}",
            command=command,
            environment=environment,
            read_only=read_only,
            memory_mb=64,
            pids=64,
        ),
        storage=Storage(mounts=mounts),
    )
