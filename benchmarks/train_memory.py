"""Peak memory of one update: BERT-base, 128 questions with one positive and one hard negative each.

    python benchmarks/train_memory.py [--activation-memory GiB] [--precision fp32] [--questions 128]

Weights and word pieces are random; questions have 64 of them, passages 256. What is told: the peak of the
process's memory, towers and optimizer included, and the time the update took. Writes
results/train-memory.json.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import torch
from cold_start import about
from tokenizers import Tokenizer, models, processors
from transformers import BertConfig, BertModel

from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_hardware import pick_precision
from densecli.encoders.torch_tower import Tower
from densecli.models.folder import RetrieverConfig
from densecli.training.batches import Batch
from densecli.training.forward import bytes_to_keep
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.update import update

RESULT = Path(__file__).parent / "results" / "train-memory.json"
QUESTION_TOKENS, PASSAGE_TOKENS = 64, 256
SPECIAL = ("[PAD]", "[CLS]", "[SEP]")


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def random_retriever() -> Retriever:
    tokenizer = Tokenizer(models.WordLevel({name: number for number, name in enumerate(SPECIAL)}, SPECIAL[0]))
    special = [(name, number) for number, name in enumerate(SPECIAL)]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, special)
    model_config = RetrieverConfig()
    question, passage = (
        Tower(BertModel(BertConfig(), add_pooling_layer=False), model_config, side)
        for side in ("question", "passage")
    )
    return Retriever(question, passage, tokenizer, model_config, Path())


def random_batch(questions: int) -> Batch:
    def rows(count: int, length: int) -> list[list[int]]:
        made: list[list[int]] = torch.randint(1000, 30_000, (count, length)).tolist()
        return made

    positives = tuple(range(0, 2 * questions, 2))
    asked, told = rows(questions, QUESTION_TOKENS), rows(2 * questions, PASSAGE_TOKENS)
    return Batch(tuple(map(str, range(questions))), asked, told, positives)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--activation-memory", type=float)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--questions", type=int, default=128)
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    facts = about()
    torch.manual_seed(1)
    device = torch.device("cpu")
    precision = pick_precision(args.precision, device)
    retriever = random_retriever()
    optimizer = Optimizer((retriever.question, retriever.passage), 1e-5, 0.0, 2.0, 0, 10)
    before, cpu, wall = peak_gib(), time.process_time(), time.perf_counter()
    keep = bytes_to_keep(args.activation_memory, device)
    update(retriever, random_batch(args.questions), optimizer, precision, 1, Objective(), keep)
    found = {
        "questions": args.questions,
        "passages": 2 * args.questions,
        "precision": str(precision).removeprefix("torch."),
        "activations_kept_gib": keep / (1 << 30),
        "threads": torch.get_num_threads(),
        "peak_gib_before": round(before, 2),
        "peak_gib": round(peak_gib(), 2),
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }
    args.output.write_text(json.dumps({**facts, **found}, indent=2) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
