"""Corpora: reading them in every form, and cutting them into passages."""
