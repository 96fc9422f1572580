"""`images`: what the platform is made from, held to a lock, carried in a file, compared with what registries have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arcctl.app.world import World
from arcctl.core.events import Event, Kind
from arcctl.core.graph import resolve
from arcctl.core.images import split, tag_settings
from arcctl.core.observed import Observed
from arcctl.core.ports import Images, Registries
from arcctl.core.stored import SAID, Image, Locked, Match, changed, lock_of, match
from arcctl.core.versions import newer, parse
from arcctl.errors import PreflightError, UnhealthyError, UsageError

REGISTRY_SECONDS = 20.0
"""What asking all registries may take."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image, and who is made from it."""

    reference: str
    users: tuple[str, ...]
    built: bool
    image: Image | None
    match: Match
    runs: tuple[str, ...]
    """Containers that run something else, each with what it is."""


@dataclass(frozen=True, kw_only=True)
class Newer:
    """What a registry has that follows one image."""

    reference: str
    user: str
    """The container by whose name another tag is chosen."""
    tags: tuple[str, ...] = ()
    """The newest first."""
    unknown: str = ""
    """Why nothing is known."""


def store(world: World) -> Images:
    """Raises UsageError on an engine that runs no images."""
    if world.images is None:
        raise UsageError(
            f"the {world.engine.name} engine runs no images: its servers are programs from packages",
            hint="arcctl engine list",
        )
    return world.images


def users(words: tuple[str, ...], world: World) -> dict[str, tuple[str, ...]]:
    """Each image of these services and their helpers, with the containers that are made from it."""
    found: dict[str, tuple[str, ...]] = {}
    for key, container in world.catalogue.containers(resolve(words or ("all",), world.catalogue)).items():
        found[container.image] = (*found.get(container.image, ()), key)
    return dict(sorted(found.items()))


def built(world: World) -> frozenset[str]:
    """Images that are made here and not pulled."""
    return frozenset(c.image for c in world.catalogue.containers().values() if c.build)


def listed(words: tuple[str, ...], world: World) -> tuple[Row, ...]:
    wanted, own, lock = users(words, world), built(world), world.home.image_lock()
    images, observed = store(world).look(wanted), world.engine.observe()
    return tuple(
        Row(
            reference=reference,
            users=keys,
            built=reference in own,
            image=images.get(reference),
            match=match(images.get(reference), lock.get(reference)),
            runs=_running_others(reference, keys, images.get(reference), observed),
        )
        for reference, keys in wanted.items()
    )


def _running_others(reference: str, keys: tuple[str, ...], image: Image | None, observed: Observed) -> tuple[str, ...]:
    found = []
    for key in keys:
        now = observed.of(key)
        if now.image and now.image != reference:
            found.append(f"{key} is made from {now.image}")
        elif now.image and image and now.image_id != image.id:
            found.append(f"{key} is made from another image of this name")
    return tuple(found)


def lock(world: World) -> tuple[Mapping[str, Locked], tuple[str, ...]]:
    """Write the lock over all images that are pulled; returns it, and what is not here and stays as it was."""
    wanted = [reference for reference in users((), world) if reference not in built(world)]
    images = store(world).look(wanted)
    before = {r: kept for r, kept in world.home.image_lock().items() if r in wanted}
    missing = tuple(r for r in wanted if r not in images)
    if not images:
        raise UnhealthyError("none of the images is here", hint="arcctl images pull")
    locked = {**before, **lock_of(images)}
    world.home.lock_images(locked)
    return locked, missing


def hold(services: tuple[str, ...], world: World, *, strict: bool) -> None:
    """Warn where an image is not the one that is locked.

    Raises PreflightError with `strict`, also for images that are not here or not in the lock.
    """
    kept = world.home.image_lock()
    if not strict and not (kept and world.images):
        return
    wanted = [r for r in users(services, world) if r not in built(world)]
    images = store(world).look(wanted)
    states = {r: match(images.get(r), kept.get(r)) for r in wanted}
    odd = [f"{r} is {SAID[state]}" for r, state in states.items() if state is not Match.LOCKED]
    if strict and odd:
        raise PreflightError("; ".join(odd), hint="arcctl images list, then arcctl images pull or arcctl images lock")
    for reference in changed(images, kept):
        world.sink(Event(Kind.WARNING, "", f"{reference} is {SAID[Match.OTHER]} (arcctl images list)"))


def pull(words: tuple[str, ...], world: World) -> tuple[Row, ...]:
    """Bring images from their registries, one after the other; those that are built are left to `up`."""
    images, own = store(world), built(world)
    for reference in (r for r in users(words, world) if r not in own):
        world.sink(Event(Kind.WORKING, reference, "pull"))
        for line in images.pull(reference):
            world.sink(Event(Kind.WAITING, reference, line))
        world.sink(Event(Kind.READY, reference, "is here"))
    return tuple(row for row in listed(words, world) if not row.built)


def save(words: tuple[str, ...], path: Path, world: World) -> Mapping[str, Image]:
    """Everything that these services are made from, in one file.

    Raises UnhealthyError for an image that is not here.
    """
    wanted = users(words, world)
    images = store(world).look(wanted)
    missing = [r for r in wanted if r not in images]
    if missing:
        own = set(missing) <= built(world)
        hint = f"arcctl up {wanted[missing[0]][-1]}" if own else f"arcctl images pull {' '.join(words)}".rstrip()
        raise UnhealthyError(f"not here: {', '.join(missing)}", hint=hint)
    store(world).save(images, path)
    return images


def load(path: Path, world: World) -> tuple[Row, ...]:
    """Take in a file that `save` made; what came, held to the lock and to what the platform is made from."""
    images = store(world).load(path)
    there, lock, wanted = store(world).look(images), world.home.image_lock(), users((), world)
    return tuple(
        Row(
            reference=reference,
            users=wanted.get(reference, ()),
            built=reference in built(world),
            image=there.get(reference),
            match=match(there.get(reference), lock.get(reference)),
            runs=(),
        )
        for reference in images
    )


async def outdated(words: tuple[str, ...], world: World, registries: Registries) -> tuple[Newer, ...]:
    """Newer tags of the same flavour. Never raises for a registry that does not answer."""
    own, wanted = built(world), users(words, world)
    references = [r for r in wanted if r not in own]
    found = await registries.tags({split(r)[0] for r in references}, REGISTRY_SECONDS)
    owners = {s.current: s.key for s in tag_settings(world.catalogue).values()}
    return tuple(_newer(r, owners.get(r, ""), found[split(r)[0]]) for r in references)


def _newer(reference: str, user: str, found: tuple[str, ...] | str) -> Newer:
    tag = split(reference)[1]
    if isinstance(found, str):
        return Newer(reference=reference, user=user, unknown=found)
    if parse(tag) is None:
        return Newer(reference=reference, user=user, unknown=f"the tag {tag!r} is no version")
    return Newer(reference=reference, user=user, tags=newer(tag, found))
