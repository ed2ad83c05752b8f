"""Functions for tests that run them in other processes, where no test module can be imported."""

import os
import signal
import time

from densecli.errors import FieldError


def pid(_: object) -> int:
    return os.getpid()


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(what: str) -> None:
    raise FieldError(what, "another")
