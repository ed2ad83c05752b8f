"""Rebuild src/densecli/sample/workspace: the passages, words and vectors that the first search looks in."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path("src/densecli/sample")
WORKSPACE = SAMPLE / "workspace"
VECTORS = Path("build/sample-vectors")  # not shipped: the flat index holds the same numbers


def main() -> None:
    for folder in (WORKSPACE, VECTORS):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    run(f"preprocess {SAMPLE}/articles.jsonl")
    run("index --kind bm25")
    run(f"embed --retriever starter --output {VECTORS}")
    run(f"index --vectors {VECTORS}")
    run(f"search --tune-lambda {SAMPLE}/questions.dev.jsonl")
    size = sum(path.stat().st_size for path in (ROOT / WORKSPACE).rglob("*") if path.is_file())
    print(f"{WORKSPACE}: {size / 1e6:.1f} MB")


def run(command: str) -> None:
    print("$ densecli", command, flush=True)
    line = [sys.executable, "-m", "densecli", *command.split(), "--workspace", str(WORKSPACE)]
    if subprocess.run(line, cwd=ROOT).returncode:
        sys.exit("that command failed")


if __name__ == "__main__":
    main()
