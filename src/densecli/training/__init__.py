"""Training of the towers: examples, batches, the loss, optimization."""
