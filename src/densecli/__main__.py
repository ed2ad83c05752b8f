"""`python -m densecli`."""

from densecli.cli.main import main

if __name__ == "__main__":
    main()
