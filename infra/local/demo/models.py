"""The models that the demo's data scientists bring: one that really learned, one that stands in for a large one.

MLflow itself is not needed to write its folder layout: an `MLmodel` that names the flavors, the model, and three files
that say what it runs on. Only models of this layout deploy without code and environment of one's own.
"""

import copy
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

# Each column's mean and spread.
COLUMNS = {
    "limit_balance": (167_000.0, 65_000.0),
    "age": (35.0, 6.0),
    "months_late": (0.5, 0.7),
    "bill_last_month": (51_000.0, 22_000.0),
    "bill_month_before": (49_000.0, 21_000.0),
    "paid_last_month": (5_600.0, 2_100.0),
    "paid_month_before": (5_900.0, 2_300.0),
    "utilisation": (0.4, 0.15),
}
FOR_TRAINING, FOR_TUNING, UNSEEN = slice(0, 3_000), slice(3_000, 5_000), slice(5_000, 5_012)
MLFLOW_VERSION = "2.22.1"  # the version whose layout this is


@dataclass(frozen=True)
class CreditCardModel:
    """Tells which customers will default; `classifier` is scikit-learn's."""

    classifier: Any

    def predict(self, customers: list[list[float]]) -> list[int]:
        """Its answers here and now: what an endpoint must answer too."""
        return [int(answer) for answer in self.classifier.predict(customers)]


class Bank:
    """Customers of several years, made up, and which of them defaulted."""

    def __init__(self) -> None:
        from sklearn.datasets import make_classification

        drawn, self._defaulted = make_classification(
            n_samples=UNSEEN.stop, n_features=len(COLUMNS), n_informative=5, weights=[0.78], flip_y=0.03, random_state=7
        )
        means, spreads = zip(*COLUMNS.values(), strict=True)
        self._customers = (drawn * spreads + means).round(2)

    @property
    def unseen(self) -> list[list[float]]:
        customers: list[list[float]] = self._customers[UNSEEN].tolist()
        return customers

    def train(self) -> CreditCardModel:
        """What workspace1's data scientist does; a tenth of a second."""
        from sklearn.linear_model import SGDClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        classifier = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=7))
        return CreditCardModel(classifier.fit(self._customers[FOR_TRAINING], self._defaulted[FOR_TRAINING]))

    def fine_tune(self, model: CreditCardModel) -> CreditCardModel:
        """What workspace3's does: learns on from the model that came, with customers of its own."""
        tuned = copy.deepcopy(model.classifier)
        scaler, classifier = (step for _, step in tuned.steps)
        classifier.partial_fit(scaler.transform(self._customers[FOR_TUNING]), self._defaulted[FOR_TUNING])
        return CreditCardModel(tuned)


def write_request(customers: list[list[float]], file: Path) -> Path:
    """`customers` as MLflow's scoring takes them."""
    data = {"columns": list(COLUMNS), "index": list(range(len(customers))), "data": customers}
    file.write_text(json.dumps({"input_data": data}))
    return file


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
