"""The program's beginning: `densecli`, and `python -m densecli`."""

import sys


def main() -> None:
    """Run the program; the console script. Ctrl-C ends it quietly even while it loads."""
    try:
        from densecli.cli.main import main as program

        program()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
