"""The whole cloud on one machine. Every part of it is started through this package, so it says what they all need."""

import sys
from importlib.util import find_spec

if sys.version_info < (3, 13):  # noqa: UP036 - it is for those who start it with another Python that this is here
    sys.stderr.write(f"Python 3.13 is needed, this is {sys.version.split()[0]}: run `make setup`, then use .venv/bin/python.\n")
    raise SystemExit(2)
if find_spec("trustme") is None:
    sys.stderr.write("The packages of requirements-dev.txt are missing: run `make setup`, then use .venv/bin/python.\n")
    raise SystemExit(2)
