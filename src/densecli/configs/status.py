"""Settings of the command that says what is in a workspace."""

from dataclasses import dataclass

from densecli.configs.setting import setting


@dataclass(frozen=True)
class StatusConfig:
    """The artifacts of a workspace."""

    verify: bool = setting(
        False, "Read every file and compare its digest with the manifest. Exit with code 4 if one differs."
    )
