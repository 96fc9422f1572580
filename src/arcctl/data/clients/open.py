"""Makes the client for each kind of data store, at its published port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from arcctl.data.base import BrokerClient, DatabaseClient
from arcctl.model.data_store import Broker, Databases, Streams, Topics


class LoopbackDataClients:
    def databases(self, service: str, store: Databases, ports: Mapping[int, int], host: str) -> DatabaseClient:
        from arcctl.data.clients.postgres import LoopbackDatabases

        return LoopbackDatabases(service, store, ports[store.port], host)

    def broker(self, service: str, store: Broker, ports: Mapping[int, int], host: str) -> BrokerClient:
        match store:
            case Streams():
                from arcctl.data.clients.nats import LoopbackStreams

                return LoopbackStreams(service, store, ports[store.port], host)
            case Topics():
                from arcctl.data.clients.pulsar import LoopbackTopics

                return LoopbackTopics(service, store, ports[store.port], ports[store.admin_port], host)
            case never:
                assert_never(never)
