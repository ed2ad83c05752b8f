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


def pid_then_nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def go_on_writing(path: str) -> str:
    while path:
        with open(path, "ab") as stream:
            stream.write(b"x")
    return path


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(what: str) -> None:
    raise FieldError(what, "another")
