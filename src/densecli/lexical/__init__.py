"""Retrieval by words: BM25 and the analysis of text into terms."""
