"""The `gsi` command."""


def main() -> None:
    """Run it."""


if __name__ == "__main__":
    main()
