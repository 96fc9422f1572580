"""`topics`: topics and streams of all brokers, named `<service>:<name>`, or `<name>` where only one broker has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from arcctl.data import names
from arcctl.data.base import BrokerClient, DataClients
from arcctl.data.report import NewTopic, Topic, TopicList
from arcctl.data.stores import Server, servers
from arcctl.errors import UnhealthyError, UsageError, did_you_mean
from arcctl.model.data_store import Broker, Streams, Topics
from arcctl.project import Project

KINDS: tuple[type[Broker], ...] = (Topics, Streams)


def _client(server: Server[Broker], clients: DataClients) -> BrokerClient:
    return clients.broker(server.service, server.store, server.ports, server.project.engine.host)


async def list_(service: str, project: Project, clients: DataClients) -> TopicList:
    """The topics of all running brokers, or of one. Raises UnhealthyError where none of them runs."""
    brokers = await servers(KINDS, project)
    if service and service not in brokers:
        hint = did_you_mean(service, brokers, f"brokers: {', '.join(brokers)}")
        raise UsageError(f"there is no broker {service!r}", hint=hint)
    listed = await _list({service: brokers[service]} if service else brokers, clients)
    for stopped in listed.not_running:
        project.note(brokers[stopped].why_not_running)
    return listed


async def _list(brokers: Mapping[str, Server[Broker]], clients: DataClients) -> TopicList:
    running = [server for server in brokers.values() if server.running]
    if not running:
        next(iter(brokers.values())).must_run()
    topics = await asyncio.gather(*(_client(server, clients).topics() for server in running))
    stopped = tuple(service for service, server in brokers.items() if not server.running)
    return TopicList(topics=tuple(topic for some in topics for topic in some), not_running=stopped)


async def create(topic: NewTopic, project: Project, clients: DataClients) -> Topic:
    """Raises UsageError for a name that fits two brokers, and for a topic that exists."""
    brokers = await servers(KINDS, project)
    fitting = {i: s.store for i, s in brokers.items() if not topic.subjects or isinstance(s.store, Streams)}
    service, name = names.resolve_new(topic.name, fitting)
    brokers[service].must_run()
    client = _client(brokers[service], clients)
    if name in {known.name for known in await client.topics()}:
        raise UsageError(f"the topic {service}:{name} exists already", hint="arcctl topics list")
    await client.create(replace(topic, name=name))
    return next(known for known in await client.topics() if known.name == name)


async def choose(word: str, project: Project, clients: DataClients) -> tuple[Topic, BrokerClient]:
    """The topic that `word` names, and the client of its broker.

    Raises UsageError where none or two match, UnhealthyError where no broker that could have it runs.
    """
    brokers = await servers(KINDS, project)
    stores = {i: server.store for i, server in brokers.items()}
    listed = await _list({i: brokers[i] for i in names.candidates(word, stores)}, clients)
    stopped = [brokers[i].why_not_running for i in listed.not_running]
    topic = names.resolve_existing(word, stores, listed.topics, stopped[0] if stopped else "arcctl topics list")
    return topic, _client(brokers[topic.service], clients)


async def delete(word: str, project: Project, clients: DataClients) -> None:
    topic, client = await choose(word, project, clients)
    await client.delete(topic.name)
    if any(known.name == topic.name for known in await client.topics()):
        text = f"{topic.address} is there again: a program that uses it has created it"
        raise UnhealthyError(text, hint=f"stop what uses it, then arcctl topics delete {topic.address}")


async def produce(
    word: str, messages: AsyncIterator[bytes], subject: str, project: Project, clients: DataClients
) -> tuple[Topic, int]:
    """Store messages in a topic, in order; returns the topic and how many were stored.

    Raises UsageError where a stream with several subjects is given none.
    """
    if subject:
        names.check_subject(subject)
    topic, client = await choose(word, project, clients)
    return topic, await client.produce(topic.name, messages, _subject(topic, subject))


def _subject(topic: Topic, subject: str) -> str:
    """The subject to publish to: the given one, or the only one of the stream. Empty for a topic without subjects."""
    if not topic.subjects:
        if subject:
            raise UsageError(f"{topic.address} has no subjects", hint="leave --subject out")
        return ""
    if not subject and len(topic.subjects) == 1 and not names.has_wildcards(topic.subjects[0]):
        return topic.subjects[0]
    if not any(names.subject_matches(pattern, subject) for pattern in topic.subjects):
        problem = f"not {subject}" if subject else "and none was given"
        hint = f"arcctl topics produce {topic.address} --subject {names.example_subject(topic.subjects[0])}"
        raise UsageError(f"{topic.address} accepts the subjects {', '.join(topic.subjects)}, {problem}", hint=hint)
    return subject


async def consume(
    word: str, *, most: int, new: bool, follow: bool, project: Project, clients: DataClients
) -> AsyncGenerator[bytes]:
    """Up to `most` messages of a topic (0: all). Removes none. `new` reads only later messages and waits for them."""
    topic, client = await choose(word, project, clients)
    count = 0
    messages = client.consume(topic.name, new=new, follow=follow or new)
    async with aclosing(messages):
        async for message in messages:
            yield message
            count += 1
            if count == most:
                return
