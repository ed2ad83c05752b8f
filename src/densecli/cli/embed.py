"""`densecli embed`: passages to vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.building import building
from densecli.cli.models import RetrieverOption, model_folder, retriever_place
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.corpus import EmbedConfig

if TYPE_CHECKING:
    from densecli.io.vectors.shards import FloatArray


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "embed", EmbedConfig)
    def embed(
        session: Session,
        config: EmbedConfig,
        retriever: RetrieverOption = None,
        passages: Annotated[
            Path | None, typer.Option("--passages", help="Passage store. [default: WORKSPACE/passages]")
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/vectors]")
        ] = None,
        force: Force = False,
    ) -> None:
        """Turn passages into vectors.

        An interrupted run goes on where it was stopped. Vectors of a retriever with the same passage encoder
        are up to date.
        """
        import numpy as np

        from densecli.encoders.folder import passage_fingerprint
        from densecli.io.manifest import digest_texts, told_path
        from densecli.io.store.passages import PassageStore
        from densecli.io.vectors.shards import finished_rows, write_shard

        place = model_folder(retriever_place(session, retriever))
        store = PassageStore.open(passages or session.workspace.passages)
        target = output or session.workspace.vectors
        made_by = {"path": told_path(place), "sha256": passage_fingerprint(place)}
        with building(session, target, config, [made_by, store.folder], force, keep_partial=True) as build:
            from densecli.encoders.torch_retriever import PassageEncoder  # seconds, not for "up to date"
            from densecli.stages.embed import embed as run

            encoder = PassageEncoder(place, config.device, config.precision, config.batch_tokens)
            session.terminal.message(f"embedding {len(store):,} passages with {place} ({encoder.about})")
            build.parents = {
                "retriever": encoder.fingerprint,
                "passage_tower": encoder.passage_tower,
                "passages": store.fingerprint,
            }
            build.fingerprint = digest_texts([encoder.fingerprint, store.fingerprint, config.precision])
            plan = digest_texts([build.fingerprint, str(config.shard_rows)])
            first = min(finished_rows(build.folder, plan, config.shard_rows), len(store))
            if first:
                session.terminal.message(f"going on at passage {first:,}")
            waiting: list[FloatArray] = []
            pieces = session.terminal.progress(
                run(store, encoder, config, first),
                "embed",
                len(store),
                "passages ",
                done=lambda piece: piece[0] + len(piece[1]),
                start=first,
            )
            for row, vectors in pieces:
                waiting.append(vectors)
                end = row + len(vectors)
                if end % config.shard_rows == 0 or end == len(store):
                    write_shard(build.folder, (end - 1) // config.shard_rows, np.concatenate(waiting))
                    waiting.clear()
            build.counts["passages"] = len(store)
            build.facts = {
                "rows": len(store),
                "dimension": encoder.dimension,
                "shards": -(-len(store) // config.shard_rows),
            }
