"""The images that run are as promised: the stand-ins, or the official ones where these can be pulled."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.e2e.driver import Platform
from tests.testbed.catalogue import BY_NAME
from tests.testbed.places import IMAGES

PROMISES: dict[str, Any] = yaml.safe_load((IMAGES / "promises.yaml").read_text())
ROOT = ("", "0", "root")


def test_each_stand_in_promises_something() -> None:
    assert set(PROMISES) == {name for name, image in BY_NAME.items() if image.kind != "base" and not image.context}


@pytest.mark.parametrize("name", [name for name in PROMISES if name != "python"])
def test_an_image_is_as_promised(stack: Platform, name: str) -> None:
    found = json.loads(stack.docker("image", "inspect", BY_NAME[name].reference))[0]["Config"]
    user = found.get("User") or ""
    has = {
        "user": "" if user in ROOT else user,
        "entrypoint": found.get("Entrypoint") or [],
        "command": found.get("Cmd") or [],
        "volumes": sorted(found.get("Volumes") or {}),
        "folder": found.get("WorkingDir") or "",
    }
    wanted = PROMISES[name]["image"]
    assert {key: has[key] for key in wanted} == wanted
    environment = dict(line.split("=", 1) for line in found.get("Env") or [])
    promised = PROMISES[name].get("environment", {})
    assert {key: environment.get(key) for key in promised} == promised
