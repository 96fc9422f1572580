"""httpx without its command line program: that imports Rich and Pygments, which takes longer than `health`.

httpx works without the program where it cannot be imported. httpcore looks for sniffio before each lock, on the disk
where it is not installed, and without it takes asyncio, which is what arcctl uses.
"""

from __future__ import annotations

import sys

for absent in ("httpx._main", "sniffio"):
    sys.modules.setdefault(absent, None)  # type: ignore[arg-type]

import httpx  # noqa: E402, TID253

__all__ = ["httpx"]
