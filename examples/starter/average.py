"""Average the weights of two readers of one training, which often answers better than either.

    python examples/starter/average.py reader1 reader2 --weight 0.6 --output reader

The weight is that of the second. Both must have the same encoder and word table.
"""

import argparse
from pathlib import Path

from densecli.reader.torch_folder import open_reader, save_reader


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("readers", nargs=2, type=Path, help="two reader folders")
    parser.add_argument("--weight", type=float, default=0.5, help="of the second (default 0.5)")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    first, second = (open_reader(folder) for folder in options.readers)
    weights = first.model.state_dict()
    for name, other in second.model.state_dict().items():
        if weights[name].is_floating_point():
            weights[name] = weights[name].lerp(other, options.weight)
    second.model.load_state_dict(weights)
    save_reader(second, options.output)
    shares = f"{1 - options.weight:g} of {first.folder} and {options.weight:g} of {second.folder}"
    print(f"{options.output}: {shares}")


if __name__ == "__main__":
    main()
