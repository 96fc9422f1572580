"""What Docker refuses, as errors with one sentence and a next step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from arcctl.engines.base import oldest
from arcctl.errors import ArcError, EngineError, NotPermitted

NO_ENGINE = "start Docker and try again; `docker version` shows whether it runs"
INSTALL = f"install Docker {oldest('Docker')} or newer"
NO_COMPOSE = (
    "Docker has no Compose plugin",
    f"install the Compose plugin {oldest('Compose')} or newer",
)
_MAY_NOT = re.compile(r"permission denied while trying to |connect: permission denied")
"""What Docker and the system say about a socket; a file that Docker may not read is something else."""
_KNOWN = {
    "connect to the docker daemon": ("cannot reach the Docker engine", NO_ENGINE),
    "docker daemon is not running": ("cannot reach the Docker engine", NO_ENGINE),
    "unknown command: docker compose": NO_COMPOSE,
    "'compose' is not a docker command": NO_COMPOSE,
}
"""What Docker prints on standard error as a message and a hint."""


def refusal(stderr: str, what: str = "docker", hint: str = "arcctl doctor") -> ArcError:
    """The error for what a failed call printed: the last line of it where it is none of the known ones."""
    if _MAY_NOT.search(stderr.lower()):
        return NotPermitted(
            "permission denied on the socket of the Docker engine: are you in the group docker?",
            hint="sudo usermod -aG docker $USER, then log in again",
        )
    for words, (message, next_step) in _KNOWN.items():
        if words in stderr.lower() and "docker" in stderr.lower():
            return EngineError(message, hint=next_step)
    lines = [line for line in stderr.strip().splitlines() if line.strip()] or ["docker failed and printed no reason"]
    text = lines[-1].removeprefix("Error response from daemon: ").removeprefix("error: ")
    return EngineError(f"{what}: {text}", hint=hint)


@contextmanager
def translated(what: str = "docker", hint: str = "arcctl doctor") -> Iterator[None]:
    """Turn the library's exceptions into ours; its message repeats the whole command line, so only stderr is kept."""
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except DockerException as error:
        raise refusal(error.stderr or "", what, hint) from None
