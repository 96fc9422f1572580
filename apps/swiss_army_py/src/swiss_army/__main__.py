"""The entry point: starts telemetry and the server, and flushes telemetry at the end."""

import argparse
import os
import signal
import sys

import uvicorn

from swiss_army.app import app
from swiss_army.telemetry import observed

DRAIN_SECONDS = 1  # for running requests; together with the flush, a stop takes less than five seconds


def main() -> None:
    options = _options()
    # Uvicorn raises SIGTERM again after the last request: exit normally then, so that the flush runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with observed(os.environ):
        uvicorn.run(
            app(),
            host=options.host,
            port=options.port,
            log_config=None,  # every line has the format of this program
            access_log=False,  # each request has a span
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swiss_army", description="Serve the sample application.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port; 0 selects a free one (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
