"""Where the Docker engine is that `docker` talks to: on this machine, or elsewhere, reached over TCP.

Which one that is, is the user's choice: `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the context that is in use. Both are
read as `docker` reads them, without starting it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from arcctl.errors import ArcError, EngineError
from arcctl.model.names import EVERY_ADDRESS, LOCAL_NAMES, LOOPBACK
from arcctl.settings.text import read_text

_NETWORK = ("tcp", "http", "https")
_SOCKET = "unix"
_TUNNEL = "ssh -N -L 2375:/var/run/docker.sock -L PORT:127.0.0.1:PORT {}"


@dataclass(frozen=True)
class Endpoint:
    address: str = ""
    """As Docker is told, such as `tcp://docker:2376`; empty for its own default."""
    host: str = LOOPBACK
    """The machine on which it publishes ports, as this one calls it."""
    remote: bool = False
    """Whether it may share no file and no port with this machine."""
    refused: EngineError | None = None
    """Why arcctl cannot work with such an endpoint."""

    @property
    def elsewhere(self) -> bool:
        """Whether ports published on its loopback address are out of reach."""
        return self.host not in LOCAL_NAMES

    def reached_at(self, bind_address: str) -> str:
        """Where ports are reached that are published on this address of the engine's machine."""
        return self.host if bind_address in ("", EVERY_ADDRESS, LOOPBACK) else bind_address


LOCAL = Endpoint()


def find(environment: Mapping[str, str]) -> Endpoint:
    """The endpoint in the order of `docker` itself."""
    return parse(environment.get("DOCKER_HOST", "").strip() or _of_context(environment))


def parse(address: str) -> Endpoint:
    if not address:
        return LOCAL
    url = _split(address if "://" in address else f"tcp://{address}")
    if url is None:
        return Endpoint(address, refused=_no_host(address))
    if url.scheme == _SOCKET:
        return Endpoint(address)
    if url.scheme not in _NETWORK:
        return Endpoint(address, refused=_unsupported(url, address))
    host = url.hostname or LOOPBACK
    if ":" in host:
        return Endpoint(address, host, remote=True, refused=_ipv6(address))
    return Endpoint(address, host, remote=True)


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:  # brackets that do not hold an IPv6 address
        return None


def _no_host(address: str) -> EngineError:
    return EngineError(f"the Docker endpoint {address} names no host", hint="export DOCKER_HOST=tcp://HOST:2376")


def _unsupported(url: SplitResult, address: str) -> EngineError:
    if url.scheme == "ssh":
        login = f"{url.username}@{url.hostname}" if url.username else str(url.hostname)
        tunnel = _TUNNEL.format(f"-p {url.port} {login}" if url.port else login)
        return EngineError(
            f"the Docker endpoint {address} is an ssh login, which does not carry the ports of services",
            hint=f"{tunnel} (with each port of arcctl info), then export DOCKER_HOST=tcp://127.0.0.1:2375;"
            " or run arcctl on that machine",
        )
    text = f"the Docker endpoint {address} cannot be used: only unix:// and tcp:// can"
    return EngineError(text, hint="docker context use default, and unset DOCKER_HOST")


def _ipv6(address: str) -> EngineError:
    text = f"the Docker endpoint {address} is an IPv6 address, and ports are published on IPv4 addresses only"
    return EngineError(text, hint="name the engine's machine by an IPv4 address or by a host name that has one")


def _of_context(environment: Mapping[str, str]) -> str:
    """The address in the chosen context; empty for the default one, and where `docker` will say what is wrong."""
    folder = Path(environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/"), ".docker"))
    name = environment.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext", "")
    if name in ("", "default"):
        return ""
    place = hashlib.sha256(str(name).encode()).hexdigest()
    found = _read(folder / "contexts" / "meta" / place / "meta.json")
    with contextlib.suppress(KeyError, TypeError):
        return str(found["Endpoints"]["docker"]["Host"])
    return ""


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(ArcError, OSError, ValueError):
        document = json.loads(read_text(path, ""))
        return document if isinstance(document, dict) else {}
    return {}
