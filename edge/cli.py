"""The command `beltkeeper`."""


def main() -> None:
    """Entry point."""
