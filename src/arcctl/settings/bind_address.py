"""The address of the engine's machine on which all ports are published."""

from __future__ import annotations

import ipaddress

from arcctl.model.env import Variable
from arcctl.model.names import LOOPBACK

PREFIX = "ARCCTL_"
NAME = f"{PREFIX}BIND_ADDRESS"
NEAR = f"{PREFIX}BIND"
"""How names begin that are meant for it: other variables of arcctl have the prefix, too."""
VARIABLE = Variable(
    name=NAME,
    field="bind_address",
    default=LOOPBACK,
    description="Address of the engine's machine on which ports are published; 0.0.0.0 is every one, also for others.",
    secret=False,
    generate=None,
    shared=False,
    of_machine=True,
)
HINT = "127.0.0.1, 0.0.0.0 for every address, or the address of one interface"


def problem(address: str) -> str:
    """Why nothing can be published on an address; empty where it can."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "is not an IPv4 address"
    return "is an IPv6 address: clients are told IPv4 addresses" if found.version == 6 else ""


def reference() -> str:
    """The address as Compose reads it."""
    return f"${{{NAME}:-{LOOPBACK}}}"
