"""A local server that keeps each decision at once, and trains in the background."""

import hmac
import json
import os
import re
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emclassify.review._labelling import CURVE, DECISIONS, Labelling, read_decisions

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.serving import BaseWSGIServer

__all__ = ["LabelServer"]

_HOST = "127.0.0.1"
_PICTURE = re.compile(r"sheet-\d{3}\.jpg|pictures/\d{6}\.jpg")
_NO_SERVER = 'id="server">null</script>'
_KEPT = ("file", "old_label", "new_label", "excluded", "note", "time", "dataset")
_MOST_BYTES = 64 * 2**20


class LabelServer:
    """Serves the page of the last round to this machine, and to who knows the token.

    Each decision is on the disk before the page hears that it is saved. Training goes
    on in a thread; a round counts when it is complete. So nothing is lost whenever the
    process ends.

    Parameters
    ----------
    labelling : Labelling
        With one round at least.
    token : str, default=None
        Part of the address; a random one by default.
    """

    def __init__(self, labelling: Labelling, token: str | None = None) -> None:
        self.token = secrets.token_urlsafe(16) if token is None else token
        self._labelling = labelling
        self._lock = threading.Lock()
        self._training: threading.Thread | None = None
        self._error = ""

    def make_server(self, port: int = 0) -> "BaseWSGIServer":
        """Return a server that waits for ``serve_forever``, on a free port by default.

        Raises
        ------
        OSError
            If the port is taken.
        """
        try:
            from werkzeug.serving import WSGIRequestHandler, make_server
        except ImportError as error:
            raise ImportError(
                'The server needs Flask: pip install "emclassify[review]".'
            ) from error

        class Quiet(WSGIRequestHandler):
            def log_request(self, *args: Any) -> None:
                """Say nothing: the address holds the token."""

        try:
            return make_server(
                _HOST, port, self.app(), threaded=True, request_handler=Quiet
            )
        except SystemExit:
            # werkzeug's way to say that the port is taken.
            raise OSError(f"--port {port} is taken by another program.") from None

    def address(self, server: "BaseWSGIServer") -> str:
        """Return the address of the page."""
        return f"http://{_HOST}:{server.server_port}/{self.token}/"

    def app(self) -> "Flask":
        """Return the application: page, pictures, decisions, next round, state."""
        from flask import Flask, Response, abort, request, send_from_directory
        from werkzeug.exceptions import HTTPException

        app = Flask("emclassify.review", static_folder=None)
        # Another site's name for this machine must not reach it.
        app.config["TRUSTED_HOSTS"] = [_HOST, "localhost"]
        app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
        root = f"/{self.token}/"

        @app.before_request
        def check() -> None:
            if request.path == root or request.method == "GET":
                return
            if not hmac.compare_digest(request.headers.get("X-Token", ""), self.token):
                abort(403, "the token is missing")

        @app.after_request
        def tell_nobody(response: Response) -> Response:
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Cache-Control"] = "no-store"
            return response

        @app.errorhandler(HTTPException)
        def explain(error: HTTPException) -> tuple[dict[str, str], int | None]:
            return {"error": error.description or ""}, error.code

        @app.get(root)
        def page() -> str:
            return self._page()

        @app.get(root + "<path:name>")
        def picture(name: str) -> Response:
            if not _PICTURE.fullmatch(name):
                abort(404)
            return send_from_directory(self._here().resolve(), name)

        @app.get(root + CURVE)
        def curve() -> Response:
            return send_from_directory(self._labelling.out.resolve(), CURVE)

        @app.get(root + "state")
        def state() -> dict[str, Any]:
            return self.state()

        @app.post(root + "decisions")
        def decisions() -> dict[str, int]:
            sent = request.get_json()
            try:
                return {"saved": self.keep(**sent)}
            except (KeyError, TypeError, ValueError) as error:
                abort(409, str(error))

        @app.post(root + "next")
        def next_round() -> dict[str, Any]:
            try:
                self.train()
            except ValueError as error:
                abort(409, str(error))
            return self.state()

        return app

    def keep(self, round: int, dataset: str, decisions: list[dict[str, Any]]) -> int:
        """Write decisions to the disk.

        Parameters
        ----------
        round : int
            Of the page that they come from: another may have begun meanwhile.
        dataset : str
            Of that page.
        decisions : list of dict
            Rows of corrections, and whether each is undone.

        Returns
        -------
        int
            How many are on the disk now.

        Raises
        ------
        ValueError
            If they are of other images, or no decisions.
        """
        with self._lock:
            here = self._labelling.out / f"round-{round:03d}"
            if here not in self._labelling.rounds():
                raise ValueError(f"there is no round {round}")
            if dataset != _known(here)["dataset"]:
                raise ValueError("these decisions are of another data set")
            files = set(self._labelling.folder.files)
            lines = []
            for decision in decisions:
                row = {name: str(decision[name]) for name in _KEPT}
                undone = decision["undone"] is True
                fits = row["new_label"] in self._labelling.classes
                if row["file"] not in files or row["excluded"] not in ("true", "false"):
                    raise ValueError(f"{row['file']!r} is no image of this page")
                if not (fits or undone or row["excluded"] == "true"):
                    raise ValueError(f"{row['new_label']!r} is no label of this page")
                line = json.dumps(row | {"undone": undone}, ensure_ascii=False)
                lines.append(line + "\n")
            _append(here / DECISIONS, "".join(lines).encode())
        return len(lines)

    def train(self) -> None:
        """Begin the next round in the background, if it has not begun.

        Raises
        ------
        ValueError
            If nothing was decided in this one.
        """
        with self._lock:
            if self._busy():
                return
            if self._labelling.n_decisions() == 0:
                raise ValueError("Nothing was decided in this round yet.")
            self._error = ""
            self._training = threading.Thread(target=self._train, daemon=True)
            self._training.start()

    def state(self) -> dict[str, Any]:
        """Return the number of the round, and whether the next is being made."""
        return {
            "round": len(self._labelling.rounds()),
            "busy": self._busy(),
            "error": self._error,
        }

    def _busy(self):
        return self._training is not None and self._training.is_alive()

    def _train(self):
        try:
            self._labelling.next_round()
        except Exception as error:
            # Told on the page; the decisions are kept, and it can be tried again.
            self._error = f"{type(error).__name__}: {error}"

    def _here(self):
        return self._labelling.rounds()[-1]

    def _page(self):
        here = self._here()
        server = {
            "token": self.token,
            "round": len(self._labelling.rounds()),
            "decided": read_decisions(here / DECISIONS),
            "said": _said(_known(here)),
            "curve": CURVE if (self._labelling.out / CURVE).is_file() else None,
        }
        plain = json.dumps(server, ensure_ascii=False).replace("<", "\\u003c")
        text = (here / "index.html").read_text(encoding="utf-8")
        before, after = text.split(_NO_SERVER, 1)
        return f"{before}{_NO_SERVER.replace('null', plain)}{after}"


def _known(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "round.json").read_text(encoding="utf-8"))


def _said(known: dict[str, Any]) -> str:
    """Return what a round knows, in a few words."""
    words = f"round {known['round']}: {known['n_labels']} labels"
    if "macro_f1" in known:
        words += f", macro F1 {known['macro_f1']:.2f}"
    return words


def _append(path: Path, content: bytes) -> None:
    """Add lines to a file, and return when they are on the disk."""
    with open(path, "a+b") as file:
        # What a killed process left of a line was never said to be saved.
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        if file.read() not in (b"", b"\n"):
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
