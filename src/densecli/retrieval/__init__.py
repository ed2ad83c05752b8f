"""Search with one or both kinds of index, and fusion."""
