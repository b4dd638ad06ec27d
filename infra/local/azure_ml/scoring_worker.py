"""One container in a process of its own: reads requests from stdin, a line of JSON each, and writes answers to stdout.

`mlflow FOLDER PICKLE` understands what MLflow's scoring on Azure ML does: {"input_data": {"columns", "index", "data"}} and
{"input_data": [[…]]}. `script FOLDER FILE` calls the script's `init()` once and its `run(raw_data)` for each request, as Azure's
inference server does. Ends when stdin does, so that it never outlives the server.
"""

import importlib.util
import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

type Score = Callable[[str], Any]


class BadInput(Exception):
    """The request is not what the model takes."""


def main() -> None:
    # What the model prints must not mix with the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    load = {"mlflow": load_mlflow, "script": load_script}[sys.argv[1]]
    try:
        score = load(Path(sys.argv[2]), sys.argv[3])
    except BaseException as broken:  # noqa: BLE001 a tenant's code can raise anything, SystemExit too
        traceback.print_exc()
        say({"error": repr(broken)})
        return
    say({"ready": True})
    for line in sys.stdin:
        try:
            say({"answer": score(json.loads(line))})
        except BadInput as refused:
            say({"error": str(refused), "status": 400})
        except Exception as failed:  # noqa: BLE001 so can its run
            traceback.print_exc()
            say({"error": repr(failed), "status": 500})


def load_script(directory: Path, file: str) -> Score:
    """The script's `run`, after its `init`. Its own folder is where it imports from."""
    path = (directory / file).resolve()
    if not path.is_relative_to(directory.resolve()) or not path.is_file():
        raise FileNotFoundError(f"the code has no scoring script {file}")
    sys.path.insert(0, str(path.parent))
    os.chdir(directory)
    specification = importlib.util.spec_from_file_location("scoring_script", path)
    assert specification
    assert specification.loader
    script = importlib.util.module_from_spec(specification)
    sys.modules["scoring_script"] = script
    specification.loader.exec_module(script)
    script.init()
    run: Score = script.run
    return run


def load_mlflow(directory: Path, file: str) -> Score:
    model = pickle.loads((directory / file).read_bytes())  # noqa: S301 running the model is this process's purpose

    def score(raw: str) -> list[Any]:
        """What MLflow's server answers 400 to is the request's fault, whatever the model raised."""
        try:
            return predict(model, json.loads(raw))
        except BadInput:
            raise
        except Exception as refused:
            raise BadInput(repr(refused)) from refused

    return score


def predict(model: Any, payload: Any) -> list[Any]:
    """Raises BadInput where the payload is not MLflow's."""
    import numpy  # here, since a script may do without

    data = payload.get("input_data") if isinstance(payload, dict) else None
    if isinstance(data, dict):
        rows = _ordered(data, [str(name) for name in getattr(model, "feature_names_in_", [])])
    elif isinstance(data, list):
        rows = data
    else:
        raise BadInput('the request must be {"input_data": {"columns": …, "index": …, "data": …}} or {"input_data": [[…]]}')
    predictions: list[Any] = numpy.asarray(model.predict(numpy.asarray(rows))).tolist()
    return predictions


def _ordered(data: dict[str, Any], expected: list[str]) -> list[list[Any]]:
    """The rows, their columns in the order in which the model was fitted."""
    if "data" not in data or "columns" not in data:
        raise BadInput('"input_data" must have "columns" and "data"')
    columns, rows = [str(name) for name in data["columns"]], data["data"]
    if any(len(row) != len(columns) for row in rows):
        raise BadInput(f"every row must have {len(columns)} values, one for each column")
    if not expected:
        return list(rows)
    if missing := [name for name in expected if name not in columns]:
        raise BadInput(f"the model needs the columns {missing}, which the request lacks")
    places = [columns.index(name) for name in expected]
    return [[row[place] for place in places] for row in rows]


if __name__ == "__main__":
    main()
