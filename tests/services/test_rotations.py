"""How each secret is changed, as the declarations say it: the order, and who is made anew."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from arcctl import services
from arcctl.core import rotation
from arcctl.core.secret import Fixed, Rotation
from arcctl.core.settings import Source, missing_secrets, resolve
from arcctl.errors import UsageError

CATALOGUE = services.load()
SECRETS = rotation.secrets(CATALOGUE)
SENTINELS = {name: f"s3ntinel-{name.lower()}".ljust(32, "_")[:32] for name in missing_secrets(CATALOGUE, {})}
ENVS = resolve(CATALOGUE, [Source("test", SENTINELS)]).envs

PLANS = {
    "POSTGRES_PASSWORD": """\
admit postgres: takes the new one instead of the old one
write: POSTGRES_PASSWORD in the files of the home
recreate postgres-setup: holds POSTGRES_PASSWORD
recreate kratos-db, unleash-db, infisical-db: holds POSTGRES_PASSWORD
prove postgres: takes the new one, refuses the old one""",
    "POSTGRES_MONITOR_PASSWORD": """\
admit postgres: takes the new one instead of the old one
write: POSTGRES_MONITOR_PASSWORD in the files of the home
recreate postgres-setup, postgres-exporter: holds POSTGRES_MONITOR_PASSWORD
prove postgres: takes the new one, refuses the old one""",
    "UNLEASH_DB_PASSWORD": """\
admit postgres: takes the new one instead of the old one
write: UNLEASH_DB_PASSWORD in the files of the home
recreate unleash-db, unleash: holds UNLEASH_DB_PASSWORD
prove postgres: takes the new one, refuses the old one""",
    "REDIS_PASSWORD": """\
admit redis: takes the old one and the new one
write: REDIS_PASSWORD in the files of the home
recreate infisical: holds REDIS_PASSWORD
recreate redis-exporter, redis: holds REDIS_PASSWORD
prove redis: takes the new one, refuses the old one""",
    "NATS_PASSWORD": """\
write: NATS_PASSWORD in the files of the home
recreate nats: holds NATS_PASSWORD
prove nats: takes the new one, refuses the old one""",
    "GRAFANA_ADMIN_PASSWORD": """\
admit grafana: takes the new one instead of the old one
write: GRAFANA_ADMIN_PASSWORD in the files of the home
prove grafana: takes the new one, refuses the old one""",
    "UNLEASH_BACKEND_TOKEN": """\
admit unleash: takes the old one and the new one
write: UNLEASH_BACKEND_TOKEN in the files of the home
retire unleash: forgets the old one
recreate unleash: holds UNLEASH_BACKEND_TOKEN
prove unleash: takes the new one, refuses the old one""",
    "INFISICAL_CLIENT_SECRET": """\
admit infisical: takes the old one and the new one
write: INFISICAL_CLIENT_SECRET in the files of the home
retire infisical: forgets the old one
prove infisical: takes the new one, refuses the old one""",
    "KRATOS_COOKIE_SECRET": """\
write: KRATOS_COOKIE_SECRET in the files of the home
recreate kratos-migrate, kratos: holds KRATOS_COOKIE_SECRET
prove kratos: works with the new one""",
}


@pytest.mark.parametrize("name", PLANS)
def test_the_order_locks_nobody_out_and_only_who_holds_the_secret_is_made_anew(name: str) -> None:
    steps = rotation.plan(SECRETS[name], CATALOGUE, frozenset(CATALOGUE.containers()))
    assert "\n".join(map(str, steps)) == PLANS[name]


def test_a_container_that_does_not_exist_is_not_made() -> None:
    steps = rotation.plan(SECRETS["REDIS_PASSWORD"], CATALOGUE, frozenset({"redis"}))
    assert [str(step) for step in steps if step.action is rotation.Action.RECREATE] == [
        "recreate redis: holds REDIS_PASSWORD"
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
    proofs = (
        way.login(new),
        *(way.admit(old, new) if way.admit else ()),
        *(way.retire(old, new) if way.retire else ()),
    )
    assert "s3ntinel" not in repr(proofs)
    assert "an0ther" not in repr(proofs)
    if way.tells:
        assert asdict(way.login(old)) != asdict(way.login(new))


def test_a_reason_for_not_changing_one_comes_with_what_to_do() -> None:
    fixed = [secret.way for secret in SECRETS.values() if isinstance(secret.way, Fixed)]
    assert len(fixed) == 9
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
