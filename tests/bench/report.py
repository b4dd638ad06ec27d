import os
from rich.console import Console

c = Console(width=150)


def introduce():
    pass


def compare(scene, script, first, second):
    for n, o in (("script", script.outcome), ("cold", first), ("warm", second)):
        c.print(
            n,
            dict(
                first_push=o.seconds_to_registry,
                last=o.seconds_to_last,
                calls=len(o.requests),
                cpu=o.cpu_seconds,
                others=o.others_cpu_seconds,
                mb=o.megabytes,
                r429=o.refused,
            ),
            o.kinds,
        )
    c.print(script.import_seconds, os.getloadavg())
    import json

    json.dump([script.outcome.requests, first.requests, second.requests], open(f"/tmp/bench-{scene.action}.json", "w"))
