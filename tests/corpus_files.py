"""What the tests of corpus readers share: files, and what a source makes of them."""

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa

from densecli.corpus.source import Source

PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def write(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file, compressed as its name says."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(PACK.get(path.suffix, bytes)(data))
    return str(path)


def records(source: Source) -> list[Any]:
    """Return what a source holds."""
    return [source.parse(payload) for _, payload in source.raw]
