"""The passage store."""
