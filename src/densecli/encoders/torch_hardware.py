"""Which device and which arithmetic the torch side uses."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from densecli.errors import ResourceError, UsageError


def pick_device(name: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: another name.
        ResourceError: there is no such GPU.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()) or name == "cpu:":
        raise UsageError(f"`device` is {name!r}; expected auto, cpu, cuda or cuda:N")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise ResourceError(f"`device` {name}: torch sees {torch.cuda.device_count()} GPUs; use `device=cpu`")
    return torch.device(name)


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic of matrix products for `auto`, `fp32`, `bf16` or `fp16`.

    Raises:
        UsageError: fp16 on a CPU.
    """
    if name == "fp16" and device.type == "cpu":
        raise UsageError("`precision=fp16` needs a GPU; a CPU computes in fp32 or bf16")
    if name == "auto":
        return torch.bfloat16 if _fast_bfloat16(device) else torch.float32
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(name, torch.float32)


def precision_name(precision: torch.dtype) -> str:
    """Return arithmetic as options name it."""
    return {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(precision, "fp32")


def describe_hardware(device: torch.device, precision: torch.dtype) -> str:
    """Return device and arithmetic for messages: `cpu, bfloat16`."""
    return f"{device}, {str(precision).removeprefix('torch.')}"


def batch_tokens_on(device: torch.device) -> int:
    """Return how many padded word pieces a batch holds that only runs forward.

    On a CPU, what does not fit into its caches takes longer: 4,096 took 1.3 times as long as 1,024.
    """
    return 1024 if device.type == "cpu" else 4096


def arithmetic(device: torch.device, precision: torch.dtype) -> AbstractContextManager[Any]:
    """Return a context that computes in `precision` while weights stay float32."""
    if precision == torch.float32:
        return nullcontext()
    # autocast and not .to(precision): updates below the resolution of bfloat16 would vanish in the weights
    return torch.autocast(device.type, dtype=precision)


def _fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        # older GPUs emulate bfloat16, slower than float32
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
