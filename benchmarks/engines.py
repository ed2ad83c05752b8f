"""Each engine on the same passages: how many a second, by the clock and by CPU time, and how they agree.

    python benchmarks/engines.py MODEL PASSAGES.jsonl --count 2000 --peer

With --peer sentence-transformers encodes them, too, if it is installed. Each row also has the share of the
matrix rate: how fast torch multiplies a batch with weights of the model's shape, in the same precision and on
all cores. No engine can be much faster. Where the CPU does not compute in bf16, --bf16 shows how accurate it
would be; it is slow there.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cold_start import about

from densecli.encoders.engines import EngineRequest, open_passage_encoder
from densecli.encoders.hardware import has_bfloat16
from densecli.errors import DenseError
from densecli.models.hub import local_folder
from densecli.records import Passage

RESULT = Path(__file__).parent / "results" / "engines.json"
ENGINES = ("torch fp32", "torch bf16", "onnxruntime fp32", "openvino fp32", "openvino bf16")
WARM_UP = 32


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("model", help="folder or Hub name, with a config.json")
    options.add_argument("passages", type=Path, help="JSON lines with id, title and text")
    options.add_argument("--count", type=int, default=2000, help="passages, spread evenly over the file")
    options.add_argument("--peer", action="store_true", help="sentence-transformers, too")
    options.add_argument("--bf16", action="store_true", help="bf16 where the CPU does not compute in it, too")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    rows = [json.loads(line) for line in chosen.passages.read_text().splitlines()]
    step = max(1, len(rows) // chosen.count)
    passages = [Passage(str(r["id"]), r.get("title", ""), r["text"]) for r in rows[::step][: chosen.count]]
    folder = local_folder(chosen.model)
    found: dict[str, Any] = {}
    needed: float | None = None
    exact: Any = None
    kinds = ("fp32", "bf16") if chosen.bf16 or has_bfloat16() else ("fp32",)
    wide, inner, layers = layer_shape(folder)
    limits = {kind: multiplications(kind, wide, inner) for kind in kinds}
    print("GFLOP/s of matrix products:", limits, flush=True)
    for engine, precision in map(str.split, ENGINES):
        if precision not in kinds:
            continue
        try:
            begun = time.perf_counter()
            encoder = open_passage_encoder(folder, EngineRequest(engine, "cpu", precision))
            opened = time.perf_counter() - begun
        except DenseError as error:
            print(f"{engine} {precision}: {error}")
            continue
        vectors, row = timed(encoder.encode, passages)
        exact = vectors if exact is None else exact
        row |= {"open_s": round(opened, 2), "min_cosine": float(cosines(vectors, exact).min())}
        if needed is None:
            pieces = sum(part.tokens for part in encoder.encode_windows([passages]))
            needed = 2 * layers * (4 * wide * wide + 2 * wide * inner) * pieces / len(passages) / 1e9
        row["share_of_limit"] = round(row["per_s"] * needed / limits[precision], 3)
        found[f"{engine} {precision}"] = row
        print(f"{engine} {precision}", row, flush=True)
    if chosen.peer:
        found |= peers(str(folder), passages, kinds)
    result = {
        "about": about(),
        "model": folder.name,
        "passages": len(passages),
        "gflop_per_passage": needed and round(needed, 3),
        "matrix_gflop_per_s": limits,
        "engines": found,
    }
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")


def timed(encode: Callable[[Sequence[Any]], Any], texts: Sequence[Any]) -> tuple[Any, dict[str, float]]:
    """Return vectors, and how many texts came a second, by the clock and of CPU time."""
    encode(texts[:WARM_UP])
    clock, spent = time.perf_counter(), time.process_time()
    vectors = encode(texts)
    by_clock, by_cpu = time.perf_counter() - clock, time.process_time() - spent
    return vectors, {"per_s": round(len(texts) / by_clock, 2), "per_cpu_s": round(len(texts) / by_cpu, 2)}


def cosines(one: Any, other: Any) -> Any:
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def multiplications(kind: str, wide: int, inner: int) -> float:
    """Return how many GFLOP/s torch reaches in products of 1,024 word pieces with a layer's weights."""
    dtype = torch.float32 if kind == "fp32" else torch.bfloat16
    pieces, weights = torch.randn(1024, wide).to(dtype), torch.randn(wide, inner).to(dtype)
    took = []
    for _ in range(100):
        begun = time.perf_counter()
        pieces @ weights
        took.append(time.perf_counter() - begun)
    return round(2 * 1024 * wide * inner / statistics.median(took) / 1e9, 1)


def layer_shape(folder: Path) -> tuple[int, int, int]:
    """Return the width of the encoder, that of its inner layers, and how many layers it has."""
    config = json.loads((folder / "config.json").read_text())
    return config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]


def peers(model: str, passages: Sequence[Passage], kinds: Sequence[str]) -> dict[str, Any]:
    """Return what sentence-transformers does with title and text, by its default and in bfloat16."""
    from sentence_transformers import SentenceTransformer

    texts = [f"{one.title} {one.text}" for one in passages]
    found = {}
    for name in kinds:
        more = {} if name == "fp32" else {"model_kwargs": {"dtype": "bfloat16"}}
        peer = SentenceTransformer(model, device="cpu", **more)
        _, found[f"sentence-transformers {name}"] = timed(peer.encode, texts)
        print(name, found[f"sentence-transformers {name}"], flush=True)
    return found


if __name__ == "__main__":
    main()
