"""What Docker refuses, as errors with one sentence and a next step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from arcctl.engines.base import PullFailure, oldest
from arcctl.errors import ArcError, EngineError, NotPermitted
from arcctl.model.image import registry_host, registry_name

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


_CERTIFICATES = (
    "export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER, where FOLDER has ca.pem, cert.pem and key.pem for that engine"
    " (without TLS: unset both); `docker version` shows whether it answers"
)
_ELSEWHERE = "start that engine, or correct DOCKER_HOST or the context; `docker version` shows whether it answers"
_NO_TLS, _NO_ANSWER = "no TLS with the Docker engine: {}", "cannot reach the Docker engine at {}"
_CONNECTING = {
    r"unable to resolve docker endpoint: (open .*)": ("docker has no certificates: {}", _CERTIFICATES),
    r"error during connect: (?:\w+ \S+ )?((?:x509|tls|remote error): .*)": (
        _NO_TLS,
        _CERTIFICATES,
    ),
    r"(client sent an http request to an https server)": (_NO_TLS, _CERTIFICATES),
    r"error during connect: (?:\w+ \S+ )?(.*)": ("cannot reach the Docker engine: {}", _ELSEWHERE),
    r"cannot connect to the docker daemon at ((?:tcp|https?)://\S+)": (_NO_ANSWER, _ELSEWHERE),
}
"""What Docker prints where it cannot talk to an engine elsewhere, as a message that repeats its words, and a hint."""


def refusal(stderr: str, what: str = "docker", hint: str = "arcctl doctor") -> ArcError:
    """The error for what a failed call printed: the last line of it where it is none of the known ones."""
    lines = [line for line in stderr.strip().splitlines() if line.strip()] or ["docker failed and printed no reason"]
    return no_engine(stderr) or EngineError(f"{what}: {_own_words(lines[-1])}", hint=hint)


def no_engine(stderr: str) -> ArcError | None:
    """The error where there is no engine that this user can use, or no Compose."""
    if _MAY_NOT.search(stderr.lower()):
        return NotPermitted(
            "permission denied on the socket of the Docker engine: are you in the group docker?",
            hint="sudo usermod -aG docker $USER, then log in again",
        )
    for pattern, (message, next_step) in _CONNECTING.items():
        if said := re.search(pattern, stderr, re.IGNORECASE):
            return EngineError(message.format(said[1].strip().rstrip(".")), hint=next_step)
    for words, (message, next_step) in _KNOWN.items():
        if words in stderr.lower() and "docker" in stderr.lower():
            return EngineError(message, hint=next_step)
    return None


def not_installed() -> EngineError:
    return EngineError("the program `docker` is not on the PATH", hint=INSTALL)


_WRAPPERS = re.compile(
    r'^(Error response from daemon: |error: |unknown: |failed to resolve reference "[^"]*": |failed to do request: )+'
)


def _own_words(text: str) -> str:
    return _WRAPPERS.sub("", text)


_LIMIT = re.compile(r"(?i)toomanyrequests|too many requests|rate limit")
_LOGIN = re.compile(
    r"(?i)unauthorized|forbidden|authentication required|authorization failed|no basic auth|(?<!permission )denied"
)
_MISSING = re.compile(r"(?i)manifest unknown|name unknown|manifest for \S+ not found|: not found$")
_MISSING_OR_LOGIN = re.compile(r"(?i)repository does not exist or may require")
_PASSING = re.compile(
    r"(?i)\b5\d\d (internal server error|bad gateway|service unavailable|gateway time-?out)|status(:| code:?) 5\d\d\b"
    r"|connection (reset|refused|closed|aborted)|broken pipe|\beof\b|time-?out|timed out|deadline exceeded"
    r"|network is unreachable|no route to host|server misbehaving|temporary failure|stream error|short read"
    r"|error from registry:"
)
"""What a registry or a bad network says that may be over in a moment. A host that is not found is not: it is mostly a
wrong name, or no network at all."""
_OTHERWISE = "check the network, or copy it from another machine (arcctl images load FILE)"


def pull_failure(reference: str, words: str) -> PullFailure:
    """Why an image cannot be pulled, from what Docker says about it."""
    name, login = registry_name(reference), f"docker login {registry_host(reference)}".rstrip()
    if _LIMIT.search(words):
        return PullFailure(
            reason=f"the rate limit of {name} is used up", hint=f"wait, or raise it ({login})", passing=True
        )
    if _MISSING_OR_LOGIN.search(words):
        reason, hint = f"{name} has no such image, or wants a login", f"check its name, or log in ({login})"
        return PullFailure(reason=reason, hint=hint, passing=False)
    if _LOGIN.search(words):
        return PullFailure(reason=f"{name} wants a login", hint=login, passing=False)
    if _MISSING.search(words):
        return PullFailure(
            reason=f"{name} has no such image", hint="check its name and its tag (arcctl images list)", passing=False
        )
    if "no space left on device" in words:
        return PullFailure(
            reason="no space left on the disk of the Docker engine", hint="free disk space", passing=False
        )
    return PullFailure(reason=_own_words(words), hint=_OTHERWISE, passing=bool(_PASSING.search(words)))


@contextmanager
def translated(what: str = "docker", hint: str = "arcctl doctor") -> Iterator[None]:
    """Turn the library's exceptions into ours; its message repeats the whole command line, so only stderr is kept."""
    from python_on_whales.exceptions import DockerException

    try:
        yield
    except DockerException as error:
        raise refusal(error.stderr or "", what, hint) from None
