"""The command line: thin commands over engine, chat and library.

Results go to stdout, progress and notices to stderr. Every error that a user can cause is one line on stderr and exit
status 2.
"""

from localsteer.cli.main import main

__all__ = ["main"]
