"""A program named `docker` that prints given answers and records its calls."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = """\
#!/bin/sh
folder=${0%/*}/answers
echo "$*" >> "$folder/calls"
for file in "$folder"/*.when; do
  read -r pattern < "$file"
  case "$*" in $pattern)
    name=${file%.when}
    [ ! -f "$name.after" ] || grep -q -e "$(cat "$name.after")" "$folder/calls" || continue
    [ -f "$name.hang" ] && exec sleep 60
    cat "$name.out"
    [ ! -s "$name.err" ] || cat "$name.err" >&2
    read -r code < "$name.code"
    exit "$code"
  esac
done
echo "no answer is set for: docker $*" >&2
exit 99
"""
"""It starts one more program for an answer, not ten: these tests call it some ten thousand times."""


@dataclass(frozen=True)
class FakeDocker:
    """Answers in a folder; of two patterns that match, the newer one is used."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "answers").mkdir(parents=True)
        program = self.folder / "docker"
        program.write_text(SCRIPT)
        program.chmod(0o755)

    @property
    def path(self) -> str:
        """A PATH with this program first."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    @property
    def calls(self) -> list[str]:
        log = self.folder / "answers" / "calls"
        return log.read_text().splitlines() if log.is_file() else []

    def says(
        self, when: str, out: object = "", *, err: str = "", code: int = 0, hang: bool = False, after: str = ""
    ) -> None:
        """`when` is a shell pattern of the arguments; an `out` that is not a text is printed as JSON.

        With `after`, this is the answer as soon as a call had this text in it.
        """
        number = 999 - len(list((self.folder / "answers").glob("*.when")))
        stem = self.folder / "answers" / f"{number}"
        stem.with_suffix(".when").write_text(when.replace(" ", "\\ "))
        stem.with_suffix(".out").write_text(out if isinstance(out, str) else json.dumps(out))
        stem.with_suffix(".err").write_text(err)
        stem.with_suffix(".code").write_text(str(code))
        if after:
            stem.with_suffix(".after").write_text(after)
        if hang:
            stem.with_suffix(".hang").touch()


def inspected(name: str, **changed: Any) -> dict[str, Any]:
    """One element of what `docker container inspect` prints, with the fields that arcctl reads and some others.

    `changed` replaces parts: `State`, `Ports`, `Labels`, or fields of the top.
    """
    state = {"Status": "running", "Running": True, "ExitCode": 0, "OOMKilled": False, "Error": ""}
    state |= {"StartedAt": "2026-01-31T10:00:01.234567891Z"}
    host = {"Memory": 0, "PidsLimit": None, "PortBindings": None}
    labels = {
        "com.docker.compose.project": "arc",
        "com.docker.compose.service": name,
        "com.docker.compose.config-hash": f"hash-of-{name}",
    }
    return {
        "Id": "3f2c" * 16,
        "Created": "2026-01-31T10:00:00.000000000Z",
        "Path": "docker-entrypoint.sh",
        "Name": f"/arc_{name.replace('-', '_')}",
        "RestartCount": changed.pop("RestartCount", 0),
        "Image": changed.pop("Image", f"sha256:{name}"),
        "State": state | changed.pop("State", {}),
        "Config": {
            "Image": f"toy/{name}:1.0",
            "Env": ["PATH=/bin"],
            "Labels": labels | changed.pop("Labels", {}),
        },
        "HostConfig": host | changed.pop("HostConfig", {}),
        "NetworkSettings": {"Ports": changed.pop("Ports", {}), "Networks": changed.pop("Networks", joined(name))},
    } | changed


def joined(name: str, *networks: str) -> dict[str, dict[str, object]]:
    """Networks as the engine tells them, by default the common one and those that the toy catalogue uses."""
    return {
        network: {"Aliases": [f"arc_{name}", name], "DNSNames": [f"arc_{name}", name, "3f2c"], "EndpointID": "e1"}
        for network in networks or ("arc", "arc_back", "arc_socket")
    }


def published(**ports: int) -> Mapping[str, list[dict[str, str]]]:
    """Ports as the engine tells them: `published(p7000=7001)`, on both loopback addresses."""
    hosts = ("127.0.0.1", "::1")
    return {f"{name[1:]}/tcp": [{"HostIp": ip, "HostPort": str(port)} for ip in hosts] for name, port in ports.items()}
