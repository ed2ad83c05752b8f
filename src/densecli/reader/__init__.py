"""The extractive reader (paper, section 6.1): features, model, loss, decoding of answer spans."""
