"""An observer that keeps what it hears."""

from densecli.observer import Observer


class Heard(Observer):
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.warnings: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)
