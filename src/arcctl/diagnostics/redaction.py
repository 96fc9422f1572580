"""Removes secrets from texts: every known value in each encoding, and what looks like a token."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "[removed]"
SHORTEST = 4
"""A shorter value is part of too many words; arcctl generates none."""

_SHAPES: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", HIDDEN),
    (r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}", HIDDEN),
    (r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", HIDDEN),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", HIDDEN),
    (r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,})", HIDDEN),
    (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}", rf"\1 {HIDDEN}"),
    (r"(?<=://)([^/\s:@\"']*):(?!\$\{)([^/\s@\"']+)@", rf"\1:{HIDDEN}@"),
    (
        r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|credential)s?[\"']?[ \t]*[:=][ \t]*[\"']?)"
        r"(?!\[removed\]|[^\s\"']*\$\{)([^\s\"',;&)}\]]{4,})",
        rf"\1{HIDDEN}",
    ),
)
"""Patterns of tokens, and their replacement. `${NAME}` is the name of a setting, not a value."""


class Redactor:
    """Removes the secrets of one project."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None
        self._shapes = [(re.compile(pattern, re.DOTALL), left) for pattern, left in _SHAPES]

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern, left in self._shapes:
            text = pattern.sub(left, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """As it is, as in URLs, JSON, hexadecimal digits and base64."""
    raw = secret.encode()
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield json.dumps(secret)[1:-1]
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]
    yield raw.hex()
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The characters that do not depend on what is before and after it (`user:secret`)."""
    for before in range(3):
        shifted = bytes(before) + raw
        whole = len(shifted) // 3 * 4
        start = (0, 2, 3)[before]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(shifted).decode()[start:whole]
            if len(text) >= SHORTEST:
                yield text
