"""`python -m tests.testbed up|down|prepare|build|status|env`: the test bed from a terminal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from arcctl.core.sources import Source
from arcctl.errors import ArcError
from tests.testbed import catalogue, engine, images
from tests.testbed.catalogue import ARTIFACTS, Image
from tests.testbed.places import docker_host
from tests.testbed.shell import TestbedError, output, say

BUILDS_AT_ONCE = 2
# An image the tests need anyway: an engine that can pull it needs no stand-ins.
PULL_PROOF = "redis:8.10.1-alpine"
PULL_SECONDS = 120


def up(options: argparse.Namespace) -> None:
    """The engine, then every image that is asked for; nothing when another engine can pull the official ones."""
    if not options.own and other_engine():
        say("another engine answers and can pull: nothing to do, the tests use it and the official images")
        return
    print(f"export DOCKER_HOST={engine.start(options.bind)}", flush=True)
    make_images(catalogue.select(options.names))


def other_engine() -> bool:
    """Whether an engine that is not ours answers where the docker CLI looks, and has a registry to pull from."""
    if os.environ.get("DOCKER_HOST") == docker_host() or not engine.answers():
        return False
    return output(["docker", "pull", "--quiet", PULL_PROOF], seconds=PULL_SECONDS) is not None


def build(options: argparse.Namespace) -> None:
    """Only the artifacts, without an engine."""
    make_artifacts([image.artifact for image in catalogue.select(options.names) if image.artifact])


def prepare(options: argparse.Namespace) -> None:
    """The servers that take long, ahead of the tests and in plain sight: both engines run them."""
    build(options)


def make_artifacts(wanted: list[Source]) -> None:
    """Build what is missing, two at a time, the long ones first."""
    missing = [source for source in wanted if not ARTIFACTS.ready(source)]
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        list(pool.map(images.make_artifact, sorted(missing, key=lambda source: -source.minutes)))


def make_images(wanted: list[Image]) -> None:
    """Make what is missing: grounds first, then images beside each other, those that wait for no build first."""
    for image in wanted:
        if image.name in catalogue.GROUNDS:
            images.ensure(image)
    rest = [image for image in wanted if image.name not in catalogue.GROUNDS and images.buildable(image)]
    waiting = [image for image in rest if image.artifact and not ARTIFACTS.ready(image.artifact)]
    at_once = [image for image in rest if image not in waiting]
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        failed = [text for text in pool.map(attempt, at_once + waiting) if text]
    if failed:
        raise TestbedError("\n".join(failed))
    for image in wanted:
        if not images.buildable(image):
            say(f"skipped {image.name}: {image.folder} has no Dockerfile")
    say("all images are ready")


def attempt(image: Image) -> str | None:
    """Make one image; what went wrong is an answer, so that the others still get made."""
    try:
        images.ensure(image)
    except (TestbedError, ArcError) as problem:
        say(f"{image.name} failed")
        return f"{image.name}: {problem}"
    return None


def down(options: argparse.Namespace) -> None:
    """Stop our engine; the cache stays."""
    del options
    engine.stop()


def status(options: argparse.Namespace) -> None:
    """A table of what there is."""
    running = engine.running()
    print(f"engine: {docker_host() if running else 'not running'}")
    print(f"{'image':<56} {'kind':<7} {'artifact':<9} ready")
    for image in catalogue.select(options.names):
        artifact = "-" if image.artifact is None else ("built" if ARTIFACTS.ready(image.artifact) else "missing")
        ready = "yes" if running and images.buildable(image) and images.is_ready(image) else "no"
        print(f"{image.reference:<56} {image.kind:<7} {artifact:<9} {ready}")


def env(options: argparse.Namespace) -> None:
    """The line a shell evaluates to use our engine."""
    del options
    if not engine.running():
        raise TestbedError("the engine is not running")
    print(f"export DOCKER_HOST={docker_host()}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": up,
    "down": down,
    "prepare": prepare,
    "build": build,
    "status": status,
    "env": env,
}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("names", nargs="*", help="names or references of images; all of them when there is none")
    parser.add_argument("--bind", type=Path, action="append", default=[], help="one more folder the engine sees")
    parser.add_argument("--own", action="store_true", help="our own engine even where another one answers")
    return parser.parse_args()


def main() -> None:
    """Run one command; a problem is one clear line and exit code 1."""
    options = parse()
    try:
        COMMANDS[options.command](options)
    except (TestbedError, ArcError) as problem:
        raise SystemExit(f"testbed: {problem}") from None


if __name__ == "__main__":
    main()
