"""`images.lock.json`: which image each reference has to be. Made to be committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from arcctl.core.stored import Locked
from arcctl.errors import HomeError

FILE = "images.lock.json"
SCHEMA = "arcctl.images-lock/v1"


def read(path: Path) -> dict[str, Locked]:
    """Empty where there is none. Raises HomeError for a file that is none."""
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text())
        if document["schema"] != SCHEMA:
            raise ValueError(document["schema"])
        return {reference: Locked(**item) for reference, item in document["images"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise HomeError(f"{path} is not a lock of images", hint="arcctl images lock writes it anew") from None


def text(lock: Mapping[str, Locked]) -> str:
    images = {reference: asdict(locked) for reference, locked in sorted(lock.items())}
    return json.dumps({"schema": SCHEMA, "images": images}, indent=2) + "\n"
