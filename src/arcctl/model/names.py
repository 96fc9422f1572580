"""Constants: names of a project and of its images, the address that ports are published on, variables of a proxy."""

from __future__ import annotations

PROJECT = "arc"
"""The name of a project of an earlier arcctl, which knew no other; also the key of the common network."""
PROJECT_NAME = "ARCCTL_PROJECT_NAME"
"""The variable with the name of the project, for Compose and for the declarations."""
LOOPBACK = "127.0.0.1"
LOCAL_NAMES = (LOOPBACK, "localhost")
EVERY_ADDRESS = "0.0.0.0"
IMAGES = "images"
"""Stands where a service does for the settings of all images; no service has this name."""
PORTS = "ports"
"""The same for the settings of all published ports."""
PROXIES, NO_PROXY = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"), "no_proxy"
"""In lower case; many programs read them in upper case, too."""
