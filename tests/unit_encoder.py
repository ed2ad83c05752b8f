"""A sentence-transformers folder whose vectors have length 1."""

import json
import shutil
from pathlib import Path

KINDS = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}


def write_unit_encoder(base: Path, folder: Path) -> None:
    """Copy an encoder, and add what sentence-transformers writes for [CLS] pooling and normalization."""
    shutil.copytree(base, folder)
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(KINDS.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 256}))
    (folder / "1_Pooling").mkdir()
    width = json.loads((folder / "config.json").read_text())["hidden_size"]
    pooling = {"word_embedding_dimension": width, "pooling_mode_cls_token": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
