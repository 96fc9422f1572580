"""Secrets are removed from texts in every encoding, and the rest of a text stays."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcctl.diagnostics.redaction import HIDDEN, Redactor

SECRET = '*:*.Zx81+q/Tß7~u"w'  # every encoding changes something in it
redact = Redactor((SECRET, "plain-one-0123456789"))


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        json.dumps(SECRET),
        json.dumps({"line": json.dumps({"token": SECRET})}),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_each_encoding_of_a_known_secret_is_removed(form: str) -> None:
    found = redact(f"before <{form}> after")
    assert HIDDEN in found
    assert found.startswith("before <")
    assert found.endswith("> after")
    assert form not in found
    assert SECRET not in found


@given(user=st.text(max_size=9), secret=st.text("abcXYZ0189._~-", min_size=8, max_size=50), rest=st.text(max_size=9))
def test_base64_of_a_secret_between_other_words_is_removed_up_to_its_edges(user: str, secret: str, rest: str) -> None:
    """A base64 character that also depends on the neighbours is left: at most two bytes of the secret."""
    encoded = base64.b64encode(f"{user}:{secret}:{rest}".encode()).decode()
    left = Redactor((secret,))(encoded)
    assert HIDDEN in left
    assert len(encoded) - len(left.replace(HIDDEN, "")) >= (len(secret) - 4) * 4 / 3


def test_the_longer_of_two_secrets_is_removed_completely() -> None:
    assert Redactor(("abcdef", "abcdefghij"))("x abcdefghij y") == f"x {HIDDEN} y"


def test_no_secrets_or_very_short_ones_remove_nothing() -> None:
    assert Redactor(("", "a", "the"))("the rain in a town") == "the rain in a town"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdef.ghijkl", f"Authorization: Bearer {HIDDEN}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: basic {HIDDEN}"),
        ("postgres://arc:hunter22@db:5432/arc", f"postgres://arc:{HIDDEN}@db:5432/arc"),
        ("redis://:hunter22@db:6379", f"redis://:{HIDDEN}@db:6379"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end", f"jwt {HIDDEN} end"),
        ("key AKIAIOSFODNN7EXAMPLE", f"key {HIDDEN}"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", HIDDEN),
        ("sk-0123456789abcdefghijklmn", HIDDEN),
        ("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ", HIDDEN),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", f"{HIDDEN}\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", HIDDEN),
        ("POSTGRES_PASSWORD=hunter22", f"POSTGRES_PASSWORD={HIDDEN}"),
        ('{"api_key": "hunter22", "port": 1}', f'{{"api_key": "{HIDDEN}", "port": 1}}'),
        ("password: ${POSTGRES_PASSWORD}", "password: ${POSTGRES_PASSWORD}"),
        ("postgres://arc:${ARC_PASSWORD}@db/arc", "postgres://arc:${ARC_PASSWORD}@db/arc"),
        ("POSTGRES_PASSWORD_FILE: /run/arc/password", "POSTGRES_PASSWORD_FILE: /run/arc/password"),
        ("run_arc_password:\n    content: 1", "run_arc_password:\n    content: 1"),
        ("http://127.0.0.1:3000/a@b", "http://127.0.0.1:3000/a@b"),
    ],
)
def test_what_looks_like_a_token_is_removed(text: str, left: str) -> None:
    assert redact(text) == left
