"""What other programs have pickled, read as data: nothing is imported and nothing called but a short list."""
