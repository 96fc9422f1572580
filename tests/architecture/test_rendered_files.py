"""The committed Compose files: as the declarations say, accepted by Compose, closed in production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arcctl import services
from arcctl.model.service import Role
from arcctl.settings.resolve import missing_secrets

CHECKOUT = Path(__file__).parents[2]
STACK = ("base.yaml", "stack.yaml")


needs_compose = pytest.mark.usefixtures("compose_cli")


def _config(*files: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`docker compose config` over committed files, with a value for each secret and nothing else."""
    secrets = dict.fromkeys(missing_secrets(services.load(), {}), "sentinel")
    chosen = [word for name in files for word in ("-f", f"compose/{name}")]
    return subprocess.run(
        ("docker", "compose", "--env-file", os.devnull, *chosen, "config", *options),
        cwd=CHECKOUT,
        env=secrets | {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )


def _document(*files: str) -> dict[str, Any]:
    done = _config(*files, options=("--format", "json"))
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def _published(document: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Address and port that each service publishes, of those that publish any."""
    ports = {k: [(p.get("host_ip", ""), p["published"]) for p in s.get("ports", [])] for k, s in document.items()}
    return {key: found for key, found in ports.items() if found}


def test_the_committed_files_are_what_the_declarations_say() -> None:
    arcctl = Path(sys.executable).with_name("arcctl")
    done = subprocess.run(
        (arcctl, "--project-directory", CHECKOUT, "render", "--check"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@needs_compose
@pytest.mark.parametrize("files", [("base.yaml",), STACK, (*STACK, "prod.yaml")], ids="+".join)
def test_compose_accepts_the_files_without_a_word(files: tuple[str, ...]) -> None:
    done = _config(*files, options=("-q",))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_compose
def test_on_a_workstation_every_port_is_on_the_loopback_address() -> None:
    published = _published(_document(*STACK)["services"])
    assert {address for ports in published.values() for address, _ in ports} == {"127.0.0.1"}
    assert set(published) >= set(services.names())


@needs_compose
def test_in_production_only_the_gateway_is_published() -> None:
    document = _document(*STACK, "prod.yaml")
    assert _published(document["services"]) == {"traefik": [("", "80"), ("", "443")]}


@needs_compose
def test_in_production_everything_that_runs_starts_at_boot() -> None:
    restarts = {k: s["restart"] for k, s in _document(*STACK, "prod.yaml")["services"].items()}
    init_containers = {h.id for s in services.load().services.values() for h in s.components if h.role is Role.INIT}
    assert restarts == {key: "no" if key in init_containers else "always" for key in restarts}
