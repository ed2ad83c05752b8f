"""Peak memory of `densecli embed` with each engine: a MiniLM, and a BERT-base with random weights.

    python benchmarks/embed_memory.py MINILM PASSAGES.tsv --count 600

MINILM is a folder or Hub name, PASSAGES a file in the form of psgs_w100.tsv, whose first rows are taken. Each
row is a process of its own. A peak is at least that of this script, from which the process is started. Writes
results/embed-memory.json.
"""

import argparse
import json
import os
import shutil
import tempfile
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from cold_start import about
from steps import measure
from transformers import BertConfig, BertModel

from densecli.models.hub import local_folder

RESULT = Path(__file__).parent / "results" / "embed-memory.json"
ENGINES = ("onnxruntime", "openvino", "torch")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("model", help="folder or Hub name of a MiniLM, which has the tokenizer")
    options.add_argument("passages", type=Path, help="passages as in psgs_w100.tsv")
    options.add_argument("--count", type=int, default=600, help="how many of them")
    options.add_argument("--output", type=Path, default=RESULT)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        os.environ["DENSECLI_WORKSPACE"] = str(work / "workspace")
        with chosen.passages.open(encoding="utf-8") as lines:
            (work / "passages.tsv").write_text("".join(islice(lines, chosen.count + 1)), encoding="utf-8")
        measure(["preprocess", "passages.tsv"], work)
        models = {"MiniLM": local_folder(chosen.model).resolve(), "BERT-base": work / "bert-base"}
        write_bert_base(models["MiniLM"], models["BERT-base"])
        found = {name: memory_of(model, work) for name, model in models.items()}
    chosen.output.write_text(
        json.dumps({**about(), "passages": chosen.count, "embed": found}, indent=1) + "\n"
    )
    print(chosen.output.read_text())


def write_bert_base(tokenizer: Path, folder: Path) -> None:
    """Write a BERT of 12 layers and 768 components with random weights, and the tokenizer of a MiniLM."""
    BertModel(BertConfig(), add_pooling_layer=False).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copyfile(tokenizer / name, folder / name)


def memory_of(model: Path, work: Path) -> dict[str, Any]:
    """Return passages a second and the peak of memory, by the engines that are installed."""
    count = sum(1 for _ in (work / "passages.tsv").open(encoding="utf-8")) - 1
    found = {}
    for engine in ENGINES:
        if find_spec(engine) is None:
            continue
        line = ["embed", "--retriever", str(model), "--engine", engine, "--device", "cpu", "--force"]
        took = measure([*line, "-o", f"{model.name}-{engine}"], work)
        found[engine] = {"peak_mb": took["peak_mb"], "passages_per_s": round(count / took["seconds"], 1)}
    return found


if __name__ == "__main__":
    main()
