"""One model in a process of its own: reads requests from stdin, a line of JSON each, and writes predictions to stdout.

Understands what MLflow's scoring on Azure ML does: {"input_data": {"columns", "index", "data"}} and {"input_data": [[…]]}.
Ends when stdin does, so that it never outlives the server.
"""

import json
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy


class BadInput(Exception):
    """The request is not what the model takes."""


def main() -> None:
    # What the model prints must not mix with the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    directory, model_file = Path(sys.argv[1]), sys.argv[2]
    try:
        model = pickle.loads((directory / model_file).read_bytes())  # noqa: S301 running the model is this process's purpose
    except Exception as broken:  # noqa: BLE001 a pickle can raise anything
        traceback.print_exc()
        say({"error": repr(broken)})
        return
    say({"ready": True})
    for line in sys.stdin:
        try:
            say({"predictions": predict(model, json.loads(line))})
        except Exception as refused:  # noqa: BLE001 so can its predict
            say({"error": str(refused) if isinstance(refused, BadInput) else repr(refused)})


def predict(model: Any, payload: Any) -> list[Any]:
    """Raises BadInput where the payload is not MLflow's."""
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
