"""Interactive clients that cannot log in."""

from __future__ import annotations

import socket

import pytest

from arcctl.connect.clients import sessions
from arcctl.errors import UnhealthyError
from arcctl.model.connection import InteractiveClient, NatsInteractiveClient, RedisInteractiveClient

REDIS = RedisInteractiveClient(user="default", port=6379, password="s3ntinel")
NATS = NatsInteractiveClient(user="arc", port=4222, password="s3ntinel")


def _closed() -> int:
    """A port on which nothing listens."""
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        return int(once.getsockname()[1])


@pytest.mark.parametrize("client", [REDIS, NATS], ids=lambda p: type(p).__name__)
def test_a_closed_port_is_reported_without_the_password(client: InteractiveClient) -> None:
    port = _closed()
    with pytest.raises(UnhealthyError, match=f"cannot log in on port {port}: .+") as caught:
        sessions.open_session(client, "127.0.0.1", port, print)
    assert "s3ntinel" not in str(caught.value)
