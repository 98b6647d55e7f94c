"""What can go wrong between here and the Hugging Face hub, each in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from localsteer.errors import DownloadError, LocalsteerError

_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"


class ConnectionLost(DownloadError):
    """The network failed, not the request: the same may work the next moment."""


@contextmanager
def hub_errors(endpoint: str, repo: str, file: str = "") -> Iterator[None]:
    """Raise what the hub's library and its network raise inside as DownloadError."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled:
        raise DownloadError("HF_HUB_OFFLINE forbids every download; unset it to fetch a model.") from None
    except HFValidationError:
        raise DownloadError(f"{repo} is no name of a repository; write org/repo:file.gguf.") from None
    except HfHubHTTPError as error:
        raise _refused(error, endpoint, repo, file) from error
    except httpx2.ConnectError as error:
        raise ConnectionLost(
            f"{host(endpoint)} cannot be reached; check the network{_or_endpoint(endpoint)} and try again."
        ) from error
    except httpx2.TimeoutException as error:
        raise ConnectionLost(f"{host(endpoint)} does not answer; try again later.") from error
    except httpx2.HTTPError as error:
        raise ConnectionLost(f"The connection to {host(endpoint)} broke ({error}); try again.") from error
    except LocalsteerError:
        raise
    except (httpx2.InvalidURL, ValueError, LookupError, TypeError) as error:
        raise DownloadError(f"{endpoint} does not answer as a Hugging Face hub does ({error}).") from error


def _refused(error: Exception, endpoint: str, repo: str, file: str) -> DownloadError:
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            said = f"{repo} is gated: agree to its terms at {endpoint}/{repo}, then {_LOG_IN}."
        case errors.DisabledRepoError():
            said = f"{repo} was withdrawn from {host(endpoint)}; choose another model."
        case errors.RepositoryNotFoundError():
            said = f"There is no repository {repo} at {host(endpoint)}, or it is private: check its name, or {_LOG_IN}."
        case errors.RemoteEntryNotFoundError():
            said = f"There is no file {file} in {repo}; `localsteer models pull {repo}` lists those that there are."
        case errors.HfHubHTTPError(response=response):
            return _by_status(response.status_code, endpoint, repo)
        case _:
            said = f"{host(endpoint)} refuses {repo} ({error})."
    return DownloadError(said)


def _by_status(status: int, endpoint: str, repo: str) -> DownloadError:
    if status in (401, 403):
        return DownloadError(f"{host(endpoint)} gives {repo} only to people it knows: {_LOG_IN}.")
    if status == 404:
        return DownloadError(f"There is no {repo} at {host(endpoint)}; check its name.")
    if status == 429:
        return DownloadError(f"{host(endpoint)} was asked too often; wait some minutes and try again.")
    if status >= 500:
        return ConnectionLost(f"{host(endpoint)} is in trouble (status {status}); try again later.")
    return DownloadError(f"{host(endpoint)} refuses {repo} (status {status}).")


def host(endpoint: str) -> str:
    """The server's name, as a person knows it."""
    return urlsplit(endpoint).netloc or endpoint


def _or_endpoint(endpoint: str) -> str:
    return "" if "huggingface.co" in endpoint else " (and HF_ENDPOINT)"
