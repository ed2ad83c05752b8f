"""Commands whose options are given once: of two values for one option, nobody knows which is meant."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption


class OnceCommand(TyperCommand):
    """Refuses an option with two values, unless it is one that takes several."""

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
