"""The program's beginning: `densecli`, and `python -m densecli`."""

import sys


def main() -> None:
    """Run the program; the console script. Ctrl-C ends it quietly even while it loads."""
    try:
        from densecli.cli.main import main as program

        program()
    except (KeyboardInterrupt, RuntimeError) as error:
        # Python wraps what is raised while a class is made, as when a library is loaded
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
