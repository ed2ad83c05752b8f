"""How fast the objects of a JSON array are read, beside ijson.

    pip install ijson
    python benchmarks/arrays.py FILE [--copies 20] [--runs 3]

FILE is an array, such as DPR's training examples; what is read holds it several times over, indented as
DPR's files are. Megabytes are per second of processor time, the best of several runs by turns. densecli also
counts the lines.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ijson
from cold_start import about

from densecli.formats.documents import open_document


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("file", type=Path)
    options.add_argument("--copies", type=int, default=20)
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    readers: dict[str, Callable[[str], int]] = {"densecli": read, f"ijson ({ijson.backend})": read_by_ijson}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "array.json"
        objects = json.dumps(json.loads(chosen.file.read_bytes()), indent=4)[1:-2]
        path.write_text("[" + ",".join([objects] * chosen.copies) + "\n]\n")
        megabytes = path.stat().st_size / 1e6
        taken: dict[str, list[float]] = {name: [] for name in readers}
        found = set()
        for _ in range(chosen.runs):
            for name, reader in readers.items():
                start = time.process_time()
                found.add(reader(str(path)))
                taken[name].append(time.process_time() - start)
    (objects_read,) = found
    rows = {f"{name}, MB/s": round(megabytes / min(times)) for name, times in taken.items()}
    print(
        json.dumps({**about(), "megabytes": round(megabytes, 1), "objects": objects_read, **rows}, indent=2)
    )


def read(path: str) -> int:
    with open_document(path) as document:
        return sum(1 for _ in document.rows())


def read_by_ijson(path: str) -> int:
    with open(path, "rb") as stream:
        return sum(1 for _ in ijson.items(stream, "item", use_float=True))


if __name__ == "__main__":
    main()
