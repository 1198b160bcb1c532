"""Run the history service: python -m speeddata.pivot."""

from speeddata.pivot.cli import main

if __name__ == "__main__":
    main()
