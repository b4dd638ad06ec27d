"""Structured log lines: what happened, then its ids, as `name=value` for people and as fields for Application Insights."""

import logging


def event(logger: logging.Logger, what: str, level: int = logging.INFO, /, **ids: object) -> None:
    """One line per decision. Ids by name (share_id, delivery_id, tenant, …); never a secret, never an asset's content."""
    shown = " ".join(f"{name}={value}" for name, value in ids.items())
    fields = {f"fanout_{name}": str(value) for name, value in ids.items()}
    logger.log(level, "%s %s", what, shown, extra=fields)
