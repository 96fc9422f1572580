"""Clients for what services hold, at their published loopback ports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from arcctl.core.contents import Broker, Databases, Streams, Topics
from arcctl.core.ports import BrokerClient, DatabaseClient


class LoopbackContents:
    def databases(self, service: str, held: Databases, ports: Mapping[int, int]) -> DatabaseClient:
        from arcctl.runtime.databases import LoopbackDatabases

        return LoopbackDatabases(service, held, ports[held.port])

    def broker(self, service: str, held: Broker, ports: Mapping[int, int]) -> BrokerClient:
        match held:
            case Streams():
                from arcctl.runtime.nats_streams import LoopbackStreams

                return LoopbackStreams(service, held, ports[held.port])
            case Topics():
                from arcctl.runtime.pulsar_topics import LoopbackTopics

                return LoopbackTopics(service, held, ports[held.port], ports[held.admin_port])
            case never:
                assert_never(never)
