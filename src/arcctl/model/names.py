"""Constants: the default name of a project, the address that ports are published on, the variables of a proxy."""

from __future__ import annotations

PROJECT = "arc"
LOOPBACK = "127.0.0.1"
PROXIES, NO_PROXY = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"), "no_proxy"
"""In lower case; many programs read them in upper case, too."""
