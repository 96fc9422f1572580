"""The users in grafana.db; the administrator is created at the first start."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

ROUNDS = 20_000
WRONG_LOGINS, WRONG_SECONDS = 5, 300


def digest(password: str, salt: bytes) -> bytes:
    """The stored hash of a password."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)


class Store:
    """Users in a SQLite file; the environment is used only at the first start."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "grafana.db"
        with self._database() as db:
            db.execute("CREATE TABLE IF NOT EXISTS user (login TEXT PRIMARY KEY, salt BLOB, digest BLOB)")
            db.execute("CREATE TABLE IF NOT EXISTS login_attempt (login TEXT, at REAL)")

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Committed at the end, and closed."""
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            yield db

    def first_boot(self, login: str, password: str) -> bool:
        """Create the administrator if there is no user."""
        with self._database() as db:
            if db.execute("SELECT count(*) FROM user").fetchone()[0]:
                return False
            salt = os.urandom(16)
            db.execute("INSERT INTO user VALUES (?, ?, ?)", (login, salt, digest(password, salt)))
            return True

    def knows(self, login: str, password: str) -> bool:
        """Whether the name and the password are right, and the name was not locked by wrong passwords."""
        with self._database() as db:
            wrong = "SELECT count(*) FROM login_attempt WHERE login = ? AND at > ?"
            if db.execute(wrong, (login, time.time() - WRONG_SECONDS)).fetchone()[0] >= WRONG_LOGINS:
                return False
            row = db.execute("SELECT salt, digest FROM user WHERE login = ?", (login,)).fetchone()
            right = row is not None and hmac.compare_digest(row[1], digest(password, row[0]))
            if row and not right:
                db.execute("INSERT INTO login_attempt VALUES (?, ?)", (login, time.time()))
        return right

    def change(self, login: str, password: str) -> None:
        """Change the password of a user."""
        salt = os.urandom(16)
        with self._database() as db:
            db.execute("UPDATE user SET salt = ?, digest = ? WHERE login = ?", (salt, digest(password, salt), login))

    def works(self) -> bool:
        """Whether the database answers."""
        try:
            with self._database() as db:
                return bool(db.execute("SELECT 1").fetchone())
        except sqlite3.Error:
            return False
