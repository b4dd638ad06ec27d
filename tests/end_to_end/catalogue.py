"""One asset of each kind and form, as a data scientist registers it with the SDK, and what anyone finds of it afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import mlflow_folder

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
CONDA = {"name": "cards", "channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": ["scikit-learn"]}]}
TAGS = {"stage": "production"}
DEFINED_BY = ("image", "condaFile", "build", "osType", "componentSpec")


@dataclass(frozen=True, slots=True)
class Known:
    """An asset by kind, name and version, as commands name it."""

    kind: str
    name: str
    version: str = "1"

    @property
    def command(self) -> dict[str, str]:
        return {"kind": self.kind, "name": self.name, "version": self.version}

    @property
    def plural(self) -> str:
        return "data" if self.kind == "data" else f"{self.kind}s"

    def path(self, registry: str) -> str:
        return f"azureml://registries/{registry}/{self.plural}/{self.name}/versions/{self.version}"


class Author:
    """A data scientist at work in one workspace. Each of the methods registers one asset; `folder` is for its files."""

    def __init__(self, cloud: LocalCloud, workspace: str, folder: Path) -> None:
        self._client = cloud.ml_client(workspace)
        self._folder = folder
        self._any_json = f"{cloud.azure_ml.url}/_control/seconds"  # else the SDK fetches a schema from the internet

    def model(self, name: str, version: str = "1") -> Known:
        from azure.ai.ml.entities import Model

        path = mlflow_folder(self._folder / f"{name}-{version}", f"weights of {name}:{version}")
        model = Model(name=name, version=version, path=str(path), type="mlflow_model", flavors={"sklearn": {}}, tags=TAGS)
        self._client.models.create_or_update(model)
        return Known("model", name, version)

    def data(self, name: str, type_name: str, version: str = "1") -> Known:
        from azure.ai.ml.entities import Data

        folder = self._folder / f"{name}-{version}"
        (folder / "deep").mkdir(parents=True)
        (folder / "rows.csv").write_text(f"a,b\n{name},{version}\n")
        (folder / "deep" / "more.csv").write_text("a,b\n3,4\n")
        (folder / "MLTable").write_text("paths:\n  - file: ./rows.csv\n")
        path = folder / "rows.csv" if type_name == "uri_file" else folder
        data = Data(name=name, version=version, path=str(path), type=type_name, tags=TAGS, skip_validation=True)
        data._mltable_schema_url = self._any_json
        self._client.data.create_or_update(data)
        return Known("data", name, version)

    def environment(self, name: str, conda: Mapping[str, Any] | None = None) -> Known:
        from azure.ai.ml.entities import Environment

        environment = Environment(name=name, version="1", image=IMAGE, conda_file=dict(conda) if conda else None, tags=TAGS)
        self._client.environments.create_or_update(environment)
        return Known("environment", name)

    def component(self, name: str, environment: Known) -> Known:
        """A step with code of its own."""
        self._client.components.create_or_update(self._step(name, environment))
        return Known("component", name)

    def pipeline(self, name: str, step: Known, inline: Known | None = None) -> Known:
        """Of a registered step, and with `inline`, which is an environment, of a second one that is nowhere registered."""
        from azure.ai.ml import Input, dsl

        first = self._client.components.get(step.name, step.version)
        second = self._step(f"{name}_inline", inline) if inline else None

        def steps(rows: Input(type="uri_folder")) -> None:  # type: ignore[valid-type]
            first(rows=rows, rate=0.2)
            if second:
                second(rows=rows, rate=0.3)

        pipeline = dsl.pipeline(steps)._pipeline_builder.build()
        pipeline.name, pipeline.version, pipeline.tags = name, "1", TAGS
        self._client.components.create_or_update(pipeline)
        return Known("component", name)

    def _step(self, name: str, environment: Known) -> Any:
        from azure.ai.ml import Input
        from azure.ai.ml.entities import CommandComponent

        code = self._folder / f"{name}-code"
        (code / "lib").mkdir(parents=True)
        (code / "train.py").write_text("import lib.steps\n")
        (code / "lib" / "steps.py").write_text(f"STEP = {name!r}\n")
        return CommandComponent(
            name=name,
            version="1",
            command="python train.py --rate ${{inputs.rate}}",
            inputs={"rate": Input(type="number", default=0.1), "rows": Input(type="uri_folder")},
            environment=f"azureml:{environment.name}:{environment.version}",
            code=str(code),
            tags=TAGS,
        )


def found(client: "MLClient", asset: Known) -> Any:
    """The SDK's own entity. ResourceNotFoundError where there is none."""
    operations: Mapping[str, Any] = {
        "model": client.models,
        "data": client.data,
        "environment": client.environments,
        "component": client.components,
    }
    return operations[asset.kind].get(asset.name, asset.version)


def in_workspace(cloud: LocalCloud, workspace: str, asset: Known) -> dict[str, Any]:
    """What the service has of it, which is more than the SDK shows; {} where it has nothing."""
    return _entry(cloud.azure_ml.state()["workspaces"][cloud.workspaces[workspace].id], asset)


def in_registry(cloud: LocalCloud, registry: str, asset: Known) -> dict[str, Any]:
    return _entry(cloud.azure_ml.state()["registries"][registry], asset)


def definition(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What makes it, if no bytes do."""
    return {field: entry[field] for field in DEFINED_BY if field in entry}


def conda_of(entry: Mapping[str, Any]) -> object:
    return json.loads(entry["condaFile"]) if entry.get("condaFile") else None


def _entry(holdings: Mapping[str, Sequence[dict[str, Any]]], asset: Known) -> dict[str, Any]:
    entries = [each for each in holdings[asset.plural] if (each["name"], each["version"]) == (asset.name, asset.version)]
    return dict(entries[0]) if entries else {}
