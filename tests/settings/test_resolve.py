"""Where each value comes from, and what is refused before anything is started."""

from __future__ import annotations

import pytest

from arcctl.errors import SettingsError
from arcctl.model.env import HINT
from arcctl.settings.resolve import Settings, Source, Value, missing_secrets, near_misses, owned, resolve
from tests.fakes.catalogue import TOY, ShopEnv, StoreEnv

SECRETS = Source(".arcctl/secrets.env", {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"})


def _resolve(*sources: Source, insecure_demo: bool = False) -> Settings:
    return resolve(TOY, (*sources, SECRETS), insecure_demo=insecure_demo)


def _shown(settings: Settings) -> list[str]:
    return [f"{v.service} {name} = {v.shown} ({v.origin})" for name, v in settings.values.items()]


def test_without_files_every_value_is_its_default_and_says_so() -> None:
    assert _shown(_resolve()) == [
        "big-shop BIG_SHOP_HOST_PORT = 7100 (default)",
        "big-shop BIG_SHOP_TOKEN = ******** (.arcctl/secrets.env)",
        "front FRONT_HTTP_PORT = 80 (default)",
        "front FRONT_ADMIN_PORT = 7200 (default)",
        "front FRONT_MOTTO = hello (default)",
        "store STORE_HOST_PORT = 7000 (default)",
        "store STORE_PASSWORD = ******** (.arcctl/secrets.env)",
        "store STORE_TICKET = ******** (default)",
        "front FRONT_IMAGE_TAG = 9 (default)",
        "store STORE_IMAGE_TAG = 1.0 (default)",
        "big-shop BIG_SHOP_SHOP_EXPORTER_IMAGE_TAG = 2 (default)",
        "images ARCCTL_IMAGES_REGISTRY = (not set) (default)",
        "ports ARCCTL_BIND_ADDRESS = 127.0.0.1 (default)",
    ]


@pytest.mark.parametrize(
    ("sources", "text", "origin"),
    [
        ((), "hello", "default"),
        ((Source("file", {"FRONT_MOTTO": "file"}, "front"),), "file", "file"),
        (
            (Source("environment", {"FRONT_MOTTO": "env"}), Source("file", {"FRONT_MOTTO": "file"}, "front")),
            "env",
            "environment",
        ),
        ((Source("environment", {}), Source("file", {"FRONT_MOTTO": ""}, "front")), "", "file"),
    ],
    ids=["default", "file", "environment over file", "an empty text is a value"],
)
def test_the_first_source_that_knows_a_name_wins(sources: tuple[Source, ...], text: str, origin: str) -> None:
    value = _resolve(*sources).values["FRONT_MOTTO"]
    assert (value.text, value.origin) == (text, origin)


def test_a_shared_value_has_one_owner_and_reaches_everybody_who_names_it() -> None:
    settings = _resolve(Source("environment", {"STORE_PASSWORD": "another-one"}))
    assert owned(TOY)["STORE_PASSWORD"][0] == "store"
    store, context = settings.envs["store"], settings.envs["big-shop"]
    assert isinstance(store, StoreEnv)
    assert isinstance(context, ShopEnv)
    assert store.password.get_secret_value() == context.store_password.get_secret_value() == "another-one"


def test_compose_gets_every_value_that_is_set() -> None:
    assert _resolve().mapping() == {
        "ARCCTL_PROJECT_NAME": "arc",
        "BIG_SHOP_HOST_PORT": "7100",
        "BIG_SHOP_TOKEN": "sh0p-secret",
        "FRONT_HTTP_PORT": "80",
        "FRONT_ADMIN_PORT": "7200",
        "FRONT_MOTTO": "hello",
        "STORE_HOST_PORT": "7000",
        "STORE_PASSWORD": "st0re-secret",
        "FRONT_IMAGE_TAG": "9",
        "STORE_IMAGE_TAG": "1.0",
        "BIG_SHOP_SHOP_EXPORTER_IMAGE_TAG": "2",
        "ARCCTL_IMAGES_REGISTRY": "",
        "ARCCTL_BIND_ADDRESS": "127.0.0.1",
    }


def test_a_value_that_is_not_set_says_so() -> None:
    _, variable = owned(TOY)["STORE_PASSWORD"]
    assert Value("store", variable, None, "default").shown == "(not set)"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            Source("config/front/.env", {"FRONT_MOTO": "x", "OTHER": "x"}, "front"),
            "config/front/.env: unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?; "
            "config/front/.env: unknown setting OTHER",
        ),
        (
            Source("config/front/.env", {"STORE_HOST_PORT": "1"}, "front"),
            "config/front/.env: unknown setting STORE_HOST_PORT, did you mean FRONT_HTTP_PORT?",
        ),
        (
            Source("config/images/.env", {"ARCCTL_IMAGES_REGISTRI": "a.b"}, "images"),
            "config/images/.env: unknown setting ARCCTL_IMAGES_REGISTRI, did you mean ARCCTL_IMAGES_REGISTRY?",
        ),
    ],
    ids=["misspelt", "of another service", "of all images"],
)
def test_a_file_of_a_service_says_only_what_that_service_knows(source: Source, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _resolve(source)
    assert (caught.value.message, caught.value.hint) == (message, HINT)


def test_places_that_may_say_anything_are_not_searched_for_unknown_names() -> None:
    assert _shown(_resolve(Source("environment", {"PATH": "/bin", "FRONT_MOTO": "x"}))) == _shown(_resolve())


def test_a_wrong_registry_mirror_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        _resolve(Source("environment", {"ARCCTL_IMAGES_REGISTRY": "me:s3ntinel@a.b"}))
    assert caught.value.message == ("ARCCTL_IMAGES_REGISTRY has no user and no password: `docker login` keeps those")
    assert caught.value.hint == "arcctl config set images registry mirror.example.com/dockerhub"


def test_a_value_that_does_not_fit_is_named_and_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        _resolve(Source("environment", {"FRONT_HTTP_PORT": "s3ntinel"}))
    assert caught.value.message == (
        "FRONT_HTTP_PORT: input should be a valid integer, unable to parse string as an integer"
    )


@pytest.mark.parametrize("value", ["pa$word", "a b", "a#b", "it's", 'q"q', "a@b", "a/b", "a\nb", "a\\b", "ä"])
@pytest.mark.parametrize("insecure_demo", [False, True], ids=["strict", "demo"])
def test_a_secret_that_would_need_a_quote_is_refused_without_being_shown(value: str, insecure_demo: bool) -> None:
    """Compose reads `pa$word` as `pa`; SQL, URLs and shell files each break on another character."""
    with pytest.raises(SettingsError) as caught:
        _resolve(Source("environment", {"STORE_PASSWORD": value}), insecure_demo=insecure_demo)
    assert caught.value.message == "STORE_PASSWORD: is empty, or has characters other than letters, digits and . _ ~ -"


def test_an_empty_secret_is_refused_even_in_a_demo() -> None:
    """`REDIS_PASSWORD=` would open the door to everybody."""
    with pytest.raises(SettingsError, match=r"^STORE_PASSWORD: "):
        _resolve(Source("environment", {"STORE_PASSWORD": ""}), insecure_demo=True)


def test_what_is_no_secret_may_say_anything() -> None:
    assert _resolve(Source("environment", {"FRONT_MOTTO": "a b"})).mapping()["FRONT_MOTTO"] == "a b"


WEAK = Source("environment", {"STORE_PASSWORD": "changeme", "BIG_SHOP_TOKEN": "0000", "FRONT_MOTTO": "test"})


def test_secrets_that_everybody_knows_are_refused_by_name() -> None:
    with pytest.raises(SettingsError) as caught:
        _resolve(WEAK)
    assert caught.value.message == "BIG_SHOP_TOKEN, STORE_PASSWORD: an example value that everybody knows"
    assert caught.value.hint == "remove the line and run `arcctl init`, or pass --insecure-demo"


def test_an_insecure_demo_takes_them() -> None:
    assert _resolve(WEAK, insecure_demo=True).mapping()["STORE_PASSWORD"] == "changeme"


@pytest.mark.parametrize(
    ("environment", "warnings"),
    [
        (("PATH", "HOME", "FRONT_MOTTO"), []),
        (("FRONT_MOTO",), ["unknown setting FRONT_MOTO, did you mean FRONT_MOTTO?"]),
        (("STORE_SOMETHING_ELSE_ALTOGETHER",), []),
        (("FROND_MOTTO",), []),
    ],
    ids=["known or foreign", "misspelt", "only the prefix is alike", "another prefix"],
)
def test_a_near_miss_in_the_environment_is_worth_a_warning(environment: tuple[str, ...], warnings: list[str]) -> None:
    assert near_misses(environment, TOY) == warnings


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ({}, {"STORE_PASSWORD", "BIG_SHOP_TOKEN"}),
        ({"STORE_PASSWORD": "x"}, {"BIG_SHOP_TOKEN"}),
        ({"STORE_PASSWORD": "x", "BIG_SHOP_TOKEN": "y"}, set()),
    ],
    ids=["all", "one", "none"],
)
def test_only_secrets_that_are_not_there_are_generated(present: dict[str, str], missing: set[str]) -> None:
    assert set(missing_secrets(TOY, present)) == missing
