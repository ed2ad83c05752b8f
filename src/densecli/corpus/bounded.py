"""One document read in a process with limits: hostile input must not take hours, or all memory.

Parsers of Markdown, HTML and PDF have inputs of some hundred kB on which they take minutes or crash, and no
exception reaches into their C code. So such a document is parsed in a child process that the system ends when
it has used its processor time, which does not depend on what else the machine does. The child serves document
after document and ends when its standard input does.
"""

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol, cast

from densecli.errors import FieldError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SERVE = "from densecli.corpus.bounded import serve; serve()"
LARGEST_MEMORY = 4 << 30
"""Bytes of address space that the child may use."""
SIMPLER = "a smaller or simpler document"


class Reader(Protocol):
    """What a module has that reads a kind of document."""

    def read(self, data: bytes, name: str) -> tuple[str, str]:
        """Return a file's title (or its name) and its prose; raise FieldError where it is broken."""


def read_document(module: str, path: str) -> tuple[str, str]:
    """Return title and text of a file, read in this process.

    Args:
        module: what reads it: the name of a module that is a Reader.
        path: the file.

    Raises:
        FieldError: it cannot be used: any error of a parser is the document's fault.
        OSError: it cannot be read from the disk.
    """
    data = Path(path).read_bytes()
    reader = cast(Reader, import_module(module))
    try:
        return reader.read(data, Path(path).stem)
    except FieldError:
        raise
    except MemoryError:
        raise FieldError("needs too much memory", SIMPLER, code="needs_too_much_memory") from None
    except Exception as error:
        raise FieldError(
            f"its parser failed ({type(error).__name__})", SIMPLER, code="parser_failed"
        ) from None


def read_bounded(module: str, path: str, seconds: int) -> tuple[str, str]:
    """Return title and text of a file, read in the child process.

    Args:
        module: what reads it: the name of a module that is a Reader.
        path: the file.
        seconds: the processor time that it may take.

    Raises:
        FieldError: it cannot be used, takes longer or needs more memory, or its parser crashed.
        OSError: it cannot be read from the disk.
    """
    child = _child()
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        _send(child.stdin, [module, path, seconds])
        answer = child.stdout.readline()
    except BrokenPipeError:
        answer = b""
    except BaseException:  # an interrupt: the next document must not get this one's answer
        child.kill()
        raise
    # no answer, or part of one: the child was ended in the middle of its work
    if not answer.endswith(b"\n"):
        raise _end_error(child.wait(), seconds)
    kind, *values = json.loads(answer)
    if kind == "text":
        return values[0], values[1]
    if kind == "bad":
        raise FieldError(values[0], values[1], code=values[2])
    raise OSError(values[0], values[1])


def _end_error(status: int, seconds: int) -> FieldError:
    if status == -signal.SIGXCPU:
        return FieldError(
            f"took too long (more than {seconds} seconds)",
            f"{SIMPLER}, or more `document_seconds`",
            code="took_too_long",
        )
    why = signal.Signals(-status).name if status < 0 else f"status {status}"
    return FieldError(f"its parser ended ({why})", SIMPLER, code="parser_failed")


_running: list["subprocess.Popen[bytes]"] = []


def _child() -> "subprocess.Popen[bytes]":
    """Return the child of this process; a new one if there is none or it has ended."""
    if _running and _running[0].poll() is None:
        return _running[0]
    _running[:] = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,  # Ctrl-C reaches the parent alone
        )
    ]
    return _running[0]


def _send(stream: IO[bytes], values: list[str | int]) -> None:
    stream.write(json.dumps(values).encode() + b"\n")  # ASCII: a name or a text may hold lone surrogates
    stream.flush()


def serve() -> None:
    """Read the documents that standard input names, and write their texts: the child's side."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not get between the answers
    assert resource is not None  # this process was started on POSIX
    # a crash is expected here, and must not write gigabytes
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, LARGEST_MEMORY)
    for request in sys.stdin.buffer:
        module, path, seconds = json.loads(request)
        used = resource.getrusage(resource.RUSAGE_SELF)
        # the limit counts from the start of the process, so it is raised for each document; by one second
        # more, since `int` cuts the seconds that were used
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds + 1)
        try:
            title, text = read_document(module, path)
            answer: list[str | int] = ["text", title, text]
        except FieldError as error:
            answer = ["bad", error.what, error.expected, error.code]
        except OSError as error:
            answer = ["unreadable", error.errno or 0, error.strerror or str(error)]
        try:
            _send(answers, answer)
        except BrokenPipeError:
            break
        except MemoryError:
            _send(answers, ["bad", "needs too much memory", SIMPLER, "needs_too_much_memory"])


def _limit(kind: int, most: int) -> None:
    """Lower a limit as far as the system lets it be lowered."""
    hard = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    except ValueError:  # macOS takes no limit on address space
        return
