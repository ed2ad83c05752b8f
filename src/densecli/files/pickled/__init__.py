"""Pickles of other programs, read as data: nothing is imported, and nothing called but a short list.

Our own interpreter of the opcodes, because `pickle.Unpickler` and `torch.load(weights_only=True)` build
everything that a file asks for before anyone can check it: a small hostile file takes all memory. This one
counts steps and bytes, and streams large arrays.
"""
