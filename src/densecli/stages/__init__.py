"""The stages: records in, records out; no paths, no prints, no progress, no global seed."""
