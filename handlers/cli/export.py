"""`fanout export`: the rules in force, as a folder of files."""

from pathlib import Path
from typing import Annotated

import typer

from handlers.cli.rules_in_force import rules_in_force
from handlers.cli.terminal import INVALID, out, stop
from shared.rules_export import FolderNotEmptyError, write_folder


def export(
    folder: Annotated[Path, typer.Argument(help="Where to write provider.yaml and tenants/*.yaml; made where it is not there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the rules that the folder has.")] = False,
) -> None:
    """Write the rules in force into FOLDER, such as `fanout apply FOLDER` takes them: applied unchanged they change nothing.

    Comments, and how workspaces were named, are not kept. Exit codes: 0 done; 1 the tables refuse or cannot be reached;
    2 there are no rules yet, or the folder has something in it, or cannot be written.

    \b
    fanout export rules --force
    """
    in_force = rules_in_force()
    if not in_force.revision:
        stop(INVALID, "There are no rules yet: `fanout apply FOLDER` puts some in force.")
    try:
        written = write_folder(in_force, folder, replace=force)
    except FolderNotEmptyError as not_empty:
        stop(INVALID, f"{not_empty}: name another folder, or write --force to replace the rules there.")
    except OSError as wrong:
        stop(INVALID, f"{folder} cannot be written ({wrong.strerror}): name a folder that can be.")
    files = "1 file" if len(written) == 1 else f"{len(written)} files"
    out.print(f"Revision {in_force.revision}: {files} written to {folder}.", markup=False)
