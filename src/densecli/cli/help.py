"""--help: examples first, and the options of a large command in groups, the most used first."""

from typing import Any

from densecli.cli.once import OnceCommand
from densecli.configs.groups import GROUPS, PLACES

EXAMPLES = {
    "preprocess": ("densecli preprocess notes/", "densecli preprocess enwiki-latest-pages-articles.xml.bz2"),
    "mine-negatives": (
        "densecli mine-negatives questions.jsonl",
        "densecli mine-negatives questions.jsonl --negatives bm25:30,random:50 --audit 20",
    ),
    "train": (
        "densecli train --dataset nq --preset paper",
        "densecli train support manuals --sampling-rates 1,4 --encoder starter",
    ),
    "train-reader": ("densecli train-reader found.jsonl --dev dev.jsonl",),
    "embed": ("densecli embed", "densecli embed --retriever sentence-transformers/all-MiniLM-L6-v2"),
    "index": ("densecli index", "densecli index --kind bm25"),
    "search": (
        'densecli search "who voiced Meg"',
        "densecli search questions.jsonl -k 20 -o found.jsonl",
        'densecli search --compare bm25,dense "who voiced Meg"',
        "densecli search --tune-lambda dev.jsonl",
    ),
    "read": ('densecli read "who voiced Meg"', "densecli read found.jsonl -o read.jsonl"),
    "evaluate": (
        "densecli evaluate found.jsonl --table",
        "densecli evaluate bm25=a.jsonl dense=b.jsonl -k 1,5,20",
        "densecli evaluate found.run --qrels test.qrels -m nDCG@10 -m RR@10",
    ),
    "convert": (
        "densecli convert found.jsonl --to trec -o found.run",
        "densecli convert dpr_biencoder.cp --to retriever -o dpr",
    ),
    "datasets": ("densecli datasets", "densecli datasets nq --fetch questions"),
    "status": ("densecli status", "densecli status --verify"),
}
"""What people type first, by command."""
LARGE = 12
"""A command with more options than this shows them in groups."""
OTHER = "Other"


class GroupedCommand(OnceCommand):
    """A command whose --help shows its options in groups when there are many."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the command does, and examples."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Examples"):
            for line in EXAMPLES.get(self.name or "", ()):
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options of each group under its heading."""
        found = [(param, param.get_help_record(ctx)) for param in self.get_params(ctx)]
        shown = [(param, record) for param, record in found if record is not None]
        options = [one for one in shown if one[0].param_type_name == "option"]
        if len(options) <= LARGE:
            super().format_options(ctx, formatter)
            return
        arguments = [record for param, record in shown if param.param_type_name == "argument"]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        for group in (*GROUPS, OTHER):
            members = [
                (PLACES.get(param.name, (OTHER, 0))[1], record)
                for param, record in options
                if PLACES.get(param.name, (OTHER, 0))[0] == group
            ]
            if members:
                with formatter.section(group):
                    formatter.write_dl([record for _, record in sorted(members, key=lambda one: one[0])])
