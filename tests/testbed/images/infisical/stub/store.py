"""Stores records in Postgres and checks that the encryption key is the one of the database."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import psycopg
import redis  # type: ignore[import-not-found,unused-ignore]

from .settings import Settings

TABLE = """CREATE TABLE IF NOT EXISTS stub_record (
    kind text NOT NULL, id text NOT NULL, body jsonb NOT NULL, PRIMARY KEY (kind, id))"""
KEEP_FIRST = "INSERT INTO stub_record VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
KEEP_LAST = "INSERT INTO stub_record VALUES (%s, %s, %s) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"
LOCK = 7_361_994
TRIES = 15


class Store:
    """Records by kind and id."""

    def __init__(self, settings: Settings) -> None:
        self.address = settings.database
        self.migrate(hashlib.sha256(settings.key).hexdigest())

    def migrate(self, fingerprint: str) -> None:
        """Create the table under a lock; refuse a database of another key."""
        with psycopg.connect(self.address, connect_timeout=5) as db:
            db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
            db.execute(TABLE)
        known = self.get("key", "root")
        if known is None:
            self.put("key", "root", {"fingerprint": fingerprint})
        elif known["fingerprint"] != fingerprint:
            raise SystemExit("ENCRYPTION_KEY does not match the key this database was made with (root KMS key)")

    def put(self, kind: str, name: str, body: dict[str, Any], *, fresh: bool = False) -> bool:
        """Store a record, with `fresh` only a new one; return whether it was stored."""
        text = KEEP_FIRST if fresh else KEEP_LAST
        with psycopg.connect(self.address, connect_timeout=5) as db:
            return db.execute(text, (kind, name, json.dumps(body))).rowcount == 1

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One record."""
        with psycopg.connect(self.address, connect_timeout=5) as db:
            row = db.execute("SELECT body FROM stub_record WHERE kind = %s AND id = %s", (kind, name)).fetchone()
        return None if row is None else dict(row[0])

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every record of a kind."""
        with psycopg.connect(self.address, connect_timeout=5) as db:
            rows = db.execute("SELECT body FROM stub_record WHERE kind = %s ORDER BY id", (kind,)).fetchall()
        return [dict(row[0]) for row in rows]

    def remove(self, kind: str, name: str) -> dict[str, Any] | None:
        """Remove a record."""
        with psycopg.connect(self.address, connect_timeout=5) as db:
            text = "DELETE FROM stub_record WHERE kind = %s AND id = %s RETURNING body"
            row = db.execute(text, (kind, name)).fetchone()
        return None if row is None else dict(row[0])


def connect(settings: Settings) -> Store:
    """The store; waits until Postgres and Redis answer."""
    for left in range(TRIES, 0, -1):
        try:
            redis.Redis.from_url(settings.redis, socket_timeout=5).ping()
            return Store(settings)
        except (psycopg.OperationalError, redis.exceptions.RedisError) as problem:
            print(f"not connected ({left - 1} tries left): {problem}", flush=True)
            time.sleep(1)
    raise SystemExit(1)
