"""The setting that several stages share: which engine runs the encoder."""

from typing import Any

from densecli.configs.setting import setting

ENGINES = ("openvino", "onnxruntime", "torch")


def engine_setting() -> Any:
    """Declare `--engine`."""
    return setting(
        "auto",
        "What runs the encoder: auto takes the fastest that is installed; openvino is an optional extra.",
        choices=("auto", *ENGINES),
    )
