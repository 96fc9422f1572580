"""Names of databases, topics and flags: which are taken, which one is meant, what is offered instead."""

from __future__ import annotations

import pytest

from arcctl.core import content_names as names
from arcctl.core.contents import Broker, Streams, Topic, Topics
from arcctl.errors import UsageError

LOG = Topics(port=1, admin_port=2, listener="x", own_tenant="own")
BUS = Streams(port=3, user="arc", password="")
WORK = "a/b/work"
BROKERS: dict[str, Broker] = {"bus": BUS, "log": LOG}


def _topic(service: str, name: str) -> Topic:
    return Topic(service=service, name=name, messages=0, bytes=0, readers=0)


THERE = (
    _topic("bus", "AGENTS"),
    _topic("bus", "both"),
    _topic("log", "public/default/both"),
    _topic("log", WORK),
)


@pytest.mark.parametrize("name", ["shop", "a", "order", "a_1", "x" * 63])
def test_a_database_takes_small_letters_digits_and_underscores(name: str) -> None:
    assert names.database(name) == name


@pytest.mark.parametrize(
    "name", ["", "Shop", "1a", "a-b", "a b", 'a"b', "a'b", "a;drop", "pg_a", "public", "none", "x" * 64, "é", "a\n"]
)
def test_a_database_takes_no_name_that_needs_quotes_or_is_the_servers_own(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a database"):
        names.database(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a?b", "a b", "x" * 101])
def test_a_flag_takes_no_name_that_means_something_in_an_address(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a flag"):
        names.flag(name)


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("12h", 720), ("7d", 10080)])
def test_a_length_of_time_is_minutes_hours_or_days(text: str, minutes: int) -> None:
    assert names.minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "0d", "7", "d", "-1h", "7w", "1.5h"])
def test_no_other_length_of_time_is_taken(text: str) -> None:
    with pytest.raises(UsageError, match="is not a length of time"):
        names.minutes(text)


@pytest.mark.parametrize(
    ("pattern", "subject", "kept"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.b", "a.b.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a", True),
        ("*.b", "a.b", True),
    ],
)
def test_a_stream_keeps_what_its_patterns_say(pattern: str, subject: str, kept: bool) -> None:
    assert names.keeps(pattern, subject) is kept


@pytest.mark.parametrize("text", ["", ".a", "a..b", "a b", "a.", "a.>", "*"])
def test_a_subject_to_send_under_is_one_subject(text: str) -> None:
    with pytest.raises(UsageError, match="is not a subject"):
        names.subject(text)


def test_a_subject_to_keep_may_have_wildcards() -> None:
    assert names.subject("orders.*.>", wildcards=True) == "orders.*.>"


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("log:a/b/c", ("log", "a/b/c")),
        ("log:c", ("log", "public/default/c")),
        ("log:persistent://a/b/c", ("log", "a/b/c")),
        ("a/b/c", ("log", "a/b/c")),
        ("persistent://a/b/c", ("log", "a/b/c")),
        ("bus:c", ("bus", "c")),
    ],
)
def test_a_new_topic_goes_where_its_name_says_or_fits(word: str, place: tuple[str, str]) -> None:
    assert names.place_for(word, BROKERS) == place


def test_a_new_name_that_fits_both_brokers_is_not_guessed() -> None:
    with pytest.raises(UsageError, match="'c' could be bus:c or log:public/default/c") as raised:
        names.place_for("c", BROKERS)
    assert raised.value.hint == "say which: bus:c"


@pytest.mark.parametrize("word", ["", "a b", "bus:", "bus:a.b", "bus:a/b", "log:a/b", "log:a/b/c/d", "other:x/y"])
def test_what_is_a_name_nowhere_says_what_one_looks_like(word: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a topic") as raised:
        names.places(word, BROKERS)
    assert "a word without dots and slashes" in raised.value.hint or "tenant/namespace/topic" in raised.value.hint


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("AGENTS", "bus:AGENTS"),
        ("bus:both", "bus:both"),
        ("log:both", "log:public/default/both"),
        ("a/b/work", "log:a/b/work"),
    ],
)
def test_a_word_means_the_one_topic_that_it_fits(word: str, address: str) -> None:
    assert names.existing(word, BROKERS, THERE, "").address == address


def test_a_word_that_fits_two_topics_names_both() -> None:
    with pytest.raises(UsageError, match="'both' could be bus:both or log:public/default/both"):
        names.existing("both", BROKERS, THERE, "")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("AGENT", "did you mean bus:AGENTS?"),
        ("a/b/wrok", "did you mean log:a/b/work?"),
        ("elsewhere", "look there"),
    ],
)
def test_a_word_that_fits_none_offers_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no topic '{word}'") as raised:
        names.existing(word, BROKERS, THERE, "look there")
    assert raised.value.hint == hint
