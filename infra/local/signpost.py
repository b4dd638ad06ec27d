"""What `make cloud` prints: how to reach each part, and three examples to paste."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.local.cloud import LocalCloud

PYTHON = ".venv/bin/python"
FANOUT = ".venv/bin/fanout"
RULES = "infra/local/demo/rules"

ML_CLIENT = """\
import json, os; from azure.identity import DefaultAzureCredential
from azure.ai.ml import MLClient; from azure.ai.ml.entities import Model
cloud = json.loads(os.environ["FANOUT_AZURE_CLOUD"])
client = MLClient(DefaultAzureCredential(), "{0}", "{1}", "{2}", cloud=cloud["name"], cloud_metadata=cloud["metadata"])
client.models.create_or_update(Model(name="hello", version="1", path="README.md"))"""

SERVICE_BUS_CLIENT = """\
import os; from azure.servicebus import ServiceBusClient, ServiceBusMessage
command = '{{"type": "share", "workspace": "{id}", "asset": {{"kind": "model", "name": "hello", "version": "1"}}}}'
client = ServiceBusClient.from_connection_string(os.environ["ServiceBus"])
client.get_queue_sender("commands").send_messages(ServiceBusMessage(command)); client.close()"""

CURL = 'curl --cacert "$REQUESTS_CA_BUNDLE" "$LOCAL_AZURE_ML/_control/state"'


def show(cloud: LocalCloud, console: Console) -> None:
    console.print(_addresses(cloud))
    settings = _shown(cloud.directory / "env")
    console.print(f"\nEvery setting that a client needs: [bold]. {settings}[/]; then curl, or {PYTHON} and what follows.\n")
    workspace = next(iter(cloud.workspaces.values()))
    place = (workspace.azure_subscription_id, workspace.resource_group, workspace.name)
    for title, example in (
        ("Register a model, as a data scientist does", ML_CLIENT.format(*place)),
        ("Send a command, as the provider's other systems do", SERVICE_BUS_CLIENT.format(id=workspace.id)),
        ("See what every workspace holds", CURL),
    ):
        console.print(f"[bold]{title}[/]")
        console.print(example + "\n", markup=False)
    console.print(f"Without rules nothing leaves a workspace: . {settings}; {FANOUT} apply {RULES}")
    console.print(f"Logs: {_shown(cloud.directory / 'logs')}. Ctrl-C ends it; {_shown(cloud.directory)} keeps its state.")


def _addresses(cloud: LocalCloud) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("setting")
    table.add_column("address", overflow="fold")
    for name, address in cloud.addresses().items():
        table.add_row(name, address)
    table.add_row("workspaces", ", ".join(cloud.workspaces))
    table.add_row("registries", ", ".join(cloud.registries))
    return table


def _shown(path: Path) -> str:
    """As short as it can be said from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
