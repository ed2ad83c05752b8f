"""Files in, files out: streams of records, atomic folders, stores and vector shards."""
