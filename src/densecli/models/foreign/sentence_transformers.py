"""What a sentence-transformers folder says about its vectors: every setting is obeyed, or refused by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers import normalizers as tokenizers_normalizers

from densecli.errors import ArtifactError
from densecli.models.folder import RetrieverConfig
from densecli.models.foreign.hugging_face import read_json
from densecli.models.foreign.vocabulary import check_lower_case, longest_input

OWNER = "sentence_transformers"
MODULES = "modules.json"
SETTINGS = "config_sentence_transformers.json"
LENGTHS = "sentence_bert_config.json"
OLD_LENGTHS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
PATHS = {"Pooling": "1_Pooling", "Normalize": "2_Normalize"}
MODES = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
SIMILARITIES = {"dot": "dot", "cosine": "cosine", "euclidean": "l2"}
QUESTION_PROMPTS = ("query", "question")
PASSAGE_PROMPTS = ("document", "passage", "corpus")
WITHOUT_EFFECT = {
    MODULES: {"idx", "name", "path", "type", "kwargs"},
    SETTINGS: {"__version__"},
    "Pooling": {"word_embedding_dimension", "embedding_dimension"},
    "Transformer": {"unpad_inputs"},  # how it is computed, not what
}
ONLY: dict[str, dict[str, Sequence[Any]]] = {
    SETTINGS: {"model_type": ("SentenceTransformer", None), "truncate_dim": (None,)},
    "Transformer": {
        "transformer_task": ("feature-extraction",),
        "module_output_name": ("token_embeddings",),
        "modality_config": ({"text": {"method": "forward", "method_output_name": "last_hidden_state"}},),
        "processing_kwargs": ({}, None),
        "query_expansion": (None,),
        "tokenizer_args": ({}, None),
        "model_args": ({}, None),
        "config_args": ({}, None),
    },
    "Normalize": {
        "module_input_name": ("sentence_embedding",),
        "module_output_name": ("sentence_embedding",),
    },
}
"""Settings that are supported with these values alone."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How the encoder of a folder is to be used. None: the folder does not say."""

    pooling: str = "cls"
    normalize: bool = False
    similarity: str = "dot"
    question_prefix: str = ""
    passage_prefix: str = ""
    max_question_tokens: int | None = None
    max_passage_tokens: int | None = None


def is_sentence_transformers_folder(folder: Path) -> bool:
    """Whether sentence-transformers wrote `folder`."""
    return (folder / MODULES).is_file()


def read_encoder_settings(folder: Path) -> EncoderSettings:
    """Return the settings of a Hugging Face folder; without `modules.json`, `[CLS]` and inner products.

    A folder that leaves out the similarity, as those of old versions do, is searched by inner products.

    Raises:
        ArtifactError: the folder has a module or a setting that densecli does not apply.
    """
    if not is_sentence_transformers_folder(folder):
        return EncoderSettings()
    stored = _row(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    similarity, question_prefix, passage_prefix = _similarity_and_prompts(folder / SETTINGS, stored)
    pooling, normalize = _modules(folder, with_prompts=bool(question_prefix or passage_prefix))
    questions, passages = _lengths(folder)
    return EncoderSettings(
        pooling,
        normalize or similarity == "cosine",
        similarity,
        question_prefix,
        passage_prefix,
        questions,
        passages,
    )


def read_model_config_of(folder: Path, limit: int) -> RetrieverConfig:
    """Return the properties of a Hugging Face folder's encoder, used as both towers.

    Args:
        folder: the folder of the model.
        limit: the longest sequence that the encoder has positions for.

    Raises:
        ArtifactError: as `read_encoder_settings`.
    """
    settings, defaults = read_encoder_settings(folder), RetrieverConfig()
    limit = longest_input(folder, limit)
    lengths = settings.max_question_tokens, settings.max_passage_tokens
    if not is_sentence_transformers_folder(folder):
        lengths = defaults.max_question_tokens, defaults.max_passage_tokens
    questions, passages = (limit if length is None else min(length, limit) for length in lengths)
    return RetrieverConfig(
        pooling=settings.pooling,
        normalize=settings.normalize,
        similarity=settings.similarity,
        max_question_tokens=questions,
        max_passage_tokens=passages,
        question_prefix=settings.question_prefix,
        passage_prefix=settings.passage_prefix,
    )


def with_lower_case(tokenizer: Tokenizer, folder: Path) -> Tokenizer:
    """Return a folder's tokenizer, which lower-cases text where sentence-transformers does that before it.

    Raises:
        ArtifactError: the settings are broken, or contradict the tokenizer.
    """
    path = _lengths_file(folder)
    # sentence-transformers lower-cases before the tokenizer; here that becomes a part of the tokenizer
    wanted = path is not None and bool(_row(path).get("do_lower_case"))
    if wanted and tokenizer.encode("A").ids != tokenizer.encode("a").ids:
        own = [] if tokenizer.normalizer is None else [tokenizer.normalizer]
        tokenizer.normalizer = tokenizers_normalizers.Sequence([tokenizers_normalizers.Lowercase(), *own])
    check_lower_case(tokenizer, folder)
    return tokenizer


def _modules(folder: Path, with_prompts: bool) -> tuple[str, bool]:
    """Return the pooling, and whether vectors are normalized."""
    pooling, normalize = "", False
    for number, (kind, path) in enumerate(_list_modules(folder / MODULES)):
        config = folder / path / "config.json"
        if kind == "Transformer" and number == 0:
            if path not in ("", "."):
                raise ArtifactError(f"{folder}: its encoder is in {path}; move the files of it into {folder}")
        elif kind == "Pooling" and not pooling:
            pooling = _mode(config, with_prompts)
        elif kind == "Normalize" and pooling:
            if config.is_file():
                _check_settings(config, _row(config), kind)
            normalize = True
        elif kind != "Dropout":  # which does nothing outside of training
            raise ArtifactError(
                f"{folder / MODULES}: module {kind} is not supported there; use a model that only pools and"
                " normalizes"
            )
    if not pooling:
        raise ArtifactError(f"{folder / MODULES}: has no module Pooling; copy the model folder again")
    return pooling, normalize


def _list_modules(listing: Path) -> list[tuple[str, str]]:
    """Return the class and the folder of each module.

    Raises:
        ArtifactError: the file is no list of modules, or a class is of another package: what that one does
            is not known, whatever its name.
    """
    rows = read_json(listing)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ArtifactError(f"{listing}: is no list of modules; copy the model folder again")
    found = []
    for row in rows:
        _check_settings(listing, row, MODULES)
        package, _, kind = str(row.get("type", "")).rpartition(".")
        if package.partition(".")[0] != OWNER:
            raise ArtifactError(
                f"{listing}: module {str(row.get('type'))[:80]!r} is not one of {OWNER}; use a model without"
                " classes of its own"
            )
        found.append((kind, str(row.get("path", PATHS.get(kind, "")))))
    return found


def _mode(path: Path, with_prompts: bool) -> str:
    """Return `cls` or `mean`."""
    config = _row(path)
    old = {name: on for name, on in config.items() if name.startswith("pooling_mode_")}
    known = ("pooling_mode", "include_prompt", *old)
    _check_settings(path, {name: value for name, value in config.items() if name not in known}, "Pooling")
    # without prompts the setting changes nothing
    if not config.get("include_prompt", True) and with_prompts:
        raise ArtifactError(
            f"{path}: include_prompt is false; densecli pools over the prompt too, so use another model"
        )
    asked = config.get("pooling_mode", [MODES.get(name, name) for name, on in old.items() if on])
    modes = {str(mode) for mode in ([asked] if isinstance(asked, str) else asked or [])}
    if len(modes) != 1 or not modes <= set(MODES.values()):
        raise ArtifactError(
            f"{path}: pools by {', '.join(sorted(modes)) or 'nothing'}; cls or mean is supported"
        )
    return modes.pop()


def _similarity_and_prompts(path: Path, stored: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the similarity, and the prefixes of questions and of passages."""
    read = ("similarity_fn_name", "prompts", "default_prompt_name")
    _check_settings(path, {name: value for name, value in stored.items() if name not in read}, SETTINGS)
    similarity = stored.get("similarity_fn_name") or "dot"
    if not isinstance(similarity, str) or similarity not in SIMILARITIES:
        raise ArtifactError(
            f"{path}: similarity_fn_name is {similarity!r:.80}; {', '.join(SIMILARITIES)} are supported"
        )
    prompts, default = stored.get("prompts") or {}, stored.get("default_prompt_name")
    if not isinstance(prompts, dict) or not all(isinstance(one, str | None) for one in prompts.values()):
        raise ArtifactError(f"{path}: prompts are no names with texts; copy the model folder again")
    if default is not None and (not isinstance(default, str) or default not in prompts):
        raise ArtifactError(
            f"{path}: default_prompt_name is {default!r:.80}, which is not one of its prompts"
        )

    def prefix(names: Sequence[str], others: Sequence[str]) -> str:
        """Return the side's own prompt; else the default one, unless it is the other side's."""
        own = next((name for name in names if name in prompts), None)
        name = default if own is None and default not in others else own
        return str((name is not None and prompts[name]) or "")

    return (
        SIMILARITIES[similarity],
        prefix(QUESTION_PROMPTS, PASSAGE_PROMPTS),
        prefix(PASSAGE_PROMPTS, QUESTION_PROMPTS),
    )


def _lengths_file(folder: Path) -> Path | None:
    return next((folder / name for name in (LENGTHS, *OLD_LENGTHS) if (folder / name).is_file()), None)


def _lengths(folder: Path) -> tuple[int | None, int | None]:
    """Return the most word pieces of a question and of a passage."""
    path = _lengths_file(folder)
    if path is None:
        return None, None
    stored = _row(path)
    names = ("max_seq_length", "query_length", "document_length")
    read = ("do_lower_case", *names)
    _check_settings(path, {name: value for name, value in stored.items() if name not in read}, "Transformer")
    for name in names:
        length = stored.get(name)
        if length is not None and (type(length) is not int or length < 2):
            raise ArtifactError(f"{path}: {name} is {length!r:.80}; expected a number of 2 or more")
    both, questions, passages = (stored.get(name) for name in names)
    return both if questions is None else questions, both if passages is None else passages


def _check_settings(path: Path, stored: Mapping[str, Any], of: str) -> None:
    """Refuse a setting that is not known, or has a value that is not supported.

    Raises:
        ArtifactError: names it.
    """
    allowed = ONLY.get(of, {})
    for name, value in stored.items():
        if name in WITHOUT_EFFECT.get(of, ()) or (name in allowed and value in allowed[name]):
            continue
        raise ArtifactError(
            f"{path}: {name[:80]} is {value!r:.80}, which densecli cannot apply; use a model without it"
        )


def _row(path: Path) -> dict[str, Any]:
    row = read_json(path)
    if not isinstance(row, dict):
        raise ArtifactError(f"{path}: is no JSON object; copy the model folder again")
    return row
