"""Trace ids for responses and log lines; the OTLP exporters read them from the context."""

import json
import logging
from datetime import UTC, datetime

from opentelemetry import trace


def current_trace_id() -> str | None:
    """The id of the current trace as 32 hex digits, None if there is no trace."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def current_span_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return trace.format_span_id(context.span_id) if context.is_valid else None


class JsonLines(logging.Formatter):
    """One JSON object a line, always with the keys `trace_id` and `span_id`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "trace_id": current_trace_id(),
            "span_id": current_span_id(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
