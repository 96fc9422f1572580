"""Data volumes: whose they are, whether they are whole, and whether their server can read them."""

from __future__ import annotations

from collections.abc import Iterator

from arcctl.core.checkup.facts import Facts
from arcctl.core.checkup.finding import Finding, State, judged


def _foreign(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    text = ", ".join(report.foreign) or "no other home is in the way"
    yield judged("other-homes", State.WARN, text, wrong=report.foreign, fix=report.remove_foreign)


def _adopted(facts: Facts) -> Iterator[Finding]:
    """Data that was there before this home was ever started."""
    report = facts.engine
    if report.all_volumes and facts.home.initialised and not facts.started:
        text = f"this home was never started, and there is data already: {', '.join(report.all_volumes)}"
        fix = "bring .arcctl/secrets.env of the home that made it, or destroy it: arcctl clean"
        yield Finding(id="old-data", state=State.WARN, evidence=text, fix=fix)


def _undeclared(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    if report.undeclared:
        text = f"no service declares them: {', '.join(report.undeclared)}"
        yield Finding(id="stale-volumes", state=State.WARN, evidence=text, fix=report.remove_undeclared)


def _whole(facts: Facts) -> Iterator[Finding]:
    """A server that finds half a data folder takes it for a whole one, and fails."""
    if facts.engine.volumes:
        broken = [v for v in facts.engine.volumes if v.missing]
        text = "; ".join(f"{v.name} has data but no {', '.join(v.missing)}" for v in broken)
        names = ", ".join(v.name for v in facts.engine.volumes)
        fix = "arcctl clean, then arcctl up --stack, and arcctl backup restore NAME where there is one"
        yield judged("half-volume", State.PROBLEM, text or f"{names}: initialised", wrong=broken, fix=fix)


def _format(facts: Facts) -> Iterator[Finding]:
    known = [v for v in facts.engine.volumes if v.version]
    if known:
        odd = [v for v in known if v.wanted and v.version != v.wanted]
        text = "; ".join(f"{v.name} has data of version {v.version}, {v.service} is {v.wanted}" for v in odd)
        shown = ", ".join(f"{v.name} has version {v.version}" for v in known)
        fix = "set the tag of the image that wrote it (arcctl config set), then arcctl upgrade says the way on"
        yield judged("data-version", State.PROBLEM, text or shown, wrong=odd, fix=fix)


def _supervisor(facts: Facts) -> Iterator[Finding]:
    report = facts.engine
    if not report.supervisor:
        return
    left = f", and left {len(report.outlived)} servers behind that nobody would restart" if report.outlived else ""
    words = {
        "running": "the supervisor runs",
        "stopped": "no supervisor is needed, nothing was started",
        "gone": f"the supervisor is gone: killed, or the machine was restarted{left}",
    }
    wrong = report.supervisor == "gone"
    yield judged("supervisor", State.PROBLEM, words[report.supervisor], wrong=wrong, fix="arcctl up")


CHECKS = (_foreign, _adopted, _undeclared, _whole, _format, _supervisor)
