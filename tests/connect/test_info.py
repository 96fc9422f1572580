"""`info`: the addresses of services, and how they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from arcctl.connect import view
from arcctl.connect.info import InfoReport, ServiceInfo, info
from arcctl.engines.base import Unavailable
from arcctl.errors import SettingsError, UnknownService
from arcctl.model.connection import Endpoint
from tests.fakes.catalogue import TOY
from tests.fakes.toy import FakeDirectory, FakeEngine, Toy

KEPT = {"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"}
SECRET = "s3ntinel-value"
REPORT = InfoReport(
    services=(
        ServiceInfo(
            name="store",
            title="Store",
            layer="observability",
            image="toy/store:1.0",
            endpoints=(
                Endpoint(name="wire", url="store://127.0.0.1:7000", user="admin", secret=SECRET),
                Endpoint(name="ui", url="http://127.0.0.1:7001", is_web_page=True),
            ),
        ),
        ServiceInfo(name="front", title="Front", layer="platform", image="toy/front:9", endpoints=()),
    )
)


def test_addresses_follow_the_settings() -> None:
    toy = Toy(directory=FakeDirectory(kept=dict(KEPT)), environment={"STORE_HOST_PORT": "7777"})
    assert info(("store",), toy.project()).services == (
        ServiceInfo(
            name="store",
            title="Store",
            layer="observability",
            image="toy/store:1.0",
            endpoints=(Endpoint(name="wire", url="store://127.0.0.1:7777"),),
        ),
    )


def test_without_names_all_services_are_reported_and_the_engine_is_not_asked() -> None:
    toy = Toy(directory=FakeDirectory(kept=dict(KEPT)), engine=FakeEngine(TOY, away="no Docker engine answers"))
    assert [service.name for service in info((), toy.project()).services] == ["big-shop", "front", "store"]


def test_a_service_that_cannot_run_on_this_engine_is_left_out_with_the_reason() -> None:
    why = Unavailable("no package contains this server")
    engine = FakeEngine(TOY, unavailable={"store": why})
    toy = Toy(directory=FakeDirectory(kept=dict(KEPT)), engine=engine)
    found = info((), toy.project())
    assert ([service.name for service in found.services], found.left_out) == (["big-shop", "front"], {"store": why})


@pytest.mark.usefixtures("plain_streams")
@pytest.mark.parametrize("show", [view.info, view.info_json])
def test_what_is_left_out_shares_one_line_on_stderr_but_for_what_is_named(
    show: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    why = Unavailable("it was not built", "build shop")
    missing = replace(REPORT, left_out={"inn": why, "mill": why, "shop": why})
    show(missing, reveal=True, explained=("shop",))
    out, err = capsys.readouterr()
    assert ("shop" in out, err) == (
        False,
        "not available here: shop: it was not built (build shop)\n"
        "not available here: inn, mill (what each needs: arcctl engine list)\n",
    )


def test_missing_secrets_and_unknown_services_are_refused() -> None:
    with pytest.raises(SettingsError, match="BIG_SHOP_TOKEN: field required"):
        info((), Toy().project())
    with pytest.raises(UnknownService):
        info(("stor",), Toy(directory=FakeDirectory(kept=dict(KEPT))).project())


@pytest.mark.usefixtures("plain_streams")
@pytest.mark.parametrize(("reveal", "shown"), [(False, "********"), (True, SECRET)], ids=["hidden", "revealed"])
def test_the_table_has_a_row_for_each_endpoint_and_passwords_on_reveal(
    reveal: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    view.info(REPORT, reveal=reveal)
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["SERVICE", "ENDPOINT", "ADDRESS", "USER", "PASSWORD", "OR", "TOKEN"],
        ["store", "wire", "store://127.0.0.1:7000", "admin", shown],
        ["store", "ui", "http://127.0.0.1:7001"],
    ]
    assert err == ("" if reveal else "passwords are hidden: arcctl info --reveal\n")


@pytest.mark.usefixtures("plain_streams")
@pytest.mark.parametrize(("reveal", "shown"), [(False, "********"), (True, SECRET)], ids=["hidden", "revealed"])
def test_json_has_every_service_and_passwords_on_reveal(
    reveal: bool, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    view.info_json(REPORT, reveal=reveal)
    out, err = capsys.readouterr()
    wire = {"name": "wire", "url": "store://127.0.0.1:7000", "user": "admin", "secret": shown, "is_web_page": False}
    page = {"name": "ui", "url": "http://127.0.0.1:7001", "user": "", "secret": "", "is_web_page": True}
    store = {"name": "store", "title": "Store", "layer": "observability", "image": "toy/store:1.0"}
    front = {"name": "front", "title": "Front", "layer": "platform", "image": "toy/front:9"}
    services = [{**store, "endpoints": [wire, page]}, {**front, "endpoints": []}]
    assert (json.loads(out), err) == ({"schema": "arcctl.info/v1", "services": services}, "")
