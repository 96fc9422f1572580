"""Names of databases, topics and flags: which are valid, which topic is meant, what is suggested instead."""

from __future__ import annotations

import pytest

from arcctl.data import names
from arcctl.data.report import Topic
from arcctl.errors import UsageError
from arcctl.model.data_store import Broker, Streams, Topics

LOG = Topics(port=1, admin_port=2, listener="x", system_tenant="system")
BUS = Streams(port=3, user="arc", password="")
WORK = "a/b/work"
BROKERS: dict[str, Broker] = {"bus": BUS, "log": LOG}


def _topic(service: str, name: str) -> Topic:
    return Topic(service=service, name=name, messages=0, bytes=0, readers=0)


EXISTING = (
    _topic("bus", "AGENTS"),
    _topic("bus", "both"),
    _topic("log", "public/default/both"),
    _topic("log", WORK),
)


@pytest.mark.parametrize("name", ["shop", "a", "order", "a_1", "x" * 63])
def test_a_database_name_has_small_letters_digits_and_underscores(name: str) -> None:
    names.check_database(name)


@pytest.mark.parametrize(
    "name", ["", "Shop", "1a", "a-b", "a b", 'a"b', "a'b", "a;drop", "pg_a", "public", "none", "x" * 64, "é", "a\n"]
)
def test_a_database_name_needs_no_quotes_and_is_not_reserved(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid database name"):
        names.check_database(name)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a?b", "a b", "x" * 101])
def test_a_flag_name_can_be_part_of_a_url(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid flag name"):
        names.check_flag(name)


@pytest.mark.parametrize(("text", "minutes"), [("30m", 30), ("12h", 720), ("7d", 10080)])
def test_a_duration_is_minutes_hours_or_days(text: str, minutes: int) -> None:
    assert names.minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "0d", "7", "d", "-1h", "7w", "1.5h"])
def test_any_other_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid duration"):
        names.minutes(text)


@pytest.mark.parametrize(
    ("pattern", "subject", "matches"),
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
def test_a_stream_stores_the_subjects_that_match_its_patterns(pattern: str, subject: str, matches: bool) -> None:
    assert names.subject_matches(pattern, subject) is matches


@pytest.mark.parametrize("text", ["", ".a", "a..b", "a b", "a.", "a.>", "*"])
def test_a_message_is_published_to_one_subject(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid subject"):
        names.check_subject(text)


def test_a_stream_may_store_wildcards() -> None:
    assert names.check_subject("orders.*.>", wildcards=True) == "orders.*.>"


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
def test_a_new_topic_is_created_where_its_name_is_valid(word: str, place: tuple[str, str]) -> None:
    assert names.resolve_new(word, BROKERS) == place


def test_a_new_name_that_is_valid_at_two_brokers_is_refused() -> None:
    with pytest.raises(UsageError, match="'c' could be bus:c or log:public/default/c") as raised:
        names.resolve_new("c", BROKERS)
    assert raised.value.hint == "name the service too: bus:c"


@pytest.mark.parametrize("word", ["", "a b", "bus:", "bus:a.b", "bus:a/b", "log:a/b", "log:a/b/c/d", "other:x/y"])
def test_an_invalid_topic_name_is_refused_with_the_shape_of_a_valid_one(word: str) -> None:
    with pytest.raises(UsageError, match="is not a valid topic name") as raised:
        names.candidates(word, BROKERS)
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
def test_a_word_means_the_one_topic_that_it_matches(word: str, address: str) -> None:
    assert names.resolve_existing(word, BROKERS, EXISTING, "").address == address


def test_a_word_that_matches_two_topics_is_refused_with_both() -> None:
    with pytest.raises(UsageError, match="'both' could be bus:both or log:public/default/both"):
        names.resolve_existing("both", BROKERS, EXISTING, "")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("AGENT", "did you mean bus:AGENTS?"),
        ("a/b/wrok", "did you mean log:a/b/work?"),
        ("elsewhere", "look there"),
    ],
)
def test_a_word_that_matches_none_is_refused_with_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"there is no topic '{word}'") as raised:
        names.resolve_existing(word, BROKERS, EXISTING, "look there")
    assert raised.value.hint == hint
