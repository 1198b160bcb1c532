"""Run one relay alone, or the keeper (see cli.py)."""

import sys

from speeddata.relay.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
