"""Settings of one service: what loads, what is refused and in which words, what rendering is fed with."""

from __future__ import annotations

import pytest
from pydantic import Field, SecretStr, ValidationError

from arcctl.errors import SettingsError
from arcctl.model.env import (
    HINT,
    INIT,
    ServiceEnv,
    Variable,
    generated,
    is_placeholder,
    is_url_safe,
    load,
    shared,
    symbolic,
    unknown,
    variables,
)

SENTINEL = "s3ntinel-value"


class Key(ServiceEnv, env_prefix="KEY_"):
    port: int = 6000
    """Where it listens."""
    name: str = "front"
    token: SecretStr = generated(14, alphabet="hex")
    """Opens the door."""
    other: SecretStr = shared("STORE_PASSWORD")
    """Of the store."""
    pin: SecretStr | None = Field(default=None, min_length=20)
    """Long."""


GOOD = {"KEY_TOKEN": "abcdef01234567", "STORE_PASSWORD": "0123"}


def test_each_field_is_a_variable_as_the_user_sees_it() -> None:
    assert variables(Key) == (
        Variable("KEY_PORT", "port", "6000", "Where it listens.", False, None, False),
        Variable("KEY_NAME", "name", "front", "", False, None, False),
        Variable("KEY_TOKEN", "token", None, "Opens the door.", True, {"length": 14, "alphabet": "hex"}, False),
        Variable("STORE_PASSWORD", "other", None, "Of the store.", True, None, True),
        Variable("KEY_PIN", "pin", "None", "Long.", True, None, False),
    )


def test_values_load_by_their_full_names_and_the_rest_are_defaults() -> None:
    loaded = load(Key, {**GOOD, "KEY_PORT": "7", "UNRELATED": "x"})
    assert (loaded.port, loaded.name, loaded.token.get_secret_value()) == (7, "front", "abcdef01234567")
    assert loaded.other.get_secret_value() == "0123"


def test_the_process_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PORT", "9")
    assert load(Key, GOOD).port == 6000


def test_loaded_settings_stay_as_they_are() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(Key, GOOD).port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "KEY_TOKEN: field required; STORE_PASSWORD: field required"),
        ({"KEY_TOKEN": SENTINEL}, "STORE_PASSWORD: field required"),
        ({**GOOD, "KEY_TOKEN": "short"}, "KEY_TOKEN: must have exactly 14 characters"),
        ({**GOOD, "KEY_TOKEN": SENTINEL + SENTINEL}, "KEY_TOKEN: must have exactly 14 characters"),
        (
            {**GOOD, "KEY_PORT": SENTINEL},
            "KEY_PORT: input should be a valid integer, unable to parse string as an integer",
        ),
        (
            {"STORE_PASSWORD": SENTINEL, "KEY_PORT": SENTINEL},
            "KEY_PORT: input should be a valid integer, unable to parse string as an integer; "
            "KEY_TOKEN: field required",
        ),
    ],
)
def test_an_error_names_each_variable_and_never_a_value(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(Key, mapping)
    assert caught.value.message == message
    assert SENTINEL not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__} {caught.value.args}"


def test_what_a_home_lacks_is_drawn_by_init_and_what_is_wrong_is_not() -> None:
    """As after a change of arcctl that brings new secrets."""
    for mapping, hint in (({}, INIT), ({"KEY_PORT": "x"}, HINT)):
        with pytest.raises(SettingsError) as caught:
            load(Key, mapping)
        assert caught.value.hint == hint


def test_a_secret_of_the_wrong_length_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load(Key, {**GOOD, "KEY_PIN": SENTINEL})
    assert caught.value.message.startswith("KEY_PIN: ")
    assert SENTINEL not in caught.value.message
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def test_even_the_error_of_the_model_itself_shows_no_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Key.model_validate({"port": SENTINEL, "token": "x", "other": "y"})
    assert SENTINEL not in str(caught.value)


def test_a_loaded_model_prints_no_secret() -> None:
    loaded = load(Key, {**GOOD, "KEY_TOKEN": SENTINEL})
    assert SENTINEL not in f"{loaded!r} {loaded} {loaded.model_dump_json()}"


def test_a_symbolic_model_is_its_own_variables() -> None:
    model = symbolic(Key)
    assert (str(model.port), model.name) == ("${KEY_PORT:-6000}", "${KEY_NAME:-front}")
    assert (model.token, model.other) == (SecretStr("${KEY_TOKEN}"), SecretStr("${STORE_PASSWORD}"))


@pytest.mark.parametrize(
    ("names", "sentences"),
    [
        ((), []),
        (("KEY_PORT",), []),
        (("KEY_PROT",), ["unknown setting KEY_PROT, did you mean KEY_PORT?"]),
        (("ZZZ", "AAA"), ["unknown setting AAA", "unknown setting ZZZ"]),
    ],
)
def test_unknown_names_are_listed_with_the_nearest_known_one(names: tuple[str, ...], sentences: list[str]) -> None:
    assert unknown(names, ["KEY_PORT", "KEY_NAME"]) == sentences


@pytest.mark.parametrize("value", ["changeme", "ChangeMe", "admin", "postgres", "0000", "aaaaaa", "x"])
def test_what_everybody_tries_first_is_a_placeholder(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["changeme1", "ab", "0001", "correct horse", SENTINEL])
def test_anything_else_is_not(value: str) -> None:
    assert not is_placeholder(value)


@pytest.mark.parametrize("value", ["abc", "A-b_c.d~1", "0"])
def test_a_secret_of_plain_characters_needs_no_quote(value: str) -> None:
    assert is_url_safe(value)


@pytest.mark.parametrize("value", ["", "a b", "a$", "a\n", "a'", 'a"', "a#", "a@b", "a/b", "a:b", "a%", "é"])
def test_any_other_would_need_one(value: str) -> None:
    assert not is_url_safe(value)
