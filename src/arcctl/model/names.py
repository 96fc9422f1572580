"""Constants: the default name of a project, the address that ports are published on."""

from __future__ import annotations

PROJECT = "arc"
LOOPBACK = "127.0.0.1"
