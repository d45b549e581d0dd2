"""Runs sqlfluff as its own command does, in two thirds of the time: `make lint` calls it.

Python's garbage collector goes through a file's millions of small objects again and again, of which
hardly one is garbage. Here it comes seldom; what is linted, and by which rules, is sqlfluff's own.
"""

import gc

from sqlfluff.cli.commands import cli

# Not only when this is run: each of the processes that sqlfluff starts imports this file first.
gc.set_threshold(100_000, 50, 100)

if __name__ == "__main__":
    cli()
