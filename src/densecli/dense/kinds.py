"""The kinds of index that can be built: flat and HNSW, both with inner products as scores."""

import faiss

from densecli.configs.corpus import IndexConfig

DENSE_KINDS = ("flat", "hnsw")


def new_index(dimension: int, config: IndexConfig) -> faiss.Index:
    """Return an empty index whose scores are inner products (paper, equation 1).

    HNSW is built over the inner product itself, so that both kinds give the same score to the same
    pair; the authors' code turned it into an L2 search with distances as scores.
    """
    if config.kind == "flat":
        return faiss.IndexFlatIP(dimension)
    index = faiss.IndexHNSWFlat(dimension, config.hnsw_neighbors, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = config.hnsw_build_breadth
    index.hnsw.efSearch = config.hnsw_search_breadth
    return index
