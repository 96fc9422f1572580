"""The home: its secrets and settings, who may read them, and what interrupted commands left."""

from __future__ import annotations

from collections.abc import Iterator

from arcctl.core.checkup.facts import Facts
from arcctl.core.checkup.finding import EnvLink, Finding, Leftover, Mode, State, fine, judged

FIX = "arcctl doctor --fix"


def _home(facts: Facts) -> Iterator[Finding]:
    home = facts.home
    if home.initialised:
        yield fine("home", f"{home.root}, secrets generated")
    elif facts.engine.all_volumes:
        text = f"{home.root} has no secrets, and the engine holds data: {', '.join(facts.engine.all_volumes)}"
        fix = "go to the home that has them, restore .arcctl/secrets.env, or destroy the data: arcctl clean"
        yield Finding(id="secrets-lost", state=State.PROBLEM, evidence=text, fix=fix)
    else:
        yield Finding(id="home", state=State.PROBLEM, evidence=f"{home.root} has no secrets yet", fix="arcctl init")


def _settings(facts: Facts) -> Iterator[Finding]:
    if facts.home.problem:
        text, fix = facts.home.problem
        yield Finding(id="settings", state=State.PROBLEM, evidence=text, fix=fix)
    else:
        yield fine("settings", f"{facts.home.settings} values fit")


def _near_misses(facts: Facts) -> Iterator[Finding]:
    for text in facts.home.near_misses:
        fix = "unset it, or spell it as the setting is spelt"
        yield Finding(id="environment", state=State.WARN, evidence=text, fix=fix)


def _modes(facts: Facts) -> Iterator[Finding]:
    """Whoever else may read a secret has it."""
    if not facts.home.private:
        return
    open_ = [file for file in facts.home.private if file.mode & ~file.wanted & 0o077]
    text = ", ".join(f"{file.path} is {file.mode:04o} and not {file.wanted:04o}" for file in open_)
    mends = tuple(Mode(file.path, file.wanted) for file in open_ if file.mine)
    shown = text or f"{len(facts.home.private)} private files and folders are yours alone"
    found = judged("modes", State.PROBLEM, shown, wrong=open_, fix=FIX)
    yield Finding(id=found.id, state=found.state, evidence=found.evidence, fix=found.fix, mends=mends)


def _owner(facts: Facts) -> Iterator[Finding]:
    others = [file for file in facts.home.private if not file.mine]
    if facts.home.private:
        text = ", ".join(f"{file.path} belongs to {file.owner}" for file in others)
        shown = text or f"all belongs to {facts.host.user}"
        fix = f"sudo chown -R {facts.host.user} {_quoted(facts.home.root)}/.arcctl"
        bad = State.WARN if facts.host.root else State.PROBLEM
        yield judged("owner", bad, shown, wrong=others, fix=fix)


def _quoted(path: str) -> str:
    return f"'{path}'" if " " in path else path


def _link(facts: Facts) -> Iterator[Finding]:
    home = facts.home
    if home.initialised and home.link:
        mends = (EnvLink(home.link_path),) if home.linkable else ()
        fix = FIX if home.linkable else f"move {home.link_path} away, then {FIX}"
        yield Finding(id="env-link", state=State.WARN, evidence=home.link, fix=fix, mends=mends)
    elif home.initialised:
        yield fine("env-link", "plain `docker compose` finds the settings")


def _leftovers(facts: Facts) -> Iterator[Finding]:
    left = (*facts.home.leftovers, *facts.engine.unfinished)
    if facts.home.busy:
        yield fine("unfinished", f"{facts.home.busy} works on this home now")
        return
    mends = tuple(Leftover(path) for path in left)
    state = State.WARN if left else State.OK
    text = f"left by a command that was killed: {', '.join(left)}" if left else "no command was cut off"
    yield Finding(id="unfinished", state=state, evidence=text, fix=FIX if left else "", mends=mends)


CHECKS = (_home, _settings, _near_misses, _modes, _owner, _link, _leftovers)
