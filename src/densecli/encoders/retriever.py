"""Questions to vectors for search, without torch."""

from pathlib import Path

from densecli.encoders.compiled.onnx_session import OnnxSession
from densecli.encoders.compiled.side import Side, compiled_forward
from densecli.encoders.encoding import Encoder

BATCH_TOKENS = 2048


class QuestionEncoder(Encoder[str]):
    """The question tower of a compiled model folder in onnxruntime."""

    def __init__(self, folder: Path) -> None:
        """Open the model in `folder`.

        Raises:
            ArtifactError: the folder is no whole retriever model.
        """
        side = Side.open(folder, "question")
        forward, precision = compiled_forward(side, OnnxSession)
        arithmetic = f"onnxruntime {precision}"
        super().__init__(folder, side.tokens.questions, forward, side.dimension, arithmetic, BATCH_TOKENS)
