"""The commands: options in, one lazy import of a stage, source -> stage -> sink, report."""
