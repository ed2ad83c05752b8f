"""Defaults of the stages that turn text into a searchable collection."""

from dataclasses import dataclass

from densecli.configs.bad_input import on_error_setting
from densecli.configs.engine import engine_setting
from densecli.configs.setting import setting

FORMATS = (
    "jsonl", "json", "tsv", "csv", "parquet", "beir", "tevatron", "psgs", "folder", "wiki-dump",
    "wikiextractor", "collection", "kilt",
)  # fmt: skip
SPLIT = ("split", (True,))
COLUMNS = ("input_format", ("auto", "jsonl", "json", "tsv", "csv", "parquet"))


@dataclass(frozen=True)
class PreprocessConfig:
    """Reading a corpus, and splitting its articles into passages."""

    words: int = setting(100, "Words in a passage.", min=1, max=10_000, source="section 4.1", when=SPLIT)
    stride: int | None = setting(
        None,
        "Words from the start of one passage to the start of the next. A value below `words` makes "
        "passages overlap. By default equal to `words`.",
        min=1,
        max=10_000,
        when=SPLIT,
    )
    tail: str = setting(
        "keep",
        "The last, short passage of an article: keep it, drop it, or wrap (fill it from the start "
        "of the article, as psgs_w100 does).",
        choices=("keep", "drop", "wrap"),
        when=SPLIT,
    )
    min_words: int = setting(
        1,
        "Drop passages with fewer words.",
        min=1,
        max=10_000,
        when=("tail", ("keep", "wrap")),
    )
    split: bool = setting(
        True, "Split articles into passages. With `split=False` each record is one passage."
    )
    keep_offsets: bool = setting(
        False, "Store with every passage the id of its article and its offset there, in words."
    )
    input_format: str = setting(
        "auto",
        "Format of the input. auto detects it from the content and the name.",
        choices=("auto", *FORMATS),
    )
    id_column: str | None = setting(
        None, "Field or column with the id; by default id, _id, docid or passage_id.", when=COLUMNS
    )
    title_column: str | None = setting(
        None, "Field or column with the title; by default title.", when=COLUMNS
    )
    text_column: str | None = setting(
        None, "Field or column with the text; by default text, contents or body.", when=COLUMNS
    )
    make_ids: bool = setting(False, "Number records without an id, from 1.")
    document_seconds: int = setting(
        60,
        "Processor time for one Markdown, HTML or PDF file; one that takes longer cannot be used.",
        min=1,
        max=86_400,
    )
    on_error: str = on_error_setting()


@dataclass(frozen=True)
class EmbedConfig:
    """Passages to vectors."""

    batch_tokens: int | None = setting(
        None, "Word pieces per forward pass. By default a value that suits the engine.", min=16, max=1 << 20
    )
    # as many as are tokenized together: a smaller file would spoil the batches, a larger one costs more
    # work when a run is interrupted
    shard_rows: int = setting(
        2048,
        "Passages per vector file. An interrupted run resumes after the last complete file.",
        min=256,
        max=1 << 24,
        affects_result=False,
    )
    precision: str = setting(
        "auto",
        "Number format of the computation. auto uses bf16 if the hardware supports it.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.", affects_result=False)
    engine: str = engine_setting("What runs the encoder")


STEMMERS = (
    "porter", "none", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish",
    "french", "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian",
    "nepali", "norwegian", "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil",
    "turkish", "yiddish",
)  # fmt: skip


@dataclass(frozen=True)
class IndexConfig:
    """Vectors (or words) to an index."""

    kind: str = setting(
        "flat",
        "flat (exact), hnsw (approximate) or bm25 (words).",
        choices=("flat", "hnsw", "bm25"),
        source="sections 4.2 and 3.1",
    )
    hnsw_neighbors: int = setting(
        32,
        "HNSW: links per vector. The authors used 512.",
        min=2,
        max=512,
        when=("kind", ("hnsw",)),
    )
    hnsw_build_breadth: int = setting(
        200, "HNSW: candidates during construction.", min=8, max=4096, when=("kind", ("hnsw",))
    )
    hnsw_search_breadth: int = setting(
        128, "HNSW: candidates during search.", min=8, max=16384, when=("kind", ("hnsw",))
    )
    k1: float = setting(
        0.9,
        "BM25: saturation of term frequency.",
        min=0,
        max=10,
        source="section 4.2",
        when=("kind", ("bm25",)),
    )
    b: float = setting(
        0.4,
        "BM25: weight of passage length.",
        min=0,
        max=1,
        source="section 4.2",
        when=("kind", ("bm25",)),
    )
    stemmer: str = setting(
        "porter",
        "BM25: stemmer: porter (as Lucene), a Snowball language, or none.",
        choices=STEMMERS,
        when=("kind", ("bm25",)),
    )
    stop_words: str = setting(
        "english",
        "BM25: stop words: english (Lucene's 33), none, or your own list, separated by spaces.",
        when=("kind", ("bm25",)),
    )
    unicode: str = setting(
        "nfc",
        "BM25: Unicode normalization: nfc, nfkc (also full-width and other forms), or plain (also "
        "without accents).",
        choices=("nfc", "nfkc", "plain"),
        when=("kind", ("bm25",)),
    )
    lower_case: bool = setting(True, "BM25: lower-case the text.", when=("kind", ("bm25",)))
