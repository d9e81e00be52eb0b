"""Logs of a process: one JSON object a line on stderr.

Loggers are not cached: a line logs changes of state only, and what is cached can be neither tested nor
turned off again."""

import logging
import sys

import structlog


def log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log_nothing() -> None:
    """For simulations: what a link says of itself is in the record; nobody reads its log."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
