"""Pulls images with one call of `docker compose`, which prints its progress as one JSON document a line.

A line about an image has the name of its service (Compose 2) or its reference (Compose 5) as `id`; a line about a layer
has that as `parent_id`. Of a pull that was cut off, Docker keeps the images that are complete; where it stores images
with containerd also what came of the others, and asks only for the rest again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Any, NamedTuple

from arcctl.engines.base import PullProgress
from arcctl.engines.docker.refusals import no_engine, not_installed, pull_failure

PARALLEL = 8
"""How many images are pulled at the same time; of how many layers at the same time is a setting of Docker."""
LONGEST = 1 << 20
"""Bytes of a line."""
_COMMAND = (
    "docker", "compose", "--file", "-", "--project-name", "arcctl", "--env-file", os.devnull,
    "--progress", "json", "--parallel", str(PARALLEL), "pull",
)  # fmt: skip
_DOWNLOADED = {"Verifying Checksum", "Download complete", "Extracting", "Pull complete"}
_FAILED = {"Warning", "Error"}


async def pull(references: Iterable[str]) -> AsyncGenerator[PullProgress, None]:
    output = PullOutput(references)
    async with _compose(output.project) as process:
        assert process.stderr
        async for line in process.stderr:
            if progress := output.read(line.decode(errors="replace")):
                yield progress
        code = await process.wait()
    for progress in output.end(code):
        yield progress


@contextlib.asynccontextmanager
async def _compose(project: str) -> AsyncIterator[Process]:
    """The running program, which is killed where it is left early."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, limit=LONGEST, process_group=0
        )
    except FileNotFoundError:
        raise not_installed() from None
    try:
        assert process.stdin
        process.stdin.write(project.encode())
        process.stdin.close()
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # Compose is a child of `docker`
        await process.communicate()  # to the end of its output, or the pipe would stay open


class _Layer(NamedTuple):
    reference: str
    """The image that it counts for."""
    done: int = 0
    total: int = 0


class PullOutput:
    """What Compose says about the images of one pull."""

    def __init__(self, references: Iterable[str]) -> None:
        self._services = {f"i{number}": reference for number, reference in enumerate(dict.fromkeys(references))}
        self._images = {**self._services, **{f"Image {reference}": reference for reference in self._services.values()}}
        self._open = list(self._services.values())
        self._layers: dict[str, _Layer] = {}
        self._reasons: list[str] = []
        """What was said of an image that failed."""
        self._others: list[str] = []
        """What was said of none."""

    @property
    def project(self) -> str:
        """The Compose file. Compose pulls the others on when one fails only where it could build that one."""
        services = {name: {"image": reference, "build": "/"} for name, reference in self._services.items()}
        return json.dumps({"services": services})

    def read(self, line: str) -> PullProgress | None:
        """Takes one line; the progress that it means, if any."""
        event = _event(line)
        image, of_layer = self._images.get(event.get("id", "")), self._images.get(event.get("parent_id", ""))
        if not event:
            self._others.append(line.strip())
        elif event.get("error"):
            self._others += str(event.get("message", "")).splitlines()
        elif of_layer in self._open:
            return self._read_layer(of_layer, event)
        elif image in self._open:
            return self._read_image(image, event)
        return None

    def _read_layer(self, reference: str, event: dict[str, Any]) -> PullProgress | None:
        before = self._layers.get(event.get("id", ""), _Layer(reference))
        if before.reference != reference:
            return None
        if event.get("text") == "Downloading":
            done = event.get("current", 0)
            now = _Layer(reference, done, max(done, event.get("total", 0)))
        elif event.get("text") in _DOWNLOADED:
            now = _Layer(reference, before.total, before.total)
        else:
            return None
        self._layers[event.get("id", "")] = now
        return self._progress(reference) if now != before else None

    def _read_image(self, reference: str, event: dict[str, Any]) -> PullProgress:
        words = [str(event[name]) for name in ("details", "status", "text") if event.get(name)]
        if "Pulled" in words:
            return self._end(reference)
        if _FAILED.isdisjoint(words):
            return self._progress(reference)
        return self._end(reference, next((word for word in words if word not in _FAILED), "docker gives no reason"))

    def end(self, code: int) -> Iterator[PullProgress]:
        """Takes the exit code; how the other images ended. Raises EngineError where there is no engine."""
        if code and (error := no_engine("\n".join(self._others))):
            raise error
        others = [line for line in self._others if line and not any(reason in line for reason in self._reasons)]
        failed = "; ".join(dict.fromkeys(others)) or f"docker ended with exit code {code}, and without a reason"
        for reference in tuple(self._open):
            yield self._end(reference, failed if code else "")

    def _end(self, reference: str, failed: str = "") -> PullProgress:
        self._open.remove(reference)
        progress = self._progress(reference)
        if not failed:
            return PullProgress(reference=reference, done=progress.total, total=progress.total, pulled=True)
        self._reasons.append(failed)
        self._layers = {name: layer for name, layer in self._layers.items() if layer.reference != reference}
        failure = pull_failure(reference, failed)
        return PullProgress(reference=reference, done=progress.done, total=progress.total, failure=failure)

    def _progress(self, reference: str) -> PullProgress:
        layers = [layer for layer in self._layers.values() if layer.reference == reference]
        done, total = sum(layer.done for layer in layers), sum(layer.total for layer in layers)
        return PullProgress(reference=reference, done=done, total=total)


def _event(line: str) -> dict[str, Any]:
    """Empty for a line that is not one."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
