"""The environment, checked as Infisical checks it at the start."""

from __future__ import annotations

import base64
import binascii
import os
import sys
from dataclasses import dataclass

KEY_LENGTH = 32


@dataclass(frozen=True)
class Settings:
    """The settings of the server."""

    key: bytes
    auth_secret: str
    database: str
    redis: str
    port: int
    metrics: bool


def refuse(problem: str) -> None:
    """Exit as the real server does for a wrong environment."""
    print(f"Invalid environment variables. Check the error below\n{problem}", file=sys.stderr, flush=True)
    sys.exit(255)


def read() -> Settings:
    """The settings; exits if they are wrong."""
    for name in ("AUTH_SECRET", "DB_CONNECTION_URI", "REDIS_URL"):
        if not os.environ.get(name):
            refuse(f"{name}: Required")
    return Settings(
        key=encryption_key(),
        auth_secret=os.environ["AUTH_SECRET"],
        database=os.environ["DB_CONNECTION_URI"],
        redis=os.environ["REDIS_URL"],
        port=int(os.environ.get("PORT") or 8080),
        metrics=telemetry() == ("true", "prometheus"),
    )


def telemetry() -> tuple[str | None, str | None]:
    """The two variables that enable the metrics port."""
    return os.environ.get("OTEL_TELEMETRY_COLLECTION_ENABLED"), os.environ.get("OTEL_EXPORT_TYPE")


def encryption_key() -> bytes:
    """Exactly 32 characters, or 32 bytes in base64 under the other name."""
    root = os.environ.get("ROOT_ENCRYPTION_KEY")
    key = decoded(root) if root else os.environ.get("ENCRYPTION_KEY", "").encode()
    if len(key) != KEY_LENGTH:
        refuse("RangeError: Invalid key length (ENCRYPTION_KEY must be 32 characters, e.g. 16 random bytes in hex)")
    return key


def decoded(text: str) -> bytes:
    """Decoded base64; empty if it is invalid."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
