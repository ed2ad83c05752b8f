"""Model folders: ours and those of other programs."""
