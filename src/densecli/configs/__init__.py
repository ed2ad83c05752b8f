"""The defaults: one frozen dataclass per stage, the only place where a default is typed."""
