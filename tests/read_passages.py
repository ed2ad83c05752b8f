"""Passages as a reader saw them, with given logits."""

import numpy as np

from densecli.reader.decode import ReadPassage
from densecli.reader.features import Features
from densecli.records import Passage


def read(text, start, end, relevance, id="1"):
    """A passage whose pieces are its blank-separated words; short logits stand for a cut passage."""
    places, position = [], 0
    for word in text.split():
        position = text.index(word, position)
        places.append((position, position + len(word)))
        position += len(word)
    pieces = np.array(places[: len(start)], dtype=np.int32).reshape(-1, 2)
    features = Features([0] * len(pieces), 0, pieces, pieces)
    logits = np.array(start, dtype=np.float32), np.array(end, dtype=np.float32)
    return ReadPassage(Passage(id, f"title {id}", text), features, *logits, relevance)
