"""Topics of a Pulsar cluster: administered over HTTP, messages over pulsar-client."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from arcctl.checks.clients.pulsar import WAIT_SECONDS, connect
from arcctl.checks.clients.steps import short
from arcctl.data.report import NewTopic, Topic
from arcctl.errors import UnhealthyError, UsageError
from arcctl.model.data_store import Topics
from arcctl.model.names import LOOPBACK

if TYPE_CHECKING:
    import httpx
    import pulsar

RECEIVE_MS = 500
SYSTEM_PREFIX = "__"
AT_ONCE = 16
"""Concurrent HTTP requests."""
_PARTITION = re.compile(r"(.*)-partition-\d+")


@dataclass(frozen=True)
class LoopbackTopics:
    """Connects to published ports."""

    service: str
    store: Topics
    port: int
    admin_port: int
    host: str = LOOPBACK

    @contextlib.asynccontextmanager
    async def _http(self) -> AsyncIterator[httpx.AsyncClient]:
        from arcctl.engines.http import httpx

        limits = httpx.Limits(max_connections=AT_ONCE)
        url = f"http://{self.host}:{self.admin_port}/admin/v2"
        with self._translated():
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=WAIT_SECONDS, limits=limits) as client:
                yield client

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises UnhealthyError for a server that does not answer."""
        import pulsar

        from arcctl.engines.http import httpx

        try:
            yield
        except (httpx.HTTPError, pulsar.PulsarException) as error:
            raise self._refused(str(error) or type(error).__name__) from None

    def _refused(self, words: str, hint: str = "") -> UnhealthyError:
        return UnhealthyError(f"{self.service}: {short(words)}", hint=hint or f"arcctl health {self.service}")

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **more: Any) -> Any:
        """The JSON of the response. Raises UnhealthyError with the message of the server."""
        answer = await client.request(method, path, **more)
        if answer.is_server_error:
            raise self._refused(f"HTTP {answer.status_code}: {answer.text}")
        if answer.is_error:  # the server runs and refused the request
            reason = answer.json()["reason"] if "reason" in answer.text else f"HTTP {answer.status_code}"
            raise self._refused(reason, "arcctl topics list")
        return answer.json() if answer.content else None

    async def topics(self) -> tuple[Topic, ...]:
        """Without the system topics; the partitions of a topic are added up."""
        async with self._http() as client:
            spaces = await self._namespaces(client)
            kept = await self._all(client, (f"/persistent/{space}" for space in spaces))
            split = await self._all(client, (f"/persistent/{space}/partitioned" for space in spaces))
            parts = sorted({_short(name) for some in kept for name in some} - {""})
            stats = await self._all(client, (f"/persistent/{_path(name)}/internalStats" for name in parts))
        found = {_short(name): _empty(self.service, _short(name)) for some in split for name in some}
        for name, stat in zip(parts, stats, strict=True):
            whole = match[1] if (match := _PARTITION.fullmatch(name)) and match[1] in found else name
            found[whole] = _plus(found.get(whole, _empty(self.service, whole)), stat)
        return tuple(found[name] for name in sorted(found) if name)

    async def _namespaces(self, client: httpx.AsyncClient) -> list[str]:
        tenants = [t for t in await self._ask(client, "GET", "/tenants") if t != self.store.system_tenant]
        found = await self._all(client, (f"/namespaces/{tenant}" for tenant in tenants))
        return [space for some in found for space in some]

    async def _all(self, client: httpx.AsyncClient, paths: Iterable[str]) -> list[Any]:
        return await asyncio.gather(*(self._ask(client, "GET", path) for path in paths))

    async def create(self, topic: NewTopic) -> None:
        async with self._http() as client:
            spaces, space = await self._namespaces(client), topic.name.rpartition("/")[0]
            if space not in spaces:
                raise UsageError(
                    f"{self.service} has no namespace {space!r}", hint=f"its namespaces: {', '.join(spaces)}"
                )
            await self._ask(client, "PUT", f"/persistent/{_path(topic.name)}")
            if topic.minutes:
                policy = {"retentionTimeInMinutes": topic.minutes, "retentionSizeInMB": -1}
                await self._ask(client, "POST", f"/persistent/{_path(topic.name)}/retention", json=policy)

    async def delete(self, name: str) -> None:
        """With its subscriptions and its schema."""
        async with self._http() as client:
            meta = await self._ask(client, "GET", f"/persistent/{_path(name)}/partitions")
            end = "/partitions" if meta["partitions"] else ""
            params = {"force": "true", "deleteSchema": "true"}
            await self._ask(client, "DELETE", f"/persistent/{_path(name)}{end}", params=params)

    async def produce(self, name: str, messages: AsyncIterator[bytes], subject: str) -> int:
        """Sent without waiting; counted once the broker has stored all."""
        del subject
        failed: list[Any] = []
        count = stored = 0

        def note(result: Any, _: Any) -> None:
            nonlocal stored
            import pulsar

            if result == pulsar.Result.Ok:
                stored += 1
            else:
                failed.append(result)

        try:
            with self._translated():
                async with self._client() as client:
                    topic = f"persistent://{name}"
                    producer = await asyncio.to_thread(client.create_producer, topic, block_if_queue_full=True)
                    async for message in messages:
                        producer.send_async(message, note)
                        count += 1
                    await asyncio.to_thread(producer.flush)
        except UnhealthyError as error:
            raise UnhealthyError(
                f"{error.message}; {stored} of {count} messages were stored", hint=error.hint
            ) from None
        if failed:
            raise self._refused(f"{len(failed)} of {count} messages were not stored: {failed[0]}")
        return count

    async def consume(self, name: str, *, new: bool, follow: bool) -> AsyncGenerator[bytes]:
        """By a reader, which needs no subscription and acknowledges nothing."""
        import pulsar

        start = pulsar.MessageId.latest if new else pulsar.MessageId.earliest
        with self._translated():
            async with self._client() as client:
                reader = await asyncio.to_thread(client.create_reader, f"persistent://{name}", start)
                while follow or await asyncio.to_thread(reader.has_message_available):
                    with contextlib.suppress(pulsar.Timeout):
                        message = await asyncio.to_thread(reader.read_next, RECEIVE_MS)
                        yield message.data()

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[pulsar.Client]:
        client = connect(self.host, self.port, self.store.listener)
        try:
            yield client
        finally:
            await asyncio.to_thread(client.close)


def _short(name: str) -> str:
    """`tenant/namespace/topic`; empty for a system topic."""
    short_name = name.removeprefix("persistent://")
    return "" if short_name.rpartition("/")[2].startswith(SYSTEM_PREFIX) else short_name


def _path(name: str) -> str:
    tenant, space, topic = name.split("/", 2)
    return f"{tenant}/{space}/{quote(topic, safe='')}"


def _empty(service: str, name: str) -> Topic:
    return Topic(service=service, name=name, messages=0, bytes=0, readers=0)


def _plus(topic: Topic, stat: Any) -> Topic:
    """The topic with one more partition added; a subscription exists in every partition."""
    return replace(
        topic,
        messages=topic.messages + stat["numberOfEntries"],
        bytes=topic.bytes + stat["totalSize"],
        readers=max(topic.readers, len(stat["cursors"])),
    )
