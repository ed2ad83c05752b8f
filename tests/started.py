"""A process that has loaded densecli and torch, and turns a copy of itself into each run of the program.

A shell line starts `densecli` many times, and each time Python would load the same libraries for seconds.
Here a small client hands its arguments, folder, environment and standard streams to a server, which forks.
The fork runs the whole program in the client's place; the client ends with its exit code.

    python started.py serve SOCKET       the server
    python -S started.py SOCKET [ARGUMENT ...]   the client: what a shell calls `densecli`
"""

import importlib
import json
import os
import signal
import socket
import sys

STREAMS = 3
LOADED = [
    *(f"densecli.{package}.{command}" for package in ("cli", "workflows") for command in (
        "convert", "datasets", "embed", "evaluate", "index", "mine_negatives", "preprocess", "read",
        "search", "status", "train", "train_reader",
    )),
    "densecli.cli.main", "densecli.configs.layers", "densecli.dense.index",
    "densecli.encoders.onnx_session", "densecli.encoders.torch_save", "densecli.lexical.bm25",
    "densecli.reader.torch_folder", "densecli.training.reader", "densecli.training.retriever",
    "densecli.workflows.collection", "faiss", "onnxruntime", "openvino", "pydantic",
    "transformers.models.bert.modeling_bert",
]  # fmt: skip
"""What a run would otherwise load by itself."""


def run_client(place: str, arguments: list[str]) -> int:
    """Have the program run by the server; return its exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(place)
        socket.send_fds(server, [b"!"], range(STREAMS))
        server.sendall(json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode())
        server.shutdown(socket.SHUT_WR)
        return int(server.recv(16) or b"1")


def serve(place: str) -> None:
    """Load what the program needs, and fork a run of it for each client."""
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no run stays a zombie
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{place}.new")
        listener.listen()
        os.rename(f"{place}.new", place)
        while True:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _become(client)
            client.close()


def _become(client: socket.socket) -> None:
    """Turn this process into a run of the program, with the streams of its client."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, streams, _, _ = socket.recv_fds(client, 1, STREAMS)
        with client.makefile("rb") as call:
            arguments, folder, environment = json.load(call)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in enumerate("rww"))
        sys.stderr.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
        sys.argv = ["densecli", *arguments]
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        from densecli.__main__ import main

        main()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number in range(STREAMS):
            os.close(number)  # the next program in a pipe sees the end before the client's shell goes on
        client.send(str(status).encode())
        os._exit(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(run_client(sys.argv[1], sys.argv[2:]))
