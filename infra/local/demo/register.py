"""`python -m infra.local.demo.register WORKSPACE NAME VERSION`: registers a model as that workspace's data scientist does.

For trying things by hand, after `. .local/env`: a small model of scikit-learn, trained just then, so that it can be deployed too.
"""

import argparse
import io
import logging
import os
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

from rich.console import Console

from infra.local.clients import ml_client
from infra.local.demo.models import Bank, write_credit_card_model
from infra.local.topology import ARTICLE_WORKSPACES

WORKSPACES = {workspace.name: workspace for workspace in ARTICLE_WORKSPACES}


def main() -> None:
    arguments = _arguments()
    from azure.ai.ml.constants import AssetTypes
    from azure.ai.ml.entities import Model

    logging.getLogger("azure").setLevel(logging.ERROR)  # the SDK warns of what is experimental in itself
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):  # the SDK prints an escape sequence there
        files = write_credit_card_model(Bank().train(), Path(folder) / "model")
        model = Model(name=arguments.name, version=arguments.version, path=str(files), type=AssetTypes.MLFLOW_MODEL)
        ml_client(os.environ, WORKSPACES[arguments.workspace]).models.create_or_update(model)
    Console(soft_wrap=True, highlight=False).print(f"{arguments.name}:{arguments.version} is registered in {arguments.workspace}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.demo.register", description="Register a small model in a workspace."
    )
    parser.add_argument("workspace", choices=WORKSPACES)
    parser.add_argument("name")
    parser.add_argument("version")
    arguments = parser.parse_args()
    if "FANOUT_AZURE_CLOUD" not in os.environ:
        parser.error("there is no local cloud in this shell: start `make cloud`, then `. .local/env`")
    return arguments


if __name__ == "__main__":
    main()
