"""A reader of documents that does what a hostile document makes a parser do."""

import os
import signal

from densecli.errors import FieldError


def read(data: bytes, name: str) -> tuple[str, str]:
    """Do what the document says."""
    word, _, rest = data.decode().partition(" ")
    if word == "loop":
        while True:
            pass
    if word == "eat":
        held = bytearray(int(rest))
        return name, str(len(held))
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "recurse":
        return read(data, name + "x")
    if word == "refuse":
        raise FieldError("refused", "another")
    if word == "print":
        os.write(1, f"{rest}\n".encode())
    return name, rest
