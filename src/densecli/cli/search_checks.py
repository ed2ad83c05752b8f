"""Options of `search` that have no effect beside others."""

from densecli.cli.session import Session
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError


def check_explained(
    session: Session, config: SearchConfig, explain: bool, compare: str | None, tune: str | None
) -> None:
    """Refuse what has no effect with `--explain` or `--compare`.

    Raises:
        UsageError: names it.
    """
    option = "--explain" if explain else "--compare"
    if explain and compare is not None:
        raise UsageError("--explain and --compare contradict each other")
    if tune is not None:
        raise UsageError(f"{option} has no effect with --tune-lambda")
    for name in ("split", "data_dir", "batch_size"):
        if name in session.typed:
            raise UsageError(f"{option} and --{name.replace('_', '-')} contradict each other")
    if config.format not in (None, "text", "jsonl"):
        raise UsageError(f"{option} and --format {config.format} contradict each other")


def check_tuned(session: Session, config: SearchConfig, question: str | None) -> None:
    """Refuse what has no effect with `--tune-lambda`.

    Raises:
        UsageError: names it.
    """
    typed = [name for name in ("dataset", "split", "data_dir", "ask") if name in session.typed]
    others = [*(["a question"] if question else []), *(f"--{name.replace('_', '-')}" for name in typed)]
    if others:
        raise UsageError(f"{others[0]} has no effect with --tune-lambda, which reads its own questions")
    if config.format not in (None, "text", "jsonl"):
        raise UsageError(f"--tune-lambda and --format {config.format} contradict each other")


def check_no_text(config: SearchConfig, people: bool, tune: str | None) -> None:
    """Refuse `--no-text` where no JSON lines are written.

    Raises:
        UsageError: says why.
    """
    if tune is not None:
        raise UsageError("--no-text has no effect with --tune-lambda")
    if people:
        raise UsageError("--no-text has an effect only on JSON lines: with --json or --output")
    if config.format not in (None, "jsonl"):
        raise UsageError("--no-text has an effect only with --format jsonl")
