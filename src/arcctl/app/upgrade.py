"""`upgrade`: what runs becomes what this home declares, with a copy of the data first; `undo` goes back."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from arcctl.app import up, verify
from arcctl.app.images import built, store
from arcctl.app.world import World, settings, sources
from arcctl.core.env import variables
from arcctl.core.events import Event, Kind
from arcctl.core.graph import resolve
from arcctl.core.images import TagSetting, chosen, is_tag, pinned, prefix, split, tag_settings
from arcctl.core.observed import ABSENT, Observed
from arcctl.core.proof import Outcome
from arcctl.core.settings import ENVIRONMENT, lookup
from arcctl.core.upgrade import Kind as MoveKind
from arcctl.core.upgrade import Move, make
from arcctl.errors import UpgradeError, UsageError

NOTE = "upgrade"
UNDO = "arcctl upgrade undo"


@dataclass(frozen=True, kw_only=True)
class Request:
    words: tuple[str, ...] = ()
    to: Mapping[str, str] = field(default_factory=dict)
    """Another tag, by the service or helper whose image it is."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    moves: tuple[Move, ...]
    tags: Mapping[str, str]
    """The settings that were asked for, by name."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(move.service for move in self.moves))


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What an upgrade does through others."""

    again: Callable[[], World]
    """The world after settings changed."""
    save: Callable[[tuple[str, ...]], Awaitable[str]]
    """A copy of the data of these services, by the name that `put_back` takes."""
    put_back: Callable[[str, tuple[str, ...], World], Awaitable[Mapping[str, str]]]
    """The services whose data could not be put back, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """The last upgrade, as it is remembered."""

    at: str
    moves: tuple[Move, ...]
    backup: str
    """Empty where nothing of it keeps data."""
    saved: tuple[str, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(move.service for move in self.moves))


def decide(request: Request, world: World) -> Decision:
    """Everything that would move, with its cause. Raises before anything is touched where something must not."""
    observed = world.engine.observe()
    tags = _tags(request.to, observed, world)
    wanted = chosen(world.catalogue, tags)
    services = resolve(request.words or ("all",), world.catalogue)
    if request.to and not request.words:
        named = {s.name: s.service for s in tag_settings(world.catalogue).values()}
        services = tuple(dict.fromkeys(named[name] for name in tags))
    images = world.engine.images(c.image for c in wanted.containers().values())
    return Decision(moves=make(wanted, services, observed, images, tags), tags=tags)


def _tags(to: Mapping[str, str], observed: Observed, world: World) -> dict[str, str]:
    """The settings that `--to` means. Raises UsageError for what is no image, no tag, or would have no effect."""
    if to:
        store(world)
    own = {s.key: s for s in tag_settings(world.catalogue).values()}
    found = {}
    for key, tag in to.items():
        if key not in own:
            near = difflib.get_close_matches(key, own, n=1)
            raise UsageError(
                f"no image has the name {key}", hint=f"did you mean {near[0]}?" if near else f"one of {', '.join(own)}"
            )
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is no tag", hint=f"arcctl images outdated {own[key].service}")
        if lookup(world.catalogue, own[key].name, sources(world)).origin == ENVIRONMENT:
            raise UsageError(f"the environment sets {own[key].name}, which is stronger", hint=f"unset {own[key].name}")
        if observed.of(key).state == ABSENT:
            service = own[key].service
            short = own[key].name.removeprefix(prefix(world.catalogue.services[service]))
            raise UsageError(
                f"{key} does not exist", hint=f"arcctl config set {service} {short} {tag}, then arcctl up {service}"
            )
        found[own[key].name] = tag
    return found


async def run(decision: Decision, world: World, ways: Ways) -> Undoable:
    """Images first, then a copy of the data, then the containers; and proof that what moved does its job.

    Raises UpgradeError where it does not; nothing is undone by itself.
    """
    _fetch(decision, world)
    saved = with_data(decision.services, world)
    backup = await ways.save(saved) if saved else ""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    done = Undoable(at=now, moves=decision.moves, backup=backup, saved=saved)
    world.home.keep_note(NOTE, asdict(done))
    owners = {s.name: s.service for s in tag_settings(world.catalogue).values()}
    for name, tag in decision.tags.items():
        world.home.set_value(owners[name], name, tag)
    await _prove(done.services, ways.again())
    return done


def _fetch(decision: Decision, world: World) -> None:
    """What cannot be had is known before anything changes."""
    missing = {m.after: m.key for m in decision.moves if m.after not in built(world)}
    here = world.engine.images(missing)
    for reference in (r for r in missing if world.images and r not in here):
        world.sink(Event(Kind.WORKING, reference, "pull"))
        for line in store(world).pull(reference):
            world.sink(Event(Kind.WAITING, reference, line))
        world.sink(Event(Kind.READY, reference, "is here"))


def with_data(services: tuple[str, ...], world: World) -> tuple[str, ...]:
    """The services in which these keep data: themselves, and those whose accounts they use."""
    known, loaded = world.catalogue.services, settings(world)
    owners = {v.name: i for i, s in known.items() for v in variables(s.env) if not v.shared}
    used = {owners[v.name] for i in services for v in variables(known[i].env) if v.shared}
    return tuple(i for i in known if i in {*services, *used} and known[i].backup(loaded.envs[i]))


async def _prove(services: tuple[str, ...], world: World) -> None:
    result = await up.run(up.Request(words=services), world)
    if result.outcome and not up.came_up(result):
        key, reason = next(iter({**result.outcome.failed, **result.outcome.waiting}.items()))
        raise UpgradeError(f"{key} did not come up: {reason}", hint=f"{UNDO}, or arcctl logs {key}")
    report = await verify.run(verify.Request(words=services), world)
    for verdict in report.services:
        if verdict.outcome is Outcome.BROKEN:
            raise UpgradeError(f"{verdict.service} does not do its job: {verdict.reason}", hint=UNDO)


def last(world: World) -> Undoable:
    """The upgrade that can be undone.

    Raises UsageError where there is none, and on an engine whose programs have no earlier version to go back to.
    """
    kept = world.home.note(NOTE)
    if not kept:
        raise UsageError("there is no upgrade to undo", hint="arcctl upgrade --dry-run")
    done = _read(kept)
    if world.images is None:
        raise UsageError(
            f"the programs of the {world.engine.name} engine come from packages, and those are what changed",
            hint=f"install the earlier ones, then arcctl backup restore {done.backup}".rstrip(),
        )
    return done


def _read(kept: Mapping[str, Any]) -> Undoable:
    moves = tuple(Move(**{**move, "kind": MoveKind(move["kind"])}) for move in kept["moves"])
    return Undoable(at=kept["at"], moves=moves, backup=kept["backup"], saved=tuple(kept["saved"]))


async def undo(done: Undoable, world: World, ways: Ways) -> Undoable:
    """Image settings first, then the containers, then the data.

    Raises UpgradeError where a part of it did not work; it can be run again.
    """
    for move in done.moves:
        _put_setting_back(move, world)
        if move.before == move.after:
            store(world).name(move.before_id, move.before)
    fresh = ways.again()
    # What an older server makes of newer data is of no interest: its own data comes next.
    await up.run(up.Request(words=done.services, wait=not done.backup), fresh)
    kept = await ways.put_back(done.backup, done.saved, fresh) if done.backup else {}
    if kept:
        service, reason = next(iter(kept.items()))
        raise UpgradeError(
            f"{service} has not got its data back: {reason}", hint=f"arcctl backup restore {done.backup} {service}"
        )
    await _prove(done.services, fresh)
    world.home.keep_note(NOTE, {})
    return done


def _put_setting_back(move: Move, world: World) -> None:
    """The tag that it had, or none where the declaration says the same."""
    setting = _setting(move, world)
    if setting and move.before != move.after:
        tag = split(move.before)[1]
        value = None if move.before == setting.reference else tag
        world.home.set_value(setting.service, setting.name, value)


def _setting(move: Move, world: World) -> TagSetting | None:
    container = world.catalogue.containers()[move.key]
    return tag_settings(world.catalogue).get(pinned(container))
