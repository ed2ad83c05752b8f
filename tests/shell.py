"""For tests that run shell lines as a person would."""

import os
import sys

import pytest


@pytest.fixture(scope="session")
def shell_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which `densecli` is this one, offline, and does little: one epoch, five passages."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "densecli"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m densecli "$@"\n')
    program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DENSECLI_")}
    path = f"{folder}:{os.environ['PATH']}"
    return kept | {"PATH": path, "HF_HUB_OFFLINE": "1", "DENSECLI_EPOCHS": "1", "DENSECLI_DEPTH": "5"}
