"""FAISS indexes over passage vectors."""
