"""For tests that run shell lines as a person would."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STARTED = Path(__file__).with_name("started.py")
PATIENCE = 120.0


@pytest.fixture(scope="session")
def shell_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment in which `densecli` is this one, offline, and does little: one epoch, five passages."""
    folder = tmp_path_factory.mktemp("bin")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DENSECLI_")}
    env = kept | {"HF_HUB_OFFLINE": "1", "DENSECLI_EPOCHS": "1", "DENSECLI_DEPTH": "5"}
    place = Path(tempfile.mkdtemp(prefix="densecli-")) / "server"  # a socket's path must be short
    program = folder / "densecli"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{STARTED}" "{place}" "$@"\n')
    program.chmod(0o755)
    with subprocess.Popen([sys.executable, STARTED, "serve", place], env=env) as server:
        end = time.monotonic() + PATIENCE
        while not place.exists():
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        yield env | {"PATH": f"{folder}:{os.environ['PATH']}"}
        server.kill()
    shutil.rmtree(place.parent)
