"""Structured logs on standard output: one line an event, with the request's id."""

import logging
from typing import Any

import structlog


def worth_a_line(record: logging.LogRecord) -> bool:
    """The task queue tells of each ring, many a minute; what rings mean for an order is in its history."""
    return record.levelno >= logging.WARNING or not record.name.startswith("django.tasks")


def on_one_line(logger: Any, method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """The message with what does not print (line breaks, terminal codes) written out as escapes."""
    text = str(event.get("event", ""))
    event["event"] = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return event


def logging_config(log_format: str) -> dict[str, Any]:
    """A ``logging`` configuration; ``log_format`` is ``json`` for machines or ``console`` for people.

    Values are rendered by structlog as JSON strings or reprs, and messages by ``on_one_line``: a line break in what
    somebody sent cannot forge a line.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    if log_format == "json":
        rendering: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: richer ones print local variables, and keys and passwords with them.
        plain = structlog.dev.plain_traceback
        rendering = [on_one_line, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "portal": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            },
        },
        "filters": {"worth_a_line": {"()": "django.utils.log.CallbackFilter", "callback": worth_a_line}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "portal",
                "filters": ["worth_a_line"],
            },
        },
        "root": {"handlers": ["stdout"], "level": "INFO"},
        "loggers": {
            "django.server": {"level": "WARNING"},
        },
    }
