"""What each command does, for Python: the functions that `densecli` exports. No terminal, no options."""
