"""The datasets of the paper by name: where they come from, what is on this disk, downloads."""
