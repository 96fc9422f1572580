"""`topics`: what brokers keep messages in, in one way of speaking: `<service>:<name>`, or a name that only one has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from arcctl.app.inside import Inside, all_with
from arcctl.app.world import World
from arcctl.core import content_names as names
from arcctl.core.contents import Broker, Streams, Topic, Topics, Wanted
from arcctl.core.ports import BrokerClient
from arcctl.errors import UsageError

KINDS: tuple[type[Broker], ...] = (Topics, Streams)


@dataclass(frozen=True, kw_only=True)
class Listed:
    topics: tuple[Topic, ...]
    absent: tuple[str, ...]
    """Brokers that do not run."""


def client(inside: Inside[Broker]) -> BrokerClient:
    return inside.world.contents.broker(inside.service, inside.held, inside.ports)


async def brokers(world: World) -> dict[str, Inside[Broker]]:
    return {inside.service: inside for inside in await all_with(KINDS, world)}


async def list_(service: str, world: World) -> Listed:
    """The topics of all brokers that run, or of one. Raises UnhealthyError where none runs."""
    found = await brokers(world)
    if service and service not in found:
        raise names.unknown("broker", service, {i: i for i in found}, f"one of {', '.join(found)}")
    listed = await _listed({service: found[service]} if service else found)
    for broker in listed.absent:
        world.note(found[broker].absence)
    return listed


async def _listed(found: dict[str, Inside[Broker]]) -> Listed:
    running = [inside for inside in found.values() if inside.running]
    if not running:
        next(iter(found.values())).must_run()
    topics = await asyncio.gather(*(client(inside).topics() for inside in running))
    absent = tuple(service for service, inside in found.items() if not inside.running)
    return Listed(topics=tuple(topic for some in topics for topic in some), absent=absent)


async def create(wanted: Wanted, world: World) -> Topic:
    """Raises UsageError for a name that two brokers could hold, and for one that is there."""
    found = await brokers(world)
    fitting = {i: o.held for i, o in found.items() if not wanted.subjects or isinstance(o.held, Streams)}
    service, full = names.place_for(wanted.name, fitting)
    inside = found[service]
    inside.must_run()
    if full in {topic.name for topic in await client(inside).topics()}:
        raise UsageError(f"there is a topic {service}:{full}", hint="arcctl topics list")
    await client(inside).create(Wanted(name=full, minutes=wanted.minutes, subjects=wanted.subjects))
    return next(topic for topic in await client(inside).topics() if topic.name == full)


@dataclass(frozen=True)
class Chosen:
    """A topic that exists, and the client of its broker."""

    topic: Topic
    client: BrokerClient


async def choose(word: str, world: World) -> Chosen:
    """The topic that a word means.

    Raises UsageError for none and for two, UnhealthyError where no broker that could have it runs.
    """
    found = await brokers(world)
    held = {i: inside.held for i, inside in found.items()}
    listed = await _listed({i: found[i] for i in names.places(word, held)})
    hint = found[listed.absent[0]].absence if listed.absent else "arcctl topics list"
    topic = names.existing(word, held, listed.topics, hint)
    return Chosen(topic, client(found[topic.service]))


async def delete(word: str, world: World) -> None:
    chosen = await choose(word, world)
    await chosen.client.delete(chosen.topic.name)


async def produce(word: str, messages: AsyncIterator[bytes], subject: str, world: World) -> tuple[Topic, int]:
    """Store messages in a topic, in their order. Raises UsageError where a stream needs to be told a subject."""
    if subject:
        names.subject(subject)
    chosen = await choose(word, world)
    subject = _subject(chosen.topic, subject)
    return chosen.topic, await chosen.client.produce(chosen.topic.name, messages, subject)


def _subject(topic: Topic, subject: str) -> str:
    """The subject that is meant: the one that is given, else the only one that the stream keeps."""
    if not topic.subjects:
        if subject:
            raise UsageError(f"{topic.address} has no subjects", hint="leave --subject out")
        return ""
    kept, first = ", ".join(topic.subjects), topic.subjects[0]
    if not subject and len(topic.subjects) == 1 and names.keeps(first, first) and first == first.strip("*>"):
        return first
    if not any(names.keeps(pattern, subject) for pattern in topic.subjects):
        what = f"not {subject}" if subject else "so say under which subject"
        hint = f"arcctl topics produce {topic.address} --subject {first.rstrip('*>')}…"
        raise UsageError(f"{topic.address} keeps {kept}, {what}", hint=hint)
    return subject


async def consume(word: str, *, most: int, new: bool, follow: bool, world: World) -> AsyncGenerator[bytes]:
    """Messages of a topic, at the most so many (0: all); none is taken away."""
    chosen = await choose(word, world)
    count = 0
    messages = chosen.client.consume(chosen.topic.name, new=new, follow=follow or new)
    async with aclosing(messages):
        async for message in messages:
            yield message
            count += 1
            if count == most:
                return
