import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from densecli.models.folder import RetrieverConfig
from densecli.models.tokens import Tokens
from densecli.records import Passage
from densecli.training.batches import lay_out
from densecli.training.examples import SampledExample

LAYOUTS = json.loads((Path(__file__).parents[1] / "golden" / "batching.json").read_text())["batch_layout"]
PLAIN = [case for case in LAYOUTS if not case["other_negatives"]]


@pytest.mark.parametrize("case", PLAIN, ids=[case["name"] for case in PLAIN])
def test_columns_are_the_references(tiny_tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    rows, starts = case["ctx_rows"], [*case["is_positive"], len(case["ctx_rows"])]
    picks = [
        SampledExample(
            str(n),
            f"who is q{n}",
            Passage(rows[begin], "", rows[begin]),
            tuple(Passage(name, "", name) for name in rows[begin + 1 : end]),
        )
        for n, (begin, end) in enumerate(pairwise(starts))
    ]
    tokens = Tokens(tiny_tokenizer, RetrieverConfig())
    batch = lay_out(picks, tokens)
    assert list(batch.positives) == case["is_positive"]
    assert [tiny_tokenizer.decode(ids).replace(" ##", "") for ids in batch.passages] == rows
    assert batch.questions == tokens.questions([pick.question for pick in picks])
    assert batch.ids == tuple(str(n) for n in range(len(picks)))
