"""httpx without its command line program: that imports Rich and Pygments, which takes longer than `health`.

httpx works without the program where it cannot be imported.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402, TID253

__all__ = ["httpx"]
