"""A download that goes on beside the app, in a thread of its own."""

from __future__ import annotations

import threading
from pathlib import Path

from localsteer.errors import LocalsteerError, Stopped
from localsteer.library.downloads import DownloadProgress, download_model
from localsteer.library.hub_names import HubName


class Fetching:
    """Begins at once. Whoever shows it looks at ``progress`` now and then, until :attr:`over`.

    Then either ``path`` is the model's file, or ``problem`` says what went wrong, or it was stopped; what has come is
    kept in any case.
    """

    def __init__(self, wanted: HubName) -> None:
        self.wanted = wanted
        self.progress: DownloadProgress | None = None
        self.path: Path | None = None
        self.problem = ""
        self._stop = threading.Event()
        self._over = threading.Event()
        # Not a pool's thread, which the end of the app would wait for.
        threading.Thread(target=self._run, name="download", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self._over.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop; where the hub is silent that takes a few seconds."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Within a moment; between two tries after a broken connection, too."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self.path = download_model(self.wanted, progress=self._take, stopped=self._stop.is_set)
        except Stopped:
            pass
        except LocalsteerError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"The download broke off ({type(error).__name__}: {error})."
        finally:
            self._over.set()

    def _take(self, progress: DownloadProgress) -> None:
        self.progress = progress
