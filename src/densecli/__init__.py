"""densecli: dense passage retrieval and open-domain question answering from the command line."""

import os
import sys

__version__ = "0.1.0"

# What the libraries below send to their makers is off, whatever the environment says. It is here because
# each of them decides at its import, and no module of densecli is imported before this one.
os.environ.update(
    {
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, transformers, datasets, hf_xet
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # datasets
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime from 1.29 on; disable_telemetry_events() comes too late
        "RAY_USAGE_STATS_ENABLED": "0",
    }
)
# `import openvino` alone sends an event. It has no switch for that, but does without this package.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
