"""Names, proxies and ports."""

from __future__ import annotations

from collections.abc import Iterator

from arcctl.core.checkup.facts import Facts
from arcctl.core.checkup.finding import Finding, State, fine, judged, unknown

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
OURS = ("127.0.0.1", "localhost")
EXCEPTION = "no_proxy"


def _dns(facts: Facts) -> Iterator[Finding]:
    found = facts.engine.lookup
    if found is None:
        if facts.engine.lookup_possible:
            yield unknown("dns", "no container runs in which names could be resolved", "arcctl up --stack")
        return
    if not found.own:
        text = f"inside {found.inside} the names of other containers are not found"
        yield Finding(id="dns", state=State.PROBLEM, evidence=text, fix="arcctl down, then arcctl up")
    elif not found.outer_found and found.host_finds:
        text = f"inside {found.inside} {found.outer} is not found, and this machine finds it"
        fix = 'set "dns" in /etc/docker/daemon.json to a server that containers can reach, then restart Docker'
        yield Finding(id="dns", state=State.WARN, evidence=text, fix=fix)
    else:
        outer = f"and {found.outer} too" if found.outer_found else f"{found.outer} neither there nor here (offline)"
        yield fine("dns", f"inside {found.inside} the names of containers are found, {outer}")


def _proxy(facts: Facts) -> Iterator[Finding]:
    used = [name for name in PROXIES if facts.proxies.get(name)]
    if not used:
        yield fine("proxy", "no proxy is set")
        return
    exceptions = {part.strip() for part in facts.proxies.get(EXCEPTION, "").split(",")}
    missing = [] if "*" in exceptions else [name for name in OURS if name not in exceptions]
    names = ", ".join(name.upper() for name in used)
    text = f"{names} without {' and '.join(missing)} in NO_PROXY: programs would ask the proxy for your services"
    fix = f"export NO_PROXY={','.join((*sorted(exceptions - {''}), *missing, '.localhost'))}"
    yield judged("proxy", State.WARN, text if missing else f"{names}, not for {OURS[0]}", wrong=missing, fix=fix)


def _ports(facts: Facts) -> Iterator[Finding]:
    if facts.taken is None:
        yield unknown("ports", "cannot be looked at before settings and engine are well")
        return
    text = ", ".join(f"{t.port} ({t.service}) by {t.owner}" for t in facts.taken)
    fix = "free them, or set other ones: arcctl config show"
    yield judged("ports", State.PROBLEM, f"taken: {text}" if text else "all free or ours", wrong=facts.taken, fix=fix)


def _low_ports(facts: Facts) -> Iterator[Finding]:
    """Ports that need root, for an engine that has none."""
    lowest = facts.host.lowest_port
    as_user = facts.engine.rootless or (bool(facts.engine.socket) and not facts.host.root)
    if not as_user or lowest is None:
        return
    low = {port: service for port, service in facts.low_ports.items() if port < lowest}
    text = ", ".join(f"{port} ({service})" for port, service in low.items())
    fix = f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={min(low, default=lowest)}"
    shown = f"{text} below {lowest}, where only root may listen" if low else f"none is below {lowest}"
    yield judged("low-ports", State.WARN, shown, wrong=low, fix=fix)


CHECKS = (_dns, _proxy, _ports, _low_ports)
