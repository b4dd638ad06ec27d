"""Where `fanout` begins. Interrupted while it is still being imported, it ends as it does later: by its exit code, in silence."""

import sys


def main() -> None:
    try:
        from handlers.cli.all_commands import app

        app(prog_name="fanout")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
