"""Two towers to train on or to embed with, from a densecli folder or a Hugging Face one."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer

from densecli.encoders.dpr_folder import FOLDERS, is_dpr_folder, is_dpr_pair, read_dpr_pair
from densecli.encoders.folder import TOKENIZER, RetrieverCard, is_model_folder, read_card
from densecli.encoders.hub import local_folder
from densecli.encoders.sentence_transformers import read_pooling
from densecli.encoders.tokens import Tokens, check_tokenizer, check_vocabulary, read_tokenizer
from densecli.encoders.torch_tower import Tower, bert_model, load_pretrained, load_tower, position_limit
from densecli.errors import ArtifactError, UsageError

VOCABULARIES = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model")


@dataclass
class Retriever:
    """Both towers, the tokenizer, and how text becomes vectors."""

    question: Tower
    passage: Tower
    tokenizer: Tokenizer
    card: RetrieverCard
    folder: Path

    @property
    def tokens(self) -> Tokens:
        """The tokenizer with this model's limits."""
        return Tokens(self.tokenizer, self.card)


def open_retriever(source: str) -> Retriever:
    """Open a model as it is, with its own pooling and normalisation.

    Args:
        source: a densecli model folder, a folder with `question_encoder` and `ctx_encoder` of Hugging
            Face's DPR classes, a Hugging Face or sentence-transformers folder (the same encoder is then
            both towers), or a name on the Hub.

    Raises:
        ArtifactError: no such model, or it is incomplete or not supported.
    """
    folder = local_folder(source)
    if is_model_folder(folder):
        card = read_card(folder, RetrieverCard)
        models = [
            load_tower(folder / tower, folder / card.words[tower])[0] for tower in ("question", "passage")
        ]
        if models[0].config.hidden_size != models[1].config.hidden_size:
            raise ArtifactError(f"{folder}: the towers' vectors differ in length; train them together")
        question, passage = (
            Tower(model, card.pooling, card.normalize, card.last_position(name))
            for name, model in zip(("question", "passage"), models, strict=True)
        )
        tokenizer = read_tokenizer(folder)
        check_vocabulary(tokenizer, (len(model.get_input_embeddings().weight) for model in models), folder)
        return Retriever(question, passage, tokenizer, card, folder)
    if is_dpr_pair(folder):
        return _from_pair(folder)
    if is_dpr_folder(folder):
        raise ArtifactError(
            f"{folder}: one of the encoders of a DPR model; put both into one folder, as "
            f"{' and '.join(FOLDERS.values())}, and name that"
        )
    pooled = read_pooling(folder)
    model = load_pretrained(folder)
    limit = position_limit(model)
    defaults = RetrieverCard()
    card = replace(
        defaults,
        pooling=pooled.pooling,
        normalize=pooled.normalize,
        max_question_tokens=min(defaults.max_question_tokens, limit),
        max_passage_tokens=min(defaults.max_passage_tokens, limit),
    )
    tower = Tower(model, card.pooling, card.normalize)
    tokenizer = open_tokenizer(folder)
    check_vocabulary(tokenizer, [len(model.get_input_embeddings().weight)], folder)
    return Retriever(tower, tower, tokenizer, card, folder)


def _from_pair(folder: Path) -> Retriever:
    found = read_dpr_pair(*(folder / name for name in FOLDERS.values()))
    question, passage = (
        Tower(bert_model(tower.config, tower.state), found.card.pooling)
        for tower in (found.question, found.passage)
    )
    rows = [tower.config["vocab_size"] for tower in (found.question, found.passage)]
    check_vocabulary(found.tokenizer, rows, folder)
    return Retriever(question, passage, found.tokenizer, found.card, folder)


def open_base(
    source: str, pooling: str | None, max_question_tokens: int, max_passage_tokens: int
) -> Retriever:
    """Open a model to train on: two independent towers, scored by plain dot products.

    A base that normalises loses that, since scores between -1 and 1 hardly train without a temperature.

    Args:
        source: as in `open_retriever`.
        pooling: `cls` or `mean`; None keeps the base's.
        max_question_tokens: word pieces of a question.
        max_passage_tokens: word pieces of title and passage.

    Raises:
        ArtifactError: as `open_retriever`.
        UsageError: the pooling contradicts a trained model's, or a length exceeds the encoder's positions.
    """
    base = open_retriever(source)
    if pooling is not None and pooling != base.card.pooling and is_model_folder(base.folder):
        raise UsageError(
            f"--pooling {pooling} contradicts {base.folder}, which was trained with {base.card.pooling}"
        )
    if base.question is base.passage:
        base.passage = copy.deepcopy(base.question)
    limit = min(position_limit(base.question.model), position_limit(base.passage.model))
    for option, asked in (("question", max_question_tokens), ("passage", max_passage_tokens)):
        if asked > limit:
            raise UsageError(f"--max-{option}-tokens is {asked}; {source} has positions for {limit}")
    base.card = replace(
        base.card,
        pooling=pooling or base.card.pooling,
        normalize=False,
        max_question_tokens=max_question_tokens,
        max_passage_tokens=max_passage_tokens,
    )
    for name, tower in (("question", base.question), ("passage", base.passage)):
        tower.pooling, tower.normalize = base.card.pooling, False
        tower.last_position = base.card.last_position(name)
    return base


def open_tokenizer(folder: Path) -> Tokenizer:
    """Return the fast tokenizer of a Hugging Face folder.

    Raises:
        ArtifactError: there is none, or it is not of the BERT family.
    """
    if (folder / TOKENIZER).is_file():
        return read_tokenizer(folder)
    if not any((folder / name).is_file() for name in VOCABULARIES):  # transformers would make an empty one up
        raise ArtifactError(
            f"{folder}: no tokenizer.json and no vocabulary in it; copy the whole model folder"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except Exception as error:
        raise ArtifactError(f"{folder}: no tokenizer in it ({str(error).splitlines()[0]})") from error
    check_tokenizer(backend, folder)
    return backend
