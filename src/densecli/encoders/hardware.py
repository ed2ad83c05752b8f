"""What this machine computes with, found without loading torch where that is possible."""

import os
from functools import cache
from importlib import import_module
from pathlib import Path

from densecli.files.parallel import cores

GPU_FILES = ("nvidia[0-9]*", "kfd", "dxg")
"""Devices of NVIDIA, of AMD, and of either under Windows' Linux."""


@cache
def has_bfloat16() -> bool:
    """Whether the CPU multiplies matrices in bfloat16 (x86 under Linux; elsewhere it is not known: no)."""
    try:
        info = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return False
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "").split()
    # without one of these bfloat16 is emulated, and slower than float32
    return "avx512_bf16" in flags or "amx_bf16" in flags


@cache
def has_gpu() -> bool:
    """Whether there is a GPU that torch can use. torch is loaded only where there may be one."""
    return any(any(Path("/dev").glob(name)) for name in GPU_FILES) and _torch_sees_gpu()


def _torch_sees_gpu() -> bool:
    # a device file says little: its driver may be missing, or torch may be a build for the CPU
    try:
        return bool(import_module("torch").cuda.is_available())
    except Exception:  # a broken installation fails in many classes, and says so where it is used
        return False


def usable_cores() -> int:
    """Return how many threads may compute: the cores of this process, or fewer by OMP_NUM_THREADS."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(int(asked), cores()) if asked.isdecimal() and int(asked) else cores()
