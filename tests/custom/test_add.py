"""Adding a custom service: the ports that it gets."""

from __future__ import annotations

from arcctl.custom.add import free_ports
from tests.fakes.toy import Toy


def test_a_port_is_neither_used_by_a_service_nor_in_use_now() -> None:
    toy = Toy()
    toy.directory.kept = {"BIG_SHOP_TOKEN": "t" * 15 + "o" * 17, "STORE_PASSWORD": "p" * 15 + "o" * 28}
    toy.ports.busy = {8100: "somebody", 8102: "somebody"}
    assert free_ports(toy.project(), 2) == (8101, 8103)
