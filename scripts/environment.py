"""Make .venv with the tested versions; when nothing changed since, end at once.

With --compile it also compiles what the tests import, once for all of their processes. Starts under any
Python from 3.8 on, looks for one that is new enough, and needs only the standard library.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
MARKER = VENV / "densecli-setup"
COMPILED = VENV / "densecli-compiled"
CONSTRAINTS = ROOT / "constraints.txt"
SOURCES = (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__))
OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3", "python")
IMPORT_ALL = """
import contextlib, importlib, pkgutil, densecli
names = [module.name for module in pkgutil.walk_packages(densecli.__path__, "densecli.")]
for name in [*names, "datasets", "matplotlib.figure", "pytest", "torch.distributed.run"]:
    if not name.endswith("__main__"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
"""
GROUPS_SINCE = (25, 1)  # the first pip that knows --group


def main() -> None:
    state = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()
    if not is_made(MARKER, state):
        begun = time.monotonic()
        make_venv()
        install_torch()
        install_others()
        MARKER.write_text(state)
        say(f"done in {time.monotonic() - begun:.0f} s")
    if "--compile" in sys.argv and not is_made(COMPILED, state):
        compile_used()
        COMPILED.write_text(state)


def is_made(marker: Path, state: str) -> bool:
    return marker.is_file() and PYTHON.exists() and marker.read_text() == state


def say(text: str) -> None:
    print("setup:", text, flush=True)


def make_venv() -> None:
    if not PYTHON.exists():
        python = find_python()
        say(f"a virtual environment in .venv with {python}")
        if subprocess.run([python, "-m", "venv", str(VENV)]).returncode:
            sys.exit("setup: Python could not make .venv (on Debian and Ubuntu: apt install python3-venv)")
    if not new_enough(str(PYTHON)):
        sys.exit("setup: .venv holds an older Python than 3.11; remove it and run this again")


def find_python() -> str:
    found = [sys.executable, *filter(None, map(shutil.which, NAMES))]
    for python in found:
        if new_enough(python):
            return python
    sys.exit("setup: densecli needs Python 3.11 or newer, and there is none on PATH")


def new_enough(python: str) -> bool:
    asked = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([python, "-c", asked], stderr=subprocess.DEVNULL).returncode == 0


def pip(*arguments: str, quiet_errors: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run pip install, which compiles nothing: to compile all that torch brings would take the most time."""
    stderr = subprocess.PIPE if quiet_errors else None
    command = [str(PYTHON), "-m", "pip", "install", "--no-compile", *arguments]
    return subprocess.run([*command, "--disable-pip-version-check"], cwd=ROOT, stderr=stderr)


def install_others() -> None:
    """Install with uv, which takes a tenth of pip's time; with pip where uv can't, as behind a mirror."""
    say("the other packages at the versions in constraints.txt, and densecli itself")
    wanted = ["-q", "-c", str(CONSTRAINTS), "-e", f"{ROOT}[documents,openvino,plots]", "--group", "dev"]
    if uv(*wanted).returncode:
        say("uv could not install them; with pip")
        update_pip()
        if pip(*wanted).returncode:
            sys.exit("setup: pip could not install the packages; its message is above")


def uv(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `uv pip install`, and install uv itself first."""
    got = pip("-q", "-c", str(CONSTRAINTS), "uv")
    if got.returncode:
        return got
    command = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)]
    return subprocess.run([*command, *arguments], cwd=ROOT, stderr=subprocess.PIPE)


def compile_used() -> None:
    """Compile what densecli imports: processes that start together would all do it."""
    say("the compiled modules of what it imports")
    subprocess.run([str(PYTHON), "-c", IMPORT_ALL], env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})


def update_pip() -> None:
    asked = "from importlib.metadata import version; print(version('pip'))"
    version = subprocess.run([str(PYTHON), "-c", asked], capture_output=True, text=True).stdout.strip()
    if tuple(int(part) for part in version.split(".")[:2]) < GROUPS_SINCE:
        say(f"a newer pip than {version}, for dependency groups")
        if pip("-q", "--upgrade", "pip").returncode:
            sys.exit("setup: pip could not be updated; its message is above")


def install_torch() -> None:
    """Install the CPU build where there is no NVIDIA GPU: it is a tenth of the size."""
    version = next(line[7:] for line in CONSTRAINTS.read_text().splitlines() if line.startswith("torch=="))
    if has_gpu() or platform.system() == "Darwin":
        say(f"torch {version}" + (" with CUDA, since there is an NVIDIA GPU" if has_gpu() else ""))
        torch = pip("-c", str(CONSTRAINTS), f"torch=={version}")
    else:
        say(f"torch {version}, CPU build")
        torch = pip("--no-deps", f"torch=={version}+cpu", quiet_errors=True)
        if torch.returncode:
            say("the package index has no CPU build; uv knows where torch keeps them")
            torch = uv("--torch-backend", "cpu", "--no-deps", f"torch=={version}")
        if torch.returncode:
            say("not reachable: the usual build instead, which brings CUDA libraries (about 3 GB)")
            torch = pip("-c", str(CONSTRAINTS), f"torch=={version}")
    if torch.returncode:
        sys.exit("setup: torch could not be installed; pip's message is above")


def has_gpu() -> bool:
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool], capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
