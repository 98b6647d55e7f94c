"""``localsteer``: which command there is, and how each of them ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from localsteer import __version__
from localsteer.cli.options import settings_option
from localsteer.cli.output import echo, one_line
from localsteer.errors import LocalsteerError

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl+C ended."""


_HOMES = {
    "bench": "bench",
    "chat": "chat",
    "chats": "chats",
    "doctor": "doctor",
    "eval": "evaluate",
    "extract": "extract",
    "models": "models",
    "paths": "doctor",
    "say": "say",
    "settings": "settings",
    "sweep": "sweep",
    "vectors": "vectors",
}
"""The commands, and the module of this room that each is in."""
_FUNCTIONS = {"eval": "evaluate"}


class _Commands(click.Group):
    """Imports a command when it is meant: whoever opens the app does not wait for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = _HOMES.get(cmd_name)
        if home is None:
            return None
        command = getattr(import_module(f"localsteer.cli.{home}"), _FUNCTIONS.get(cmd_name, cmd_name))
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@settings_option
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def localsteer(context: click.Context) -> None:
    """A local Llama with dials: chat in the terminal and steer the reply while it streams.

    Without a command the chat app opens, with the model used last, else with the practice model in the box.
    """
    if context.invoked_subcommand is None:
        chat = localsteer.get_command(context, "chat")
        assert chat is not None
        context.invoke(chat)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe of an old encoding must not end a reply with a traceback.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
            if os.name == "nt" and not stream.isatty():
                # A file or pipe gets what it would get elsewhere, not the system's own few letters.
                stream.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    status = _run(arguments)
    if not _flush():
        status = status or LocalsteerError.exit_status
    sys.exit(status)


def _open_what_is_closed() -> None:
    """Give the standard streams that were closed (``<&-``) to nobody, before a file of ours takes their number, and
    somebody's stray output with it.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Not Command.main(), which has words of its own for Ctrl+C and closed pipes.
        with localsteer.make_context("localsteer", given) as context:
            localsteer.invoke(context)
    except click.exceptions.Exit as left:
        return left.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        echo(error.ctx.get_help() if error.ctx else "", err=True)
        return LocalsteerError.exit_status
    except click.ClickException as error:
        return _fail(error.format_message(), LocalsteerError.exit_status)
    except LocalsteerError as error:
        return _fail(str(error), error.exit_status)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _abandon_stdout()
        return 0
    except OSError as error:
        if _is_broken_pipe(error):
            _abandon_stdout()
            return 0
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            if error.filename is None:
                return _refused(error)
            return _fail(f"{error.filename} cannot be used: {(error.strerror or str(error)).lower()}.", 2)
        _abandon_stdout()
        return _fail("There is no room on the disk for the output; make some and try again.", 2)
    return 0


def _refused(error: OSError) -> int:
    """What the system says without saying of what: of the standard streams, of the folder that one is in."""
    _abandon_stdout()
    if error.errno == errno.ENOENT:
        return _fail("The folder that this was started in is gone; go to another one.", 2)
    return _fail(f"The system refuses to read or write: {(error.strerror or str(error)).lower()}.", 2)


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(OSError):
        echo(f"localsteer: {one_line(message)}", err=True)
    return status


def _flush() -> bool:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as error:
        _abandon_stdout()
        if _is_broken_pipe(error):
            return True
        _fail(f"The output could not be written: {(error.strerror or str(error)).lower()}.", 2)
        return False
    return True


def _is_broken_pipe(error: OSError) -> bool:
    """Windows has no word of its own for a reader that is gone."""
    return os.name == "nt" and error.errno == errno.EINVAL and error.filename is None


def _abandon_stdout() -> None:
    """So that Python does not try again to flush what cannot be written, and complain."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
