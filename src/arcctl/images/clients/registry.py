"""Asks registries for tags, over the distribution API, with an anonymous token where the registry wants one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from arcctl.model.image import HUB, place

if TYPE_CHECKING:
    import httpx

HUB_SERVER = "registry-1.docker.io"
ATTEMPT = 10.0
"""Seconds that one request may take."""
PAGES = 40
AT_ONCE = 8


class HttpRegistries:
    """Registries on the network."""

    async def tags(self, repositories: Iterable[str], timeout: float) -> Mapping[str, tuple[str, ...] | str]:
        """The tags of each repository, or why they are unknown. Never raises; ends after `timeout` seconds."""
        from arcctl.engines.http import httpx

        wanted, gate = tuple(sorted(set(repositories))), asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(timeout=ATTEMPT, follow_redirects=True) as client:

            async def ask(repository: str) -> tuple[str, ...] | str:
                try:
                    async with asyncio.timeout(timeout), gate:
                        return await _tags(repository, client)
                except TimeoutError:
                    return f"no answer from {_place(repository)[0]} in {timeout:.0f} s"
                except Exception as error:  # it is the reason of this repository, and the others are still asked
                    return _explain(error, _place(repository)[0])

            return dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))


class Refused(Exception):
    """The registry refused; the message says how."""


def _place(repository: str) -> tuple[str, str]:
    """The server that is asked for a repository, and what it is called there."""
    registry, path = place(repository)
    return HUB_SERVER if registry == HUB else registry, path


async def _tags(repository: str, client: httpx.AsyncClient) -> tuple[str, ...]:
    host, path = _place(repository)
    scheme = "http" if re.match(r"(localhost|127\.)", host) else "https"
    url, token, found = f"{scheme}://{host}/v2/{path}/tags/list?n=1000", "", list[str]()
    for _ in range(PAGES):
        answer = await _get(url, token, client)
        if answer.status_code == 401 and not token:
            token = await _token(answer.headers.get("www-authenticate", ""), scheme, client)
            answer = await _get(url, token, client)
        if answer.status_code != 200:
            raise Refused(f"{host} answers HTTP {answer.status_code}")
        found += answer.json().get("tags") or []
        following = answer.links.get("next", {}).get("url")
        if not following:
            break
        url = urljoin(url, following)
    return tuple(found)


async def _get(url: str, token: str, client: httpx.AsyncClient) -> httpx.Response:
    return await client.get(url, headers={"Authorization": f"Bearer {token}"} if token else {})


async def _token(challenge: str, scheme: str, client: httpx.AsyncClient) -> str:
    """An anonymous token from the token service of the registry."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = asked.pop("realm", "")
    if not challenge.lower().startswith("bearer ") or not realm.startswith(f"{scheme}://"):
        raise Refused("asks for a login")
    answer = await client.get(realm, params=asked)
    if answer.status_code in (401, 403):
        raise Refused("asks for a login")
    if answer.status_code != 200:
        raise Refused(f"gives no token: HTTP {answer.status_code}")
    body = answer.json()
    return str(body.get("token") or body.get("access_token") or "")


def _explain(error: Exception, host: str) -> str:
    if isinstance(error, Refused):
        text = str(error)
        return text if text.startswith(host) else f"{host} {text}"
    return f"no answer from {host}: {str(error) or type(error).__name__}"[:200]
