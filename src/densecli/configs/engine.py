"""The setting that several stages share: which engine runs the encoder."""

from typing import Any

from densecli.configs.setting import setting

ENGINES = ("openvino", "onnxruntime", "torch")


def engine_setting(what: str) -> Any:
    """Declare `--engine`, with what it does in this stage."""
    return setting(
        "auto",
        f"{what}: openvino (an optional extra), onnxruntime or torch. auto takes the fastest one installed.",
        choices=("auto", *ENGINES),
    )
