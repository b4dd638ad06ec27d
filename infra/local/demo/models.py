"""The models that the demo's data scientists bring: one that really learned, one that stands in for a large one.

MLflow itself is not needed to write its folder layout: an `MLmodel` that names the flavors, the model, and three files
that say what it runs on. Only models of this layout deploy without code and environment of one's own.
"""

import json
import pickle
import platform
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

COLUMNS = (
    "limit_balance",
    "age",
    "months_late",
    "bill_last_month",
    "bill_month_before",
    "paid_last_month",
    "paid_month_before",
    "utilisation",
)
ROWS = 4_000
MLFLOW_VERSION = "2.22.1"  # the version whose layout this is


@dataclass(frozen=True)
class CreditCardModel:
    """A classifier of customers that will default, and customers whom it has not seen."""

    classifier: Any
    accuracy: float
    customers: list[list[float]]

    def predict(self) -> list[int]:
        """Its answers for `customers`, here and now: what an endpoint must answer too."""
        return [int(answer) for answer in self.classifier.predict(self.customers)]

    def write_request(self, file: Path) -> Path:
        """`customers` as MLflow's scoring takes them."""
        data = {"columns": list(COLUMNS), "index": list(range(len(self.customers))), "data": self.customers}
        file.write_text(json.dumps({"input_data": data}))
        return file


def train_credit_card_model(seed: int) -> CreditCardModel:
    """A second or less. Another seed is another year's customers, and so other bytes."""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    customers, defaulted = make_classification(
        n_samples=ROWS, n_features=len(COLUMNS), n_informative=5, n_redundant=2, weights=[0.78], flip_y=0.03, random_state=seed
    )
    seen, unseen, answers, right_answers = train_test_split(customers, defaulted, random_state=seed, stratify=defaulted)
    classifier = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen, answers)
    return CreditCardModel(classifier, float(classifier.score(unseen, right_answers)), unseen[:12].round(4).tolist())


def write_credit_card_model(model: CreditCardModel, folder: Path) -> Path:
    """The folder that `mlflow.sklearn.save_model` would write."""
    packages = [f"scikit-learn=={version('scikit-learn')}", f"numpy=={version('numpy')}"]
    flavor = {
        "code": None,
        "pickled_model": "model.pkl",
        "serialization_format": "pickle",
        "sklearn_version": version("scikit-learn"),
    }
    inputs = [{"type": "double", "name": name, "required": True} for name in COLUMNS]
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]
    signature = {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}
    _write_layout(folder, "sklearn", flavor, packages, {"model_path": "model.pkl", "predict_fn": "predict"}, signature)
    (folder / "model.pkl").write_bytes(pickle.dumps(model.classifier))
    return folder


def write_bert_stand_in(folder: Path) -> Path:
    """The folder that `mlflow.transformers.save_model` would write, with a few kilobytes where BERT has 440 megabytes."""
    flavor = {
        "code": None,
        "framework": "pt",
        "instance_type": "TextClassificationPipeline",
        "model_binary": "model",
        "pipeline_model_type": "BertForSequenceClassification",
        "source_model_name": "bert-base-uncased",
        "task": "text-classification",
        "transformers_version": "4.53.3",
    }
    text = json.dumps([{"type": "string", "required": True}])
    signature = {"inputs": text, "outputs": text, "params": None}
    _write_layout(folder, "transformers", flavor, ["transformers==4.53.3", "torch==2.7.1"], {}, signature)
    binary = folder / "model"
    binary.mkdir()
    config = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12}
    (binary / "config.json").write_text(json.dumps(config, indent=2))
    (binary / "model.safetensors").write_bytes(random.Random(1).randbytes(8 * 1024))
    return folder


def _write_layout(
    folder: Path, flavor_name: str, flavor: dict[str, Any], packages: list[str], loader: dict[str, str], signature: dict[str, Any]
) -> None:
    folder.mkdir(parents=True)
    python_version = platform.python_version()
    requirements = [f"mlflow=={MLFLOW_VERSION}", *packages]
    function = {
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        "loader_module": f"mlflow.{flavor_name}",
        "python_version": python_version,
        **loader,
    }
    description = {
        "flavors": {"python_function": function, flavor_name: flavor},
        "mlflow_version": MLFLOW_VERSION,
        "model_uuid": uuid.uuid4().hex,
        "signature": signature,
        "utc_time_created": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",
    }
    dependencies = [f"python={python_version}", "pip", {"pip": requirements}]
    conda = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": dependencies}
    environment = {"python": python_version, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    for name, content in (("MLmodel", description), ("conda.yaml", conda), ("python_env.yaml", environment)):
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
