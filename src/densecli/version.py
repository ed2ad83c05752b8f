"""The version of densecli."""

__version__ = "0.1.0"
