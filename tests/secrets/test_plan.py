"""How each secret is rotated, as the declarations say it: the order, and what is recreated."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from arcctl import services
from arcctl.errors import UsageError
from arcctl.model.rotation import Fixed, Rotation
from arcctl.secrets import plan as rotation
from arcctl.settings.resolve import Source, missing_secrets, resolve

CATALOGUE = services.load()
SECRETS = rotation.secrets(CATALOGUE)
SENTINELS = {name: f"s3ntinel-{name.lower()}".ljust(32, "_")[:32] for name in missing_secrets(CATALOGUE, {})}
ENVS = resolve(CATALOGUE, [Source("test", SENTINELS)]).envs

PLANS = {
    "POSTGRES_PASSWORD": """\
set the new one on postgres: it replaces the old one
write POSTGRES_PASSWORD: to the files of the project
recreate postgres-setup: uses POSTGRES_PASSWORD
recreate kratos-db, unleash-db, infisical-db: uses POSTGRES_PASSWORD
verify postgres: accepts the new one, refuses the old one""",
    "POSTGRES_MONITOR_PASSWORD": """\
set the new one on postgres: it replaces the old one
write POSTGRES_MONITOR_PASSWORD: to the files of the project
recreate postgres-setup, postgres-exporter: uses POSTGRES_MONITOR_PASSWORD
verify postgres: accepts the new one, refuses the old one""",
    "UNLEASH_DB_PASSWORD": """\
set the new one on postgres: it replaces the old one
write UNLEASH_DB_PASSWORD: to the files of the project
recreate unleash-db, unleash: uses UNLEASH_DB_PASSWORD
verify postgres: accepts the new one, refuses the old one""",
    "REDIS_PASSWORD": """\
set the new one on redis: it accepts the old one too
write REDIS_PASSWORD: to the files of the project
recreate infisical: uses REDIS_PASSWORD
recreate redis-exporter, redis: uses REDIS_PASSWORD
verify redis: accepts the new one, refuses the old one""",
    "NATS_PASSWORD": """\
write NATS_PASSWORD: to the files of the project
recreate nats: uses NATS_PASSWORD
verify nats: accepts the new one, refuses the old one""",
    "GRAFANA_ADMIN_PASSWORD": """\
set the new one on grafana: it replaces the old one
write GRAFANA_ADMIN_PASSWORD: to the files of the project
verify grafana: accepts the new one, refuses the old one""",
    "UNLEASH_BACKEND_TOKEN": """\
set the new one on unleash: it accepts the old one too
write UNLEASH_BACKEND_TOKEN: to the files of the project
revoke the old one on unleash: no longer needed
recreate unleash: uses UNLEASH_BACKEND_TOKEN
verify unleash: accepts the new one, refuses the old one""",
    "INFISICAL_CLIENT_SECRET": """\
set the new one on infisical: it accepts the old one too
write INFISICAL_CLIENT_SECRET: to the files of the project
revoke the old one on infisical: no longer needed
verify infisical: accepts the new one, refuses the old one""",
    "KRATOS_COOKIE_SECRET": """\
write KRATOS_COOKIE_SECRET: to the files of the project
recreate kratos-migrate, kratos: uses KRATOS_COOKIE_SECRET
verify kratos: works with the new one""",
}


@pytest.mark.parametrize("name", PLANS)
def test_the_order_locks_nobody_out_and_only_containers_with_the_secret_are_recreated(name: str) -> None:
    steps = rotation.plan(SECRETS[name], CATALOGUE, frozenset(CATALOGUE.components()))
    assert "\n".join(map(str, steps)) == PLANS[name]


def test_a_container_that_does_not_exist_is_not_created() -> None:
    steps = rotation.plan(SECRETS["REDIS_PASSWORD"], CATALOGUE, frozenset({"redis"}))
    assert [str(step) for step in steps if step.action is rotation.Action.RECREATE] == [
        "recreate redis: uses REDIS_PASSWORD"
    ]


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_says_how_it_is_changed_or_why_not(name: str) -> None:
    declared = CATALOGUE.services[SECRETS[name].owner].rotations
    assert [way for way in declared if way.field == SECRETS[name].variable.field] == [SECRETS[name].way]


@pytest.mark.parametrize("name", [n for n, s in SECRETS.items() if isinstance(s.way, Rotation)])
def test_what_a_rotation_does_prints_no_secret_and_is_made_from_both_settings(name: str) -> None:
    secret = SECRETS[name]
    old = ENVS[secret.owner]
    new = resolve(CATALOGUE, [Source("test", {**SENTINELS, name: "an0ther-one".ljust(32, "x")})]).envs[secret.owner]
    way = secret.way
    assert isinstance(way, Rotation)
    smoke_tests = (
        way.login(new),
        *(way.add_credential(old, new) if way.add_credential else ()),
        *(way.revoke_credential(old, new) if way.revoke_credential else ()),
    )
    assert "s3ntinel" not in repr(smoke_tests)
    assert "an0ther" not in repr(smoke_tests)
    if way.is_login:
        assert asdict(way.login(old)) != asdict(way.login(new))


def test_a_reason_for_not_changing_one_comes_with_what_to_do() -> None:
    fixed = [secret.way for secret in SECRETS.values() if isinstance(secret.way, Fixed)]
    assert len(fixed) == 11
    assert [way.field for way in fixed if not (way.reason and way.hint)] == []


def test_words_name_secrets_services_and_layers_and_each_is_changed_once() -> None:
    assert rotation.chosen(("nats", "NATS_PASSWORD", "REDIS_PASSWORD"), CATALOGUE) == (
        "REDIS_PASSWORD",
        "NATS_PASSWORD",
    )
    assert rotation.chosen(("observability",), CATALOGUE) == ("GRAFANA_ADMIN_PASSWORD",)
    assert rotation.chosen(("all",), CATALOGUE) == tuple(SECRETS)


@pytest.mark.parametrize(
    ("word", "hint"), [("REDIS_PASWORD", "did you mean REDIS_PASSWORD?"), ("zzz", "arcctl secrets list")]
)
def test_a_word_that_names_nothing_is_refused_with_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UsageError) as found:
        rotation.chosen((word,), CATALOGUE)
    assert found.value.hint == hint
