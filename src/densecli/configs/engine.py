"""The setting that several stages share: which engine runs the encoder."""

from typing import Any

from densecli.configs.setting import setting

ENGINES = ("openvino", "onnxruntime", "torch")


def engine_setting() -> Any:
    """Declare `--engine`."""
    return setting(
        "auto",
        "Runtime of the encoder. auto uses the fastest one that is installed; openvino is an optional extra.",
        choices=("auto", *ENGINES),
    )
