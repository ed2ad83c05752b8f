"""BM25: analysis of text into terms, an index in segments, and search from disk.

Our own, because no library has both a choice of k1 and b and an index that is searched from disk: tantivy
fixes k1 and b, and bm25s keeps the index in memory (benchmarks/bm25.py compares speed and accuracy).
"""
