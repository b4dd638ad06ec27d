"""Structured log lines: what happened, then its ids, as `name=value` for people and as fields for Application Insights."""

import logging

from shared.secrets import without_secrets


def event(logger: logging.Logger, what: str, level: int = logging.INFO, /, **ids: object) -> None:
    """One line per decision. Ids by name (share_id, delivery_id, tenant, …); never a secret, never an asset's content."""
    if not logger.isEnabledFor(level):  # most are told of every look, and texts without secrets are dear
        return
    texts = {name: without_secrets(str(value)) for name, value in ids.items()}
    shown = " ".join(f"{name}={text}" for name, text in texts.items())
    fields = {f"fanout_{name}": text for name, text in texts.items()}
    logger.log(level, "%s %s", what, shown, extra=fields)
