"""The verdict on a service in each state, and its root causes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.checks.health_report import Evidence, Report, Status, Verdict, judge, overall, read_losses
from arcctl.engines.base import ContainerState, Observed, Unavailable
from arcctl.model.disk import Disk, Space
from arcctl.model.image import STUB
from arcctl.model.probe import Answer, Finding
from tests.fakes.catalogue import TOY

RUNS = ContainerState(state="running", image="toy/any:1")
DONE = ContainerState(state="exited")
RUNNING = {"store": RUNS, "shop-db": DONE, "big-shop": RUNS, "shop-exporter": RUNS, "front": RUNS}
OK = Answer(True, "answered", 0.0123)
ANSWERS = {"store": OK, "big-shop": OK, "front": OK}
REFUSED = Answer(False, "expected OK, got -ERR wrong password")


def _state(state: str, **more: object) -> ContainerState:
    return ContainerState(state=state, **more)  # type: ignore[arg-type]


def _verdicts(
    containers: dict[str, ContainerState],
    answers: dict[str, Answer],
    seen: dict[str, Answer] | None = None,
    started_at: dict[str, str] | None = None,
) -> dict[str, Verdict]:
    evidence = Evidence(
        observed=Observed(RUNNING | containers),
        answers=ANSWERS | answers,
        seen=seen or {},
        started_at=started_at or {},
    )
    return {v.name: v for v in judge(tuple(TOY.services), TOY, evidence)}


def _printed(verdict: Verdict) -> list[str]:
    head = f"{verdict.status} {verdict.state}" + f" blocked by {', '.join(verdict.blocked_by)}" * bool(
        verdict.blocked_by
    )
    return [head, *(f"{c.status} {c.id}: {c.message}" + f" -> {c.hint}" * bool(c.hint) for c in verdict.checks)]


def test_a_service_that_runs_and_answers_is_healthy() -> None:
    assert {name: _printed(v) for name, v in _verdicts({}, {}).items()} == {
        "big-shop": [
            "healthy running",
            "pass container: running",
            "pass probe: answered",
            "pass shop-db: finished",
            "pass shop-exporter: running",
        ],
        "front": ["healthy running", "pass container: running", "pass probe: answered"],
        "store": ["healthy running", "pass container: running", "pass probe: answered"],
    }


def test_a_service_that_lost_something_is_degraded_and_says_how_much() -> None:
    answer = """{"data": {"result": [
        {"metric": {"job": "store", "what": "lines discarded"}, "value": [1.5, "1204"]},
        {"metric": {"job": "store", "what": "lines late"}, "value": [1.5, "3"]},
        {"metric": {"job": "gone", "what": "lines late"}, "value": [1.5, "3"]}
    ]}}"""
    assert read_losses("") == {}
    losses = read_losses(answer)
    verdicts = {
        v.name: v
        for v in judge(tuple(TOY.services), TOY, Evidence(observed=Observed(RUNNING), answers=ANSWERS, losses=losses))
    }
    assert _printed(verdicts["front"])[0] == "healthy running"
    assert _printed(verdicts["store"]) == [
        "degraded running",
        "pass container: running",
        "pass probe: answered",
        "warn losses: lines discarded: 1,204 in the last 15 minutes -> arcctl logs store",
        "warn losses: lines late: 3 in the last 15 minutes -> arcctl logs store",
    ]
    (stopped,) = judge(("store",), TOY, Evidence(observed=Observed({"store": DONE}), answers={}, losses=losses))
    assert [c.id for c in stopped.checks] == ["container"]


def test_what_a_probe_saw_of_a_service_that_answers_degrades_it_or_makes_it_unhealthy() -> None:
    tight = Finding(id="connections", status="warn", message="8 of 10", hint="close some")
    saw = {"store": replace(OK, findings=(replace(tight, status="pass", hint=""), tight))}
    assert _printed(_verdicts({}, saw)["store"]) == [
        "degraded running",
        "pass container: running",
        "pass probe: answered",
        "pass connections: 8 of 10",
        "warn connections: 8 of 10 -> close some",
    ]
    full = {"store": Answer(False, "too many clients", findings=(replace(tight, status="fail"),), hint="close some")}
    assert _printed(_verdicts({}, full)["store"])[2:] == [
        "fail probe: too many clients -> close some",
        "fail connections: 8 of 10 -> close some",
    ]


CONTAINER_OK = "pass container: running"
STORE = [
    (RUNS, REFUSED, ["unhealthy running", CONTAINER_OK, f"fail probe: {REFUSED.reason} -> arcctl logs store"]),
    (
        _state("paused"),
        REFUSED,
        ["unhealthy paused", "fail container: paused -> arcctl up store"],
    ),
    (
        _state("exited", exit_code=137, oom_killed=True),
        REFUSED,
        ["unhealthy exited", "fail container: exited with code 137, out of memory -> arcctl up store"],
    ),
    (
        _state("created"),
        REFUSED,
        ["unhealthy created", "fail container: created but not started -> arcctl up store"],
    ),
    (
        _state("restarting", exit_code=1),
        REFUSED,
        [
            "unhealthy restarting",
            "fail container: keeps restarting, last exit code 1 -> arcctl logs store",
        ],
    ),
    (
        _state("dead"),
        REFUSED,
        ["unhealthy dead", "fail container: crashed too often and is not restarted any more -> arcctl logs store"],
    ),
    (_state("absent"), REFUSED, ["unknown absent", "skip container: not started -> arcctl up store"]),
    (
        _state("running", health="starting"),
        REFUSED,
        [
            "unhealthy running",
            CONTAINER_OK,
            "skip healthcheck: in-container check starting",
            f"fail probe: {REFUSED.reason} -> arcctl logs store",
        ],
    ),
    (
        _state("running", health="starting"),
        OK,
        [
            "healthy running",
            CONTAINER_OK,
            "skip healthcheck: in-container check starting",
            "pass probe: answered",
        ],
    ),
    (
        _state("running", health="unhealthy", health_log="no route"),
        OK,
        [
            "degraded running",
            CONTAINER_OK,
            "warn healthcheck: in-container check unhealthy: no route",
            "pass probe: answered",
        ],
    ),
]


@pytest.mark.parametrize(
    ("now", "answer", "printed"),
    STORE,
    ids=[
        "wrong password",
        "paused",
        "exited",
        "created",
        "restarting",
        "dead",
        "absent",
        "half-started",
        "slow",
        "unhealthy healthcheck",
    ],
)
def test_each_state_has_its_message_and_hint(now: ContainerState, answer: Answer, printed: list[str]) -> None:
    assert _printed(_verdicts({"store": now}, {"store": answer})["store"]) == printed


@pytest.mark.parametrize(
    ("health", "printed"),
    [
        ("healthy", ["healthy running", CONTAINER_OK, "pass healthcheck: in-container check healthy", "pass"]),
        ("", ["degraded running", CONTAINER_OK, "warn"]),
        ("starting", ["unhealthy running", CONTAINER_OK, "skip healthcheck: in-container check starting", "fail"]),
        ("unhealthy", ["unhealthy running", CONTAINER_OK, "warn healthcheck: in-container check unhealthy", "fail"]),
    ],
)
def test_without_a_published_port_the_healthcheck_decides(health: str, printed: list[str]) -> None:
    said = f"{printed.pop()} probe: no published port; in-container check {health or 'missing'}"
    observed = Observed(RUNNING | {"store": _state("running", health=health)})
    (verdict,) = judge(("store",), TOY, Evidence(observed=observed, answers={}))
    assert _printed(verdict) == [*printed, said]


@pytest.mark.parametrize(
    ("component", "now", "status", "check"),
    [
        ("shop-db", DONE, "healthy", "pass shop-db: finished"),
        (
            "shop-db",
            _state("exited", exit_code=2),
            "unhealthy",
            "fail shop-db: shop-db: exited with code 2 -> arcctl logs shop-db",
        ),
        ("shop-db", _state("absent"), "unhealthy", "fail shop-db: shop-db: not started -> arcctl up big-shop"),
        ("shop-db", RUNS, "healthy", "pass shop-db: running"),
        ("shop-exporter", _state("absent"), "healthy", "skip shop-exporter: not started"),
        (
            "shop-exporter",
            _state("exited"),
            "degraded",
            "warn shop-exporter: shop-exporter: exited with code 0 -> arcctl logs shop-exporter",
        ),
        (
            "shop-exporter",
            _state("running", health="unhealthy"),
            "degraded",
            "warn shop-exporter: shop-exporter: unhealthy -> arcctl logs shop-exporter",
        ),
    ],
)
def test_an_init_container_can_fail_a_service_and_a_sidecar_only_degrade_it(
    component: str, now: ContainerState, status: str, check: str
) -> None:
    printed = _printed(_verdicts({component: now}, {})["big-shop"])
    assert printed[0] == f"{status} running"
    assert check in printed


def test_components_of_a_service_that_was_not_started_are_left_out() -> None:
    absent = _verdicts({"big-shop": _state("absent"), "shop-db": _state("exited", exit_code=1)}, {})["big-shop"]
    assert _printed(absent) == ["unknown absent", "skip container: not started -> arcctl up big-shop"]


def test_a_service_that_this_engine_cannot_run_says_why_and_is_no_root_cause() -> None:
    observed = Observed({"big-shop": RUNS}, {"store": Unavailable("must be built first", "arcctl engine build store")})
    store, shop = judge(("store", "big-shop"), TOY, Evidence(observed=observed, answers=ANSWERS))
    why = "not available here: must be built first (arcctl engine build store)"
    assert _printed(store) == ["unknown absent", f"skip container: {why} -> arcctl engine build store"]
    assert shop.blocked_by == ()


CUT = "not connected to the network arc"
FROM_FRONT = Answer(True, "front connects to store:7000")
NOT_FROM_FRONT = Answer(False, "front cannot connect to store:7000")


@pytest.mark.parametrize(
    ("now", "answer", "seen", "printed"),
    [
        (
            _state("running", cut_off=(CUT, "port 7000 is not published on 7000")),
            OK,
            None,
            ["unhealthy running", f"fail network: {CUT}; port 7000 is not published on 7000 -> arcctl up store"],
        ),
        (_state("exited", cut_off=(CUT,)), OK, None, ["unhealthy exited"]),
        (RUNS, OK, FROM_FRONT, ["healthy running", f"pass network: {FROM_FRONT.reason}"]),
        (
            RUNS,
            OK,
            NOT_FROM_FRONT,
            ["unhealthy running", f"fail network: {NOT_FROM_FRONT.reason} -> arcctl restart store"],
        ),
        (RUNS, REFUSED, NOT_FROM_FRONT, ["unhealthy running", f"skip network: {NOT_FROM_FRONT.reason}"]),
        (_state("exited"), REFUSED, NOT_FROM_FRONT, ["unhealthy exited"]),
        (
            _state("running", changed=("its memory limit is 64 MiB, not 128 MiB",)),
            OK,
            FROM_FRONT,
            [
                "degraded running",
                f"pass network: {FROM_FRONT.reason}",
                "warn configuration: its memory limit is 64 MiB, not 128 MiB -> arcctl up store",
            ],
        ),
    ],
    ids=["cut off", "stopped and cut off", "seen", "not seen", "answers nobody", "stopped", "changed by hand"],
)
def test_a_service_that_clients_on_its_networks_do_not_reach_is_unhealthy(
    now: ContainerState, answer: Answer, seen: Answer | None, printed: list[str]
) -> None:
    found = _printed(_verdicts({"store": now}, {"store": answer}, {"store": seen} if seen else {})["store"])
    assert [line for line in found if " container: " not in line and " probe: " not in line] == printed


@pytest.mark.parametrize(
    ("now", "ports", "printed"),
    [
        (_state("running", ports={7000: 7000}), {7000: 7000}, []),
        (
            _state("running", ports={7000: 7000}),
            {7000: 7001},
            ["warn ports: port 7000 is on host port 7000, the settings say 7001 -> arcctl up store"],
        ),
        (_state("running"), {7000: 7001}, []),
        (_state("exited", ports={7000: 7000}), {7000: 7001}, []),
    ],
    ids=["same", "other settings", "not published in production", "stopped"],
)
def test_a_service_with_another_port_than_the_settings_say_is_degraded(
    now: ContainerState, ports: dict[int, int], printed: list[str]
) -> None:
    evidence = Evidence(observed=Observed({"store": now}), answers=ANSWERS, ports={"store": ports})
    (verdict,) = judge(("store",), TOY, evidence)
    assert [line for line in _printed(verdict) if " ports: " in line] == printed


def test_a_service_that_is_cut_off_is_the_root_cause_of_those_that_depend_on_it() -> None:
    found = _verdicts({"store": _state("running", cut_off=(CUT,))}, {"big-shop": REFUSED})
    assert {name: (v.status.value, v.blocked_by) for name, v in found.items()} == {
        "store": ("unhealthy", ()),
        "big-shop": ("unhealthy", ("store",)),
        "front": ("degraded", ("store",)),
    }


@pytest.mark.parametrize(
    ("now", "seen", "check"),
    [
        (_state("running", cut_off=(CUT,)), None, f"warn shop-exporter: shop-exporter: {CUT} -> arcctl up big-shop"),
        (
            RUNS,
            Answer(False, "front cannot connect to shop-exporter:9"),
            "warn shop-exporter: shop-exporter: front cannot connect to shop-exporter:9 -> arcctl restart big-shop",
        ),
        (RUNS, FROM_FRONT, "pass shop-exporter: running"),
        (_state("running", changed=("less",)), None, "warn shop-exporter: shop-exporter: less -> arcctl up big-shop"),
    ],
    ids=["cut off", "not seen", "seen", "changed by hand"],
)
def test_a_sidecar_that_is_cut_off_degrades_its_service(now: ContainerState, seen: Answer | None, check: str) -> None:
    found = _verdicts({"shop-exporter": now}, {}, {"shop-exporter": seen} if seen else {})
    assert check in _printed(found["big-shop"])


SINCE = "2026-01-31T10:00:00Z"


def test_a_service_that_was_started_and_is_gone_is_unhealthy() -> None:
    found = _verdicts({"store": _state("absent")}, {}, started_at={"store": SINCE})
    gone = f"fail container: was started at {SINCE}, is gone -> arcctl up store"
    assert _printed(found["store"]) == ["unhealthy absent", gone]
    assert found["front"].blocked_by == ("store",)


@pytest.mark.parametrize(
    ("component", "status", "check"),
    [
        (
            "shop-exporter",
            "degraded",
            f"warn shop-exporter: shop-exporter: was started at {SINCE}, is gone -> arcctl up big-shop",
        ),
        ("shop-db", "healthy", f"pass shop-db: ran at {SINCE}, its container is gone"),
    ],
)
def test_a_sidecar_that_is_gone_degrades_its_service_and_an_init_container_has_done_its_work(
    component: str, status: str, check: str
) -> None:
    found = _verdicts({component: _state("absent")}, {}, started_at={component: SINCE})["big-shop"]
    assert found.status.value == status
    assert check in _printed(found)


@pytest.mark.parametrize("state", ["exited", "paused", "absent"])
def test_a_service_that_depends_on_a_stopped_one_names_the_root_cause(state: str) -> None:
    refused = {"big-shop": Answer(False, "503 from /ready")}
    found = _verdicts({"store": _state(state)}, refused)
    needs = "warn needs: depends on store, which is not healthy -> arcctl health store"
    assert _printed(found["front"]) == [
        "degraded running blocked by store",
        CONTAINER_OK,
        "pass probe: answered",
        needs,
    ]
    assert found["big-shop"].status is Status.UNHEALTHY
    assert found["big-shop"].blocked_by == ("store",)
    assert found["store"].blocked_by == ()


def test_a_service_that_was_not_started_names_no_root_cause() -> None:
    found = _verdicts({"store": _state("exited"), "front": _state("absent")}, {})
    assert _printed(found["front"]) == ["unknown absent", "skip container: not started -> arcctl up front"]


@pytest.mark.parametrize(
    ("containers", "answers", "reason"),
    [
        ({}, {}, "answered"),
        ({"big-shop": _state("paused")}, {}, "paused"),
        ({}, {"big-shop": REFUSED}, REFUSED.reason),
        ({"shop-db": _state("exited", exit_code=2)}, {}, "shop-db: exited with code 2"),
        ({"store": _state("paused")}, {}, "depends on store, which is not healthy"),
        ({"big-shop": _state("absent")}, {}, "not started"),
    ],
)
def test_the_reason_is_the_check_that_matters_most(
    containers: dict[str, ContainerState], answers: dict[str, Answer], reason: str
) -> None:
    assert _verdicts(containers, answers)["big-shop"].reason == reason


def test_latency_is_in_whole_milliseconds_and_the_version_is_the_tag() -> None:
    verdict = _verdicts({}, {})["store"]
    assert (verdict.checks[1].latency_ms, verdict.version, verdict.layer) == (12, "1", "observability")


def _report(*verdicts: Verdict) -> Report:
    return Report(status=Status.HEALTHY, started_at="", duration_ms=0, engine="", project="arc", services=verdicts)


def test_a_stub_is_counted_and_named() -> None:
    stub = ContainerState(state="running", image="toy/store:1", stub=True)
    report = _report(*_verdicts({"store": stub, "front": _state("absent")}, {}).values())
    assert report.stubs == ("store",)
    assert report.summary == {"healthy": 2, "degraded": 0, "unhealthy": 0, "unknown": 1}
    assert report.services[2].version == f"1 {STUB}"


def _bare(name: str, status: Status) -> Verdict:
    return Verdict(name=name, layer="platform", status=status, state="running", checks=())


@pytest.mark.parametrize(
    ("statuses", "counted", "worst"),
    [
        ({}, "", "unknown"),
        ({"a": "healthy"}, "", "unknown"),
        ({"a": "healthy"}, "a", "healthy"),
        ({"a": "healthy", "b": "degraded"}, "ab", "degraded"),
        ({"a": "unknown", "b": "degraded"}, "ab", "unknown"),
        ({"a": "unknown", "b": "unhealthy"}, "ab", "unhealthy"),
        ({"a": "healthy", "b": "unhealthy"}, "a", "healthy"),
    ],
    ids=str,
)
def test_the_whole_is_as_ill_as_the_worst_that_counts(statuses: dict[str, str], counted: str, worst: str) -> None:
    verdicts = [_bare(name, Status(status)) for name, status in statuses.items()]
    assert overall(verdicts, counted) is Status(worst)


GIGABYTE = 1 << 30
DISK = Disk(path="/data", size=100 * GIGABYTE, free=50 * GIGABYTE)


@pytest.mark.parametrize(
    ("store", "disk", "printed"),
    [
        (RUNS, DISK, ["healthy running", "pass disk: /data: 50.0 GiB of 100.0 GiB free (50 %)"]),
        (
            RUNS,
            replace(DISK, free=GIGABYTE),
            [
                "degraded running",
                "warn disk: little space: /data: 1.0 GiB of 100.0 GiB free (1 %) -> arcctl doctor",
            ],
        ),
        (
            RUNS,
            replace(DISK, free=0),
            [
                "unhealthy running",
                "fail disk: writes fail: /data: 0 MiB of 100.0 GiB free (0 %) -> arcctl doctor",
            ],
        ),
        (
            _state("restarting", exit_code=1),
            replace(DISK, refuses="read-only file system"),
            [
                "unhealthy restarting",
                "fail disk: writes fail: /data: read-only file system -> arcctl doctor",
            ],
        ),
    ],
)
def test_a_full_disk_comes_before_what_fails_because_of_it(
    store: ContainerState, disk: Disk, printed: list[str]
) -> None:
    (verdict,) = judge(
        ("store",), TOY, Evidence(observed=Observed(RUNNING | {"store": store}, disks={"store": disk}), answers=ANSWERS)
    )
    assert _printed(verdict)[:2] == printed
    if disk.space is not Space.ENOUGH:
        assert verdict.reason == verdict.checks[0].message


def test_the_disk_of_a_sidecar_is_that_of_its_service() -> None:
    full = {"big-shop": DISK, "shop-exporter": replace(DISK, free=0)}
    (verdict,) = judge(("big-shop",), TOY, Evidence(observed=Observed(RUNNING, disks=full), answers=ANSWERS))
    assert verdict.status is Status.UNHEALTHY


LATELY, BEFORE, AGAIN = "2026-01-31T09:45:00Z", "2026-01-31T09:30:00Z", "2026-01-31T10:00:00Z"


def _restarted(now: ContainerState, known: str = BEFORE, key: str = "store") -> Verdict:
    evidence = Evidence(
        observed=Observed(RUNNING | {key: now}), answers=ANSWERS, started_at={key: known}, lately=LATELY
    )
    return {v.name: v for v in judge(tuple(TOY.services), TOY, evidence)}["big-shop" if key != "store" else "store"]


@pytest.mark.parametrize(("restarts", "times"), [(1, "once"), (4, "4 times")])
def test_a_service_that_crashed_lately_and_runs_again_is_degraded(restarts: int, times: str) -> None:
    printed = _printed(_restarted(replace(RUNS, restarts=restarts, started_at=AGAIN)))
    assert printed[0] == "degraded running"
    assert f"warn restarts: crashed {times}, was started again at {AGAIN} -> arcctl logs store" in printed


@pytest.mark.parametrize(
    ("now", "known"),
    [
        (replace(RUNS, restarts=4, started_at=BEFORE), ""),
        (replace(RUNS, restarts=4, started_at=AGAIN), AGAIN),
        (replace(RUNS, started_at=AGAIN), BEFORE),
    ],
    ids=["long ago", "seen by up", "by hand"],
)
def test_a_crash_is_forgotten_after_some_time_and_after_up_saw_it(now: ContainerState, known: str) -> None:
    assert _restarted(now, known).status is Status.HEALTHY


def test_a_sidecar_that_crashed_lately_degrades_its_service() -> None:
    verdict = _restarted(replace(RUNS, restarts=2, started_at=AGAIN), key="shop-exporter")
    assert (verdict.status, verdict.reason) == (
        Status.DEGRADED,
        f"shop-exporter: crashed 2 times, was started again at {AGAIN}",
    )
