"""What this machine computes with, found without loading torch."""

from functools import cache
from pathlib import Path

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
    """Whether there may be a GPU that torch can use."""
    return any(any(Path("/dev").glob(name)) for name in GPU_FILES)
