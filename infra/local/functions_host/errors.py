"""Why the host gives up, as exit codes that a supervisor can tell apart."""

EXIT_BROKEN_APP = 1
EXIT_USAGE = 2
EXIT_FUNCTION_TIMEOUT = 75  # sysexits' EX_TEMPFAIL: nothing is wrong that a restart does not mend


class HostError(Exception):
    """What is wrong with the app, its host.json or its settings: a sentence for the app's developer. Exit code 1."""


class UsageError(Exception):
    """What is wrong with how the host was started: a sentence that says what to do. Exit code 2."""
