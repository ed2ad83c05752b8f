"""Readers as plain arrays, outside of any engine: DPR's checkpoints and Hugging Face's `DPRReader`."""

from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer

from densecli.errors import ArtifactError
from densecli.models.bert import read_config
from densecli.models.folder import TOKEN_TYPES, WORDS, ReaderConfig, read_model_config, write_model_config
from densecli.models.foreign.bert_tower import BertTower
from densecli.models.foreign.dpr_checkpoint import DprCheckpoint
from densecli.models.foreign.dpr_folder import (
    CLASSES,
    HEADS,
    PREFIXES,
    read_dpr_tower,
    refuse_segments,
    write_dpr_model,
)
from densecli.models.foreign.vocabulary import (
    longest_input,
    open_bert_tokenizer,
    write_hugging_face_tokenizer,
)
from densecli.models.reader_heads import ENCODER, head_shapes
from densecli.models.tokens import check_vocabulary, read_tokenizer
from densecli.models.tower_files import write_tokenizer

CHECKPOINT_PREFIX = "encoder."


@dataclass(frozen=True)
class BertReader:
    """A BERT tower with a reader's heads, its tokenizer, and its limits for question and passage."""

    tower: BertTower
    tokenizer: Tokenizer
    model_config: ReaderConfig

    @classmethod
    def read(cls, folder: Path) -> "BertReader":
        """Read a densecli reader folder.

        Raises:
            ArtifactError: the reader is not complete, or its encoder is not a BERT.
        """
        model_config = read_model_config(folder, ReaderConfig)
        place = folder / ENCODER
        heads = head_shapes(read_config(place)["hidden_size"])
        tower = BertTower.read(place, folder / model_config.words[ENCODER], heads)
        return cls(tower, read_tokenizer(folder), model_config)

    def write(self, folder: Path) -> None:
        """Write a densecli reader folder, ready to read with.

        Raises:
            ArtifactError: encoder and tokenizer do not fit together.
        """
        check_vocabulary(self.tokenizer, [self.tower.config["vocab_size"]], folder)
        words = f"{ENCODER}/{WORDS}"
        self.tower.write(folder / ENCODER, folder / words)
        write_tokenizer(self.tokenizer, folder)
        write_model_config(folder, replace(self.model_config, words={ENCODER: words}))


def read_reader_checkpoint(
    path: Path, base: Path | None = None, token_types: str | None = None
) -> BertReader:
    """Read a reader's `.cp` file.

    Args:
        path: the file.
        base: as for a retriever's checkpoint.
        token_types: `zeros` or `segments`; None goes by the file: segments for DPR 1.0, whose code marked
            them from May 2021 on, zeros for the first release, to which all published readers belong.

    Raises:
        ArtifactError: the file or its base is missing, damaged, a retriever's, or not supported.
    """
    found = DprCheckpoint.read(path)
    if not found.is_reader:
        raise ArtifactError(f"{path}: the checkpoint of a retriever; a reader's is needed here")
    folder = found.base(base)
    heads = head_shapes(found.weights["qa_outputs.weight"].shape[-1])
    tower = found.tower(CHECKPOINT_PREFIX, folder, heads)
    if token_types is None:
        stored = found.settings.get("token_types")
        generation = "zeros" if found.first_release else "segments"
        token_types = stored if stored in TOKEN_TYPES else generation
    limit = min(found.max_tokens, tower.config["max_position_embeddings"])
    model_config = ReaderConfig(max_tokens=limit, token_types=token_types)
    return BertReader(tower, open_bert_tokenizer(folder, found.lower_case), model_config)


def read_dpr_reader(folder: Path) -> BertReader:
    """Read a folder of Hugging Face's `DPRReader`.

    Raises:
        ArtifactError: it holds another model, or lacks a part.
    """
    hidden = read_config(folder).get("hidden_size", 768)
    tower = read_dpr_tower(folder, "reader", head_shapes(hidden))
    limit = longest_input(folder, min(ReaderConfig().max_tokens, tower.config["max_position_embeddings"]))
    return BertReader(tower, open_bert_tokenizer(folder), ReaderConfig(max_tokens=limit))


def write_dpr_reader(reader: BertReader, folder: Path) -> None:
    """Write a folder that Hugging Face's `DPRReader` loads.

    Raises:
        ArtifactError: the reader's token types are not those of that class.
    """
    refuse_segments(reader.model_config)
    weights = {PREFIXES["reader"] + name: weight for name, weight in reader.tower.state.items()}
    weights |= {HEADS + name: weight for name, weight in reader.tower.heads.items()}
    write_dpr_model(folder, "reader", reader.tower.config, weights)
    kind = f"{CLASSES['reader']}Tokenizer"
    write_hugging_face_tokenizer(reader.tokenizer, folder, reader.model_config.max_tokens, kind)
