"""Corpora in the forms that people have, as streams of raw records and the functions that parse them."""
