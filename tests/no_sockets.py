"""Runs a command that dies with SIGSYS as soon as it, or a process that it starts, opens a socket to
elsewhere.

    python no_sockets.py COMMAND [ARGUMENT ...]

The kernel looks at each `socket` call (a seccomp filter, Linux only, no privileges needed), so libraries
that are not written in Python are seen as well. Sockets between processes of one machine (AF_UNIX) are let
through.
"""

import ctypes
import os
import platform
import socket
import struct
import sys

SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, KILL = 0x7FFF0000, 0x80000000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16
"""Offsets in the kernel's `struct seccomp_data`."""


def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def forbid_sockets() -> None:
    """Have the kernel kill this process, and all that it starts, at the first socket to elsewhere."""
    steps = [
        step(LOAD, NUMBER),
        step(JUMP_IF_EQUAL, SOCKET_CALL[platform.machine()], 0, 3),
        step(LOAD, FIRST_ARGUMENT),
        step(JUMP_IF_EQUAL, socket.AF_UNIX, 1, 0),
        step(RETURN, KILL),
        step(RETURN, ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(steps))
    filtered = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(program)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    asked = ((PR_SET_NO_NEW_PRIVS, 1, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(filtered)))
    for option, value, place in asked:
        if prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(place), 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    forbid_sockets()
    os.execv(sys.argv[1], sys.argv[1:])
