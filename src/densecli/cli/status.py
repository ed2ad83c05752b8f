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
    for one in found.artifacts:
        if one.reason:
            again = f"; run `{one.next}`" if one.next else ""
            session.terminal.message(f"{one.name}: {one.state}: {one.reason}{again}")
    unverified = sum(one.unverified or 0 for one in found.artifacts)
    if unverified:
        session.terminal.warning(
            f"{unverified:,} files cannot be verified: the version that made them stored no digests"
        )
    if config.verify and found.damaged:
        names = ", ".join(one.name for one in found.damaged)
        raise ArtifactError(f"{found.folder}: damaged: {names}; run `{found.damaged[0].next or found.next}`")
    session.terminal.message(f"{found.folder}: next: {found.next}")
