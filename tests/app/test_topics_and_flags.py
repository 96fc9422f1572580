"""`topics`, `flags`, `identities`: which broker is meant, under which subject, how lists are paged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import pytest

from arcctl.app import flags, topics
from arcctl.core.contents import PAGE, Topic, Wanted
from arcctl.core.observed import Unavailable
from arcctl.errors import UnhealthyError
from tests.app.inside import Platform, refused, run


def test_topics_of_all_brokers_come_together_and_one_that_is_down_is_named() -> None:
    platform = Platform()
    platform.toy.contents.kept = {"bus": {"A": [b"x"]}, "log": {"a/b/c": []}}
    assert [t.address for t in run(topics.list_("", platform.world)).topics] == ["bus:A", "log:a/b/c"]
    listed = run(topics.list_("", platform.without("log").world))
    assert ([t.address for t in listed.topics], listed.absent) == (["bus:A"], ("log",))
    assert platform.toy.told == ["note log is exited (arcctl up log)"]


def test_with_no_broker_up_the_list_is_an_error() -> None:
    message = refused(topics.list_("log", Platform().without("log").world), UnhealthyError)
    assert message == ("log is exited", "arcctl up log")


def test_a_broker_that_cannot_run_here_says_what_would_change_that() -> None:
    platform = Platform().without("log")
    platform.toy.engine.unavailable = {"log": Unavailable("log must be built", "build log")}
    message = refused(topics.list_("log", platform.world), UnhealthyError)
    assert message == ("log is not available here: log must be built", "build log")


def test_subjects_say_that_a_stream_is_meant() -> None:
    platform = Platform()
    made = run(topics.create(Wanted(name="A", subjects=("a.>",)), platform.world))
    assert made == Topic(service="bus", name="A", messages=0, bytes=0, readers=0, subjects=("a.>",))
    assert refused(topics.create(Wanted(name="bus:A"), platform.world))[0] == "there is a topic bus:A"


async def _lines(*lines: bytes) -> AsyncIterator[bytes]:
    for line in lines:
        yield line


async def _all(messages: AsyncIterator[bytes]) -> list[bytes]:
    return [message async for message in messages]


def test_messages_come_back_in_order_and_stay() -> None:
    platform = Platform()
    platform.toy.contents.kept = {"log": {"a/b/c": []}}
    topic, count = run(topics.produce("a/b/c", _lines(b"1", b"2", b"3"), "", platform.world))
    assert (topic.address, count) == ("log:a/b/c", 3)
    for most, expected in ((0, [b"1", b"2", b"3"]), (2, [b"1", b"2"])):
        read = topics.consume("a/b/c", most=most, new=False, follow=False, world=platform.world)
        assert run(_all(read)) == expected


@pytest.mark.parametrize(
    ("kept", "subject", "stored"),
    [(("a",), "", b"a>x"), (("a.>", "b"), "a.c", b"a.c>x"), (("a", "b"), "b", b"b>x")],
)
def test_a_message_goes_under_the_subject_that_is_meant(kept: tuple[str, ...], subject: str, stored: bytes) -> None:
    platform = Platform()
    platform.toy.contents.kept, platform.toy.contents.subjects = {"bus": {"A": []}}, {"A": kept}
    run(topics.produce("A", _lines(b"x"), subject, platform.world))
    assert platform.toy.contents.kept["bus"]["A"] == [stored]


@pytest.mark.parametrize(
    ("kept", "subject", "message"),
    [
        (("a.>",), "", "bus:A keeps a.>, so say under which subject"),
        (("a", "b"), "", "bus:A keeps a, b, so say under which subject"),
        (("a.>",), "b", "bus:A keeps a.>, not b"),
        ((), "b", "bus:A has no subjects"),
    ],
)
def test_a_subject_is_not_guessed(kept: tuple[str, ...], subject: str, message: str) -> None:
    platform = Platform()
    platform.toy.contents.kept, platform.toy.contents.subjects = {"bus": {"A": []}}, {"A": kept}
    assert refused(topics.produce("A", _lines(b"x"), subject, platform.world))[0] == message


def _page(values: Mapping[str, str], total: int) -> str:
    offset = int(values["offset"])
    numbers = range(offset, min(offset + PAGE, total))
    environments = [{"name": "development", "enabled": False}, {"name": "production", "enabled": True}]
    flags_ = [{"name": f"flag-{n}", "project": "p", "environments": environments} for n in numbers]
    return json.dumps({"features": flags_})


@pytest.mark.parametrize(("total", "shown", "asked"), [(0, 0, 1), (PAGE, PAGE, 2), (250, 250, 3), (9999, 5000, 50)])
def test_a_list_is_read_page_by_page_up_to_a_bound(total: int, shown: int, asked: int) -> None:
    platform = Platform()
    platform.prover.bodies = {"page": lambda values: _page(values, total)}
    assert len(run(flags.flags(platform.world))) == shown
    assert len(platform.prover.asked) == asked
    assert platform.toy.told == (["note only the first 5000 are shown"] if total > shown else [])


def test_a_flag_is_turned_where_it_is_another_way() -> None:
    platform = Platform()
    platform.prover.bodies = {"page": lambda values: _page(values, 1), "on": lambda values: ""}
    assert run(flags.turn("flag-0", "development", on=True, world=platform.world)) is True
    assert platform.prover.asked[-1] == "on p flag-0 development"
    assert run(flags.turn("flag-0", "production", on=True, world=platform.world)) is False
    assert platform.prover.asked[-1].startswith("page")


@pytest.mark.parametrize(
    ("name", "environment", "said"),
    [
        ("flag0", "development", ("no flag 'flag0'", "did you mean flag-0?")),
        ("flag-0", "dev", ("flag-0 has no environment 'dev'", "one of development, production")),
    ],
)
def test_an_unknown_flag_or_environment_is_named(name: str, environment: str, said: tuple[str, str]) -> None:
    platform = Platform()
    platform.prover.bodies = {"page": lambda values: _page(values, 1)}
    assert refused(flags.turn(name, environment, on=True, world=platform.world)) == said


def test_a_service_that_refuses_is_named_with_what_it_says() -> None:
    message = refused(flags.identities(Platform().world), UnhealthyError)
    assert message == ("people: people: HTTP 500", "arcctl health people")
