"""Vectors and the FAISS indexes over them."""
