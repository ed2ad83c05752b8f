"""Whether threads that wait for work take the cores from other libraries, in `search` and in `train`.

    python benchmarks/spinning.py QUESTIONS.jsonl EXAMPLES.jsonl --workspace WORKSPACE --retriever RETRIEVER

OMP_WAIT_POLICY=passive lets the threads of torch and FAISS sleep as soon as they have no work; with active
they spin; by default they spin for a moment. The same commands run under each policy, in turns: `search` of
QUESTIONS one by one, where torch encodes and FAISS searches by turns, and `train` of the question encoder
against all vectors of WORKSPACE, which RETRIEVER made. Each run is a process of its own. Writes
results/spinning.json.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from cold_start import about
from steps import measure

RESULT = Path(__file__).parent / "results" / "spinning.json"
POLICIES = ("default", "passive", "active")
POLICY = "OMP_WAIT_POLICY"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("questions", type=Path)
    options.add_argument("examples", type=Path)
    options.add_argument("--workspace", type=Path, required=True)
    options.add_argument("--retriever", type=Path, required=True)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    os.environ["DENSECLI_WORKSPACE"] = str(chosen.workspace.resolve())
    retriever = str(chosen.retriever.resolve())
    lines = {
        "search": [
            *("search", str(chosen.questions.resolve()), "--retriever", retriever, "--mode", "dense"),
            *("--engine", "torch", "--batch-size", "1", "--no-text", "-o", "found.jsonl"),
        ],
        "train": [
            *("train", str(chosen.examples.resolve()), "--encoder", retriever, "--fixed-passage-encoder"),
            *("--index-negatives", "all", "--batch-size", "128", "--epochs", "1", "-o", "trained"),
        ],
    }
    taken: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {policy: [] for policy in POLICIES} for name in lines
    }
    for _ in range(chosen.rounds):
        for name, line in lines.items():
            for policy in POLICIES:
                taken[name][policy].append(run(line, policy))
    rows = {name: {policy: summary(runs) for policy, runs in found.items()} for name, found in taken.items()}
    RESULT.write_text(json.dumps({**about(), "rounds": chosen.rounds, "work": rows}, indent=2) + "\n")
    print(RESULT.read_text())


def run(line: list[str], policy: str) -> dict[str, Any]:
    """Return what one command took in a new folder under a wait policy."""
    os.environ.pop(POLICY, None)
    if policy != "default":
        os.environ[POLICY] = policy
    with tempfile.TemporaryDirectory() as place:
        return measure(line, Path(place))


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the least and all seconds by the clock, and the least of the processor."""
    seconds = [one["seconds"] for one in runs]
    return {
        "seconds": min(seconds),
        "all_seconds": seconds,
        "cpu_seconds": min(one["cpu_seconds"] for one in runs),
    }


if __name__ == "__main__":
    main()
