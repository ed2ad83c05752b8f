"""A tower as it answers without torch: a graph over its weights, compact or whole, and the engine."""
