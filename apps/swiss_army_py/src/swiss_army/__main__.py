"""The entry point: telemetry first, then the server, then a last flush."""

import argparse
import os
import signal
import sys

import uvicorn

from swiss_army.app import app
from swiss_army.telemetry import observed

DRAIN_SECONDS = 1  # for requests under way; with the flush after it, a stop stays well under five


def main() -> None:
    options = _options()
    # Uvicorn raises a SIGTERM again once it has drained: here that means "leave", so that the flush still runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with observed(os.environ):
        uvicorn.run(
            app(),
            host=options.host,
            port=options.port,
            log_config=None,  # one format for every line, ours
            access_log=False,  # a span per request says more
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swiss_army", description="Serve the sample application.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port; 0 takes a free one (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
