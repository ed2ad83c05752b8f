"""densecli: dense passage retrieval and open-domain question answering from the command line."""

__version__ = "0.1.0"
