"""Updates of the reader are those of the plain loop that benchmarks/reader_budget.py compares it with."""

import importlib.util
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
import torch
from transformers import AutoTokenizer

from densecli.formats.read_results import read_ranked
from densecli.reader.examples import first, reader_examples, sample
from densecli.reader.torch_folder import open_reader_base
from densecli.reader.torch_forward import FullShape
from densecli.reader.torch_update import accumulate_gradients
from densecli.training.optimizer import Optimizer

LOOP = Path(__file__).parents[2] / "benchmarks" / "reference" / "reader_loop.py"
PASSAGES, TOKENS, SPANS, RATE, STEPS = 4, 48, 10, 1e-3, 4


@pytest.fixture
def loop() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reader_loop", LOOP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Four questions with a passage that holds the answer, and two or one without it."""
    rows = []
    for number, (word, others) in enumerate((("king", 2), ("river", 1), ("sea", 2), ("film", 1))):
        texts = [f"the song of the {word} in the city", "a city was born", "a song of the city"][: others + 1]
        ctxs = [
            {
                "id": f"{number}.{place}",
                "title": "song",
                "text": text,
                "score": 9.0 - place,
                "has_answer": not place,
            }
            for place, text in enumerate(texts)
        ]
        rows.append({"id": str(number), "question": "which song", "answers": [word], "ctxs": ctxs})
    path = tmp_path / "found.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_updates_have_the_losses_of_the_plain_loop(loop: ModuleType, found: Path, tiny_base: Path) -> None:
    reader = open_reader_base(str(tiny_base), TOKENS, 10, seed=3)
    reader.model.prepare(0.0, False, torch.device("cpu"))
    theirs = loop.Model(str(tiny_base)).eval()
    theirs.encoder.load_state_dict(reader.model.encoder.state_dict(), strict=False)
    for name in ("qa_outputs", "qa_classifier"):
        getattr(theirs, name).load_state_dict(getattr(reader.model, name).state_dict())
    examples = list(loop.read(str(found), AutoTokenizer.from_pretrained(tiny_base), TOKENS))
    ours = list(reader_examples(read_ranked(str(found)), reader.tokens, TOKENS, 200, Counter(), "dpr"))
    assert len(examples) == len(ours) == 4
    batch = [sample(one, first(one, PASSAGES), reader.tokens, TOKENS, SPANS) for one in ours]

    optimizer = Optimizer([reader.model], RATE, 0.0, 1.0, 0, STEPS)
    weights = list(theirs.parameters())
    adam = torch.optim.AdamW(weights, lr=RATE, eps=1e-8, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, STEPS)
    shape = FullShape(PASSAGES, TOKENS)
    losses = []
    for step in range(STEPS):
        total = 0.0
        for one in examples:
            rows = [one.positives[0], *one.negatives][:PASSAGES]
            loss = loop.loss_of(theirs, rows, PASSAGES, TOKENS, SPANS)
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        schedule.step()
        adam.zero_grad()
        done = accumulate_gradients(
            reader.model, batch, reader.tokens.pad, torch.float32, step, optimizer.scale, shape
        )
        optimizer.clip()
        optimizer.step()
        losses.append(done.loss)
        assert done.loss == pytest.approx(total / len(examples), abs=2e-3)
    # the updates did something
    assert losses[-1] < losses[0] - 0.01
