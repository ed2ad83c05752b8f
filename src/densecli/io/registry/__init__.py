"""The data sets of the paper by name: what they are, where their files lie, and how they are fetched."""
