"""How a command parses its options and shows its help.

Of two values for one option, nobody knows which is meant, so an option is given once. Help shows examples
first, and the options of a large command in groups, the most used first.
"""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from densecli.configs.help import EXAMPLES, GROUPS, PLACES

LARGE = 12
"""A command with more options than this shows them in groups."""
OTHER = "Other"


class Command(TyperCommand):
    """A command whose options are given once, and whose --help shows them in groups when there are many."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments of one run.

        Raises:
            UsageError: of typer; an option is unknown, has a wrong value, or is given twice.
        """
        given = list(args)
        rest = super().parse_args(ctx, args)
        for parameter, times in Counter(self.make_parser(ctx).parse_args(given)[2]).items():
            if not isinstance(parameter, TyperOption) or times == 1:
                continue
            if not (parameter.multiple or parameter.is_flag or parameter.count):
                ctx.fail(f"{max(parameter.opts, key=len)} is given {times} times; give it once")
        return rest

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
