"""Run the `speeddata` command: python -m speeddata."""

from speeddata.cli import main

if __name__ == "__main__":
    main()
