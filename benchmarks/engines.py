"""Each engine on the same passages: how many a second, by the clock and by CPU time, and how they agree.

    python benchmarks/engines.py MODEL PASSAGES.jsonl --count 2000 --peer

With --peer sentence-transformers encodes them, too, in fp32 and in bf16, if it is installed.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cold_start import about

from densecli.encoders.engines import EngineRequest, open_passage_encoder
from densecli.errors import DenseError
from densecli.models.hub import local_folder
from densecli.records import Passage

RESULT = Path(__file__).parent / "results" / "engines.json"
ENGINES = ("torch fp32", "torch bf16", "onnxruntime fp32", "openvino fp32", "openvino bf16")
WARM_UP = 32


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("model", help="folder or Hub name")
    options.add_argument("passages", type=Path, help="JSON lines with id, title and text")
    options.add_argument("--count", type=int, default=2000, help="passages, spread evenly over the file")
    options.add_argument("--peer", action="store_true", help="sentence-transformers, too")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    rows = [json.loads(line) for line in chosen.passages.read_text().splitlines()]
    step = max(1, len(rows) // chosen.count)
    passages = [Passage(str(r["id"]), r.get("title", ""), r["text"]) for r in rows[::step][: chosen.count]]
    folder = local_folder(chosen.model)
    found: dict[str, Any] = {}
    exact: Any = None
    for engine, precision in map(str.split, ENGINES):
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
        found[f"{engine} {precision}"] = row
        print(f"{engine} {precision}", row, flush=True)
    if chosen.peer:
        found |= peers(chosen.model, passages)
    result = {"about": about(), "model": folder.name, "passages": len(passages), "engines": found}
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


def peers(model: str, passages: Sequence[Passage]) -> dict[str, Any]:
    """Return what sentence-transformers does with title and text, by its default and in bfloat16."""
    from sentence_transformers import SentenceTransformer

    texts = [f"{one.title} {one.text}" for one in passages]
    found = {}
    for name, more in (("fp32", {}), ("bf16", {"model_kwargs": {"dtype": "bfloat16"}})):
        peer = SentenceTransformer(model, device="cpu", **more)
        _, found[f"sentence-transformers {name}"] = timed(peer.encode, texts)
        print(name, found[f"sentence-transformers {name}"], flush=True)
    return found


if __name__ == "__main__":
    main()
