"""`images.lock.json`: the image that each reference has to be. It is meant to be committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from arcctl.model.image import Locked
from arcctl.settings.text import read_json

FILE = "images.lock.json"
SCHEMA: Literal["arcctl.images-lock/v1"] = "arcctl.images-lock/v1"


@dataclass(frozen=True)
class _Document:
    schema: Literal["arcctl.images-lock/v1"]
    images: dict[str, Locked]


def read(path: Path) -> dict[str, Locked]:
    """The locked image of each reference; empty where there is no file. Raises ProjectError for any other file."""
    return read_json(path, _Document, _Document(SCHEMA, {})).images


def text(lock: Mapping[str, Locked]) -> str:
    images = {reference: asdict(locked) for reference, locked in sorted(lock.items())}
    return json.dumps({"schema": SCHEMA, "images": images}, indent=2) + "\n"
