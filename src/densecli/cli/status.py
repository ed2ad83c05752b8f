"""`densecli status`: the artifacts of a workspace, and what to run next."""

from densecli.cli.session import Session
from densecli.cli.shared_options import JsonOption
from densecli.configs.status import StatusConfig
from densecli.errors import ArtifactError


def status(session: Session, config: StatusConfig, json: JsonOption = False) -> None:
    """List the artifacts of the workspace.

    It shows what they are, whether they are up to date, and what to run next.

    --verify reads every file and compares its digest.
    """
    from densecli.workflows.status import status as run

    found = run(**session.arguments(config))
    if session.terminal.shows_tables and not json:
        if found.artifacts:
            session.terminal.show(found.table())
    else:
        session.write((one.to_json() for one in found.artifacts), None)
    for line in found.problems:
        session.terminal.message(line)
    if config.verify and found.damaged:
        names = ", ".join(one.name for one in found.damaged)
        raise ArtifactError(f"{found.folder}: damaged: {names}; run `{found.damaged[0].next or found.next}`")
    session.terminal.message(f"{found.folder}: next: {found.next}")
