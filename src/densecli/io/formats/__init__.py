"""The forms that other programs read and write: each file knows one of them, record by record."""
