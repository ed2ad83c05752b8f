"""The passage store: Arrow in blocks, the table of ids, and the sink that makes both."""
