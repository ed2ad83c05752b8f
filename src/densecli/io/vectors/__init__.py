"""Vectors on disk, and vectors from elsewhere put at the rows of a passage store."""
