"""Rows as `--json` prints them."""

import json
from datetime import UTC, datetime

import typer

from shared.assets import Asset


def print_json(document: object) -> None:
    """One document, and nothing else, on stdout."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def asset_text(asset: Asset) -> str:
    """As the command line takes it."""
    return f"{asset.kind}:{asset.name}:{asset.version}"


def time_text(time: datetime) -> str:
    """UTC, in ISO 8601, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
