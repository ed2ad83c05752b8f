"""Questions to training examples: positives and negatives (paper, sections 3.2 and 4.2, appendix A)."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice, tee

from densecli.artifacts.passages.store import PassageStore
from densecli.batches import batched
from densecli.configs.mining import MineConfig
from densecli.files.parallel import AHEAD, map_ordered
from densecli.mining.hits import GIVEN, HARD, Block, Chosen, Hit
from densecli.mining.miner import Miner, mine_block
from densecli.records import Context, Passage, TrainingExample
from densecli.retrieval.search import Engine
from densecli.text.same_text import text_key

# Questions; the unit that is searched at once and handed to a worker. Results depend on it, since gold
# negatives are drawn from the block.
BLOCK = 512


def mine(
    examples: Iterable[TrainingExample],
    open_miner: Callable[[], Miner],
    store: PassageStore,
    config: MineConfig,
    counts: Counter[str],
    dense: Engine | None = None,
    workers: int = 1,
) -> Generator[list[TrainingExample], None, None]:
    """Yield the training examples of each block of questions, in order, for any number of workers.

    The positive is the given one, the collection's passage that holds most of it, or the best-ranked of BM25
    that holds an answer. Negatives hold no answer and have no text that the example has already. A question
    without a positive is dropped and counted; an example with fewer negatives than asked for is kept and
    counted. When a block is yielded, `counts` covers all blocks up to it: `counts["questions"]` questions of
    the input are done. To resume, pass these counts and the rest of the input.

    Args:
        examples: questions with the passages they come with, if any.
        open_miner: opens the miner of this collection and config; called in each worker.
        store: the collection.
        config: what is asked for.
        counts: counts of the questions that are done; empty at the beginning.
        dense: searches the collection, for dense negatives.
        workers: processes to mine in.
    """
    blocks = _search_blocks(_blocks(examples, counts["questions"]), dense, config.depth)
    # starting a process for a single block takes longer than mining it
    begun = list(islice(blocks, 2))
    # the workers get a block and return row numbers only; the texts are filled in here
    given, kept = tee(chain(begun, blocks))
    # a block that is searched takes long, so not many wait to be mined
    ahead = AHEAD if dense is None else 1
    mined = map_ordered(partial(mine_block, open_miner), given, workers if len(begun) > 1 else 1, ahead=ahead)
    for found, block in zip(mined, kept, strict=True):
        counts.update(found.counts)
        pairs = zip(block.examples, found.choices, strict=True)
        yield [_fill(example, chosen, store, config) for example, chosen in pairs if chosen is not None]


def _blocks(examples: Iterable[TrainingExample], first: int) -> Iterator[Block]:
    """Cut the input into blocks; a short last block joins the one before, to have gold negatives to draw."""
    held: list[TrainingExample] = []
    for part in batched(examples, BLOCK):
        if held and len(part) == BLOCK:
            yield Block(first, held)
            first, held = first + len(held), part
        else:
            held = held + part
    if held:
        yield Block(first, held)


def _search_blocks(blocks: Iterable[Block], dense: Engine | None, depth: int) -> Iterator[Block]:
    for block in blocks:
        if dense is None:
            yield block
            continue
        questions = [example.question.question for example in block.examples]
        yield Block(block.first, block.examples, dense.search(questions, depth))


def _fill(
    example: TrainingExample, chosen: Chosen, store: PassageStore, config: MineConfig
) -> TrainingExample:
    """Return the example with the chosen passages in their places."""

    def passages(hits: Iterable[Hit]) -> tuple[Passage, ...]:
        return tuple(_context(store[hit.row], hit) for hit in hits)

    given = example.positives if chosen.positive.source == GIVEN else passages([chosen.positive])
    positives = given + passages(chosen.further)
    right = {text_key(one.text) for one in positives}

    def kept(given: Sequence[Passage]) -> tuple[Passage, ...]:
        # a given negative may hold an answer, and so have become a positive
        return tuple(one for one in given if text_key(one.text) not in right) if config.keep_negatives else ()

    hard = passages(hit for hit in chosen.negatives if hit.source in HARD)
    others = passages(hit for hit in chosen.negatives if hit.source not in HARD)
    return TrainingExample(
        example.question,
        positives,
        kept(example.hard_negatives) + hard,
        kept(example.negatives) + others,
        example.dataset,
    )


def _context(passage: Passage, hit: Hit) -> Context:
    return Context(passage.id, passage.title, passage.text, score=hit.score, rank=hit.rank, source=hit.source)
