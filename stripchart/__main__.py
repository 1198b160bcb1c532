"""Run the live server: python -m speeddata.stripchart."""

from speeddata.stripchart.cli import main

if __name__ == "__main__":
    main()
