"""Logging to stderr, one line a record: stdout is kept for the ready line that other programs read."""

import logging
import sys


class OneLine(logging.Formatter):
    """Folds line breaks inside a message; a traceback follows its record on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        first, *traceback = super().format(record).split("\n") if record.exc_info else [super().format(record)]
        stack_trace: str = getattr(record, "worker_stack_trace", "")
        return "\n".join([first.replace("\n", "\\n"), *traceback, *stack_trace.splitlines()])


def log_to_stderr() -> None:
    """The app's loggers at INFO; Azure's SDKs and HTTP clients, which log each request there, only from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("azure", "aiohttp", "asyncio", "httpx", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
