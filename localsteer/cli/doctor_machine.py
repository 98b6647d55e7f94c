"""The doctor looks at the machine: processor, memory, llama.cpp, lost processes, the terminal."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator

import psutil

import localsteer
from localsteer.cli.findings import Finding
from localsteer.cli.output import size
from localsteer.engine.machine import cores, inspect_build, lost_engines
from localsteer.errors import EngineError
from localsteer.library.settings import Settings


def look_at_machine() -> Iterator[Finding]:
    python = f"Python {platform.python_version()}, localsteer {localsteer.__version__}"
    yield Finding("system", "ok", f"{platform.system()} {platform.release()} on {platform.machine()}, {python}")
    physical, logical = psutil.cpu_count(logical=False), os.cpu_count()
    yield Finding("processor", "ok", f"{physical or 'unknown'} physical cores, {logical or 'unknown'} logical")
    memory = psutil.virtual_memory()
    free = f"{size(memory.available)} of {size(memory.total)} free"
    if memory.available < 1_000_000_000:
        yield Finding("memory", "note", f"{free}: close other programs before you load a larger model")
    else:
        yield Finding("memory", "ok", free)


def look_at_llama_cpp(settings: Settings) -> Iterator[Finding]:
    try:
        build = inspect_build()
    except EngineError as error:
        yield Finding("llama.cpp", "problem", str(error))
        yield from _look_for_a_compiler()
        return
    yield Finding("llama.cpp", "ok", f"llama-cpp-python {build.binding_version}: {' '.join(build.features)}")
    if build.gpu:
        yield Finding("GPU", "ok", "this build can use one; all layers go there unless you say otherwise")
    else:
        yield Finding(
            "GPU", "note", "this build uses the CPU only; the README says where builds for Metal and CUDA are"
        )
    wanted = settings.n_threads
    if wanted is None:
        yield Finding("threads", "ok", f"{build.threads} will be used (n_threads in the settings changes it)")
    elif wanted > cores():
        yield Finding(
            "threads",
            "problem",
            f"the settings ask for {wanted} and there are {cores()} processors, so that all wait for each other; "
            "`localsteer settings unset n_threads` leaves the choice to localsteer.",
        )
    else:
        yield Finding("threads", "ok", f"{wanted} will be used, as the settings say")
    if platform.machine().lower() in {"x86_64", "amd64"} and "AVX2" not in build.features:
        yield Finding("speed", "note", "built without AVX2, which most processors have: build it on this machine")


def _look_for_a_compiler() -> Iterator[Finding]:
    """What installing llama.cpp again may fail for."""
    named = os.environ.get("CXX", "").split()[:1]
    if any(shutil.which(name) for name in (*named, "c++", "g++", "clang++", "cl")):
        return
    get = {
        "linux": "install one (`sudo apt install g++`, or what your system calls it)",
        "darwin": "`xcode-select --install` gets one",
        "win32": 'install "Desktop development with C++" of the Visual Studio Build Tools and use their prompt',
    }.get(sys.platform, "install one")
    yield Finding(
        "compiler",
        "problem",
        f"there is no C++ compiler here, which building llama.cpp takes; {get}, or take a ready-made build (see the "
        "README).",
    )


def look_at_processes() -> Iterator[Finding]:
    for process in lost_engines():
        end = f"taskkill /F /PID {process}" if sys.platform == "win32" else f"kill -9 {process}"
        yield Finding("engine", "problem", f"process {process} goes on without its app; end it with `{end}`.")


def look_at_terminal() -> Iterator[Finding]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Finding("terminal", "note", "none here (input or output is piped); the chat app needs one")
        return
    width, height = shutil.get_terminal_size()
    name = os.environ.get("TERM", "")
    encoding = (sys.stdout.encoding or "").replace("-", "").lower()
    if encoding != "utf8":
        yield Finding(
            "terminal",
            "problem",
            f"it takes {sys.stdout.encoding or 'an unknown encoding'}, not UTF-8; set LANG to a locale such as "
            "C.UTF-8 (on Windows PYTHONUTF8 to 1).",
        )
    elif name == "dumb" or (not name and sys.platform != "win32"):
        yield Finding(
            "terminal",
            "problem",
            f"TERM is {name or 'not set'}, so the chat app cannot paint; open it in a terminal of its own.",
        )
    elif _colours(name) < 8:
        yield Finding(
            "terminal", "note", f"{name} has no colours; set TERM to xterm-256color where the terminal can do more"
        )
    else:
        yield Finding("terminal", "ok", f"{name or 'Windows'}, {width}×{height}, UTF-8")


def _colours(name: str) -> int:
    """How many this terminal has, as far as the system knows it."""
    try:
        import curses

        curses.setupterm(name, sys.stdout.fileno())
        return curses.tigetnum("colors")
    except Exception:
        # No terminfo here (Windows), or it does not know this one.
        return 256
