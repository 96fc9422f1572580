"""httpx without its command line program, which would load rich and pygments and take longer than a look at everything.

httpx brings that program in wherever its needs are met, and goes on without it where it cannot be imported.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402, TID253

__all__ = ["httpx"]
