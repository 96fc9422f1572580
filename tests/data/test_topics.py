"""`topics`: which broker and which subject are meant, and what messages come back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from arcctl.data import topics
from arcctl.data.report import NewTopic, Topic
from arcctl.engines.base import Unavailable
from arcctl.errors import UnhealthyError
from tests.fakes.data import FakeDataClients
from tests.fakes.data_platform import Platform, refused, run


def test_topics_of_all_brokers_are_listed_and_one_that_is_stopped_is_named() -> None:
    platform = Platform()
    platform.clients.messages = {"bus": {"A": [b"x"]}, "log": {"a/b/c": []}}
    listed = run(topics.list_("", platform.project, platform.clients))
    assert [t.address for t in listed.topics] == ["bus:A", "log:a/b/c"]
    listed = run(topics.list_("", platform.stopped("log").project, platform.clients))
    assert ([t.address for t in listed.topics], listed.not_running) == (["bus:A"], ("log",))
    assert platform.toy.printed == ["note log is not running (arcctl up log)"]


def test_a_list_without_a_running_broker_is_an_error() -> None:
    message = refused(topics.list_("log", Platform().stopped("log").project, FakeDataClients()), UnhealthyError)
    assert message == ("log is not running", "arcctl up log")


def test_a_broker_that_is_not_available_has_the_command_that_changes_that() -> None:
    platform = Platform().stopped("log")
    platform.toy.engine.unavailable = {"log": Unavailable("log must be built", "build log")}
    message = refused(topics.list_("log", platform.project, platform.clients), UnhealthyError)
    assert message == ("log is not available here: log must be built", "build log")


def test_subjects_mean_a_stream() -> None:
    platform = Platform()
    created = run(topics.create(NewTopic(name="A", subjects=("a.>",)), platform.project, platform.clients))
    assert created == Topic(service="bus", name="A", messages=0, bytes=0, readers=0, subjects=("a.>",))
    message = refused(topics.create(NewTopic(name="bus:A"), platform.project, platform.clients))[0]
    assert message == "the topic bus:A exists already"


def test_a_topic_that_is_deleted_is_gone() -> None:
    platform = Platform()
    platform.clients.messages = {"bus": {"A": [b"x"], "B": []}}
    run(topics.delete("bus:A", platform.project, platform.clients))
    assert platform.clients.messages["bus"] == {"B": []}


def test_a_topic_that_is_there_again_was_not_deleted() -> None:
    platform = Platform()
    platform.clients.messages, platform.clients.staying = {"bus": {"A": [b"x"]}}, "A"
    assert refused(topics.delete("bus:A", platform.project, platform.clients), UnhealthyError) == (
        "bus:A is there again: a program that uses it has created it",
        "stop what uses it, then arcctl topics delete bus:A",
    )


async def _lines(*lines: bytes) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


async def _all(messages: AsyncIterator[bytes]) -> list[bytes]:
    return [message async for message in messages]


def test_messages_are_read_in_order_and_stay() -> None:
    platform = Platform()
    platform.clients.messages = {"log": {"a/b/c": []}}
    topic, count = run(topics.produce("a/b/c", _lines(b"1", b"2", b"3"), "", platform.project, platform.clients))
    assert (topic.address, count) == ("log:a/b/c", 3)
    for most, expected in ((0, [b"1", b"2", b"3"]), (2, [b"1", b"2"])):
        read = topics.consume(
            "a/b/c", most=most, new=False, follow=False, project=platform.project, clients=platform.clients
        )
        assert run(_all(read)) == expected


@pytest.mark.parametrize(
    ("patterns", "subject", "stored"),
    [(("a",), "", b"a>x"), (("a.>", "b"), "a.c", b"a.c>x"), (("a", "b"), "b", b"b>x")],
)
def test_a_message_is_published_to_the_subject_meant(patterns: tuple[str, ...], subject: str, stored: bytes) -> None:
    platform = Platform()
    platform.clients.messages, platform.clients.subjects = {"bus": {"A": []}}, {"A": patterns}
    run(topics.produce("A", _lines(b"x"), subject, platform.project, platform.clients))
    assert platform.clients.messages["bus"]["A"] == [stored]


@pytest.mark.parametrize(
    ("patterns", "subject", "message", "example"),
    [
        (("a.*.b",), "", "bus:A accepts the subjects a.*.b, and none was given", "a.name.b"),
        (("a.>",), "", "bus:A accepts the subjects a.>, and none was given", "a.name"),
        (("a", "b"), "", "bus:A accepts the subjects a, b, and none was given", "a"),
        (("a.>",), "b", "bus:A accepts the subjects a.>, not b", "a.name"),
        ((), "b", "bus:A has no subjects", ""),
    ],
)
def test_a_subject_is_not_guessed(patterns: tuple[str, ...], subject: str, message: str, example: str) -> None:
    platform = Platform()
    platform.clients.messages, platform.clients.subjects = {"bus": {"A": []}}, {"A": patterns}
    hint = f"arcctl topics produce bus:A --subject {example}" if example else "leave --subject out"
    assert refused(topics.produce("A", _lines(b"x"), subject, platform.project, platform.clients)) == (message, hint)
