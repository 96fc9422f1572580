"""Prompts of our own where they cannot log in."""

from __future__ import annotations

import socket

import pytest

from arcctl.core.connect import NatsPrompt, Prompt, RedisPrompt
from arcctl.errors import UnhealthyError
from arcctl.runtime import sessions

REDIS = RedisPrompt(user="default", port=6379, password="s3ntinel")
NATS = NatsPrompt(user="arc", port=4222, password="s3ntinel")


def _closed() -> int:
    """A port on which nobody listens."""
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        return int(once.getsockname()[1])


@pytest.mark.parametrize("prompt", [REDIS, NATS], ids=lambda p: type(p).__name__)
def test_a_port_that_is_closed_is_said_so_without_the_password(prompt: Prompt) -> None:
    port = _closed()
    with pytest.raises(UnhealthyError, match=f"no login at port {port}: .+") as caught:
        sessions.begin(prompt, port, print)
    assert "s3ntinel" not in str(caught.value)
