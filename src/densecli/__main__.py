"""The program's beginning: `densecli`, and `python -m densecli`."""

import os
import signal
import sys


def main() -> None:
    """Run the program; the console script. Ctrl-C ends it quietly even while it loads."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # not by an exception: libraries catch or wrap those that are raised while they are imported
            signal.signal(signal.SIGINT, lambda *_: _end_now())
            from densecli.cli.main import main as program

            signal.signal(signal.SIGINT, signal.default_int_handler)
        else:
            from densecli.cli.main import main as program

        program()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


def _end_now() -> None:
    os.write(2, b"error: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
