"""Bytes and lines: atomic files and folders, streams, worker processes."""
