"""The server of `emclassify label --serve`: nothing is lost, nobody else gets in."""

import json
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from browser import start_browser
from test_labelling import CLASSES, data_of, folder as folder, start, truth

from emclassify.cli import main
from emclassify.review._labelling import DECISIONS
from emclassify.review._serve import LabelServer

# Seconds that anything here may wait for another process or thread.
PATIENCE = 120


@pytest.fixture
def served(folder, tmp_path):
    loop = start(folder, tmp_path / "rounds")
    loop.next_round()
    return LabelServer(loop, token="secret")


def rows(page, n=None):
    """Return decisions as a page sends them."""
    data = data_of(page)
    names = [data["names"][i] for i in data["orders"]["suggested"]][:n]
    return {
        "round": 1,
        "dataset": data["dataset"],
        "decisions": [
            {
                "file": name,
                "old_label": "",
                "new_label": truth(name),
                "excluded": "false",
                "note": "",
                "time": "2026-01-01T00:00:00Z",
                "dataset": data["dataset"],
                "undone": False,
            }
            for name in names
        ],
    }


TOKEN = {"X-Token": "secret"}


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_decisions_lead_to_the_next_round(served):
    loop, client = served._labelling, served.app().test_client()
    sent = rows(loop.page())
    answer = client.post("/secret/decisions", json=sent, headers=TOKEN)
    assert answer.json == {"saved": 12}
    undone = sent | {"decisions": [sent["decisions"][0] | {"undone": True}]}
    assert client.post("/secret/decisions", json=undone, headers=TOKEN).json
    assert loop.n_decisions() == 11
    assert client.post("/secret/next", headers=TOKEN).status_code == 200
    wait_for(lambda: not client.get("/secret/state").json["busy"])
    assert client.get("/secret/state").json == {"round": 2, "busy": False, "error": ""}
    page = client.get("/secret/").text
    assert "round 2: 11 labels, macro F1" in page
    # A page of the first round that is still open adds to that one.
    client.post("/secret/decisions", json=sent, headers=TOKEN)
    assert len((loop.rounds()[0] / DECISIONS).read_text().splitlines()) == 25
    assert not (loop.rounds()[1] / DECISIONS).exists()


def test_the_page_knows_what_was_decided(served):
    client = served.app().test_client()
    sent = rows(served._labelling.page(), 1)
    sent["decisions"][0]["note"] = "</script><script>boom()</script>"
    client.post("/secret/decisions", json=sent, headers=TOKEN)
    page = client.get("/secret/").text
    start = page.index('id="server">') + len('id="server">')
    server = json.loads(page[start : page.index("</script>", start)])
    assert [d["file"] for d in server["decided"]] == [sent["decisions"][0]["file"]]
    assert server["decided"][0]["note"].startswith("</script>")


def test_only_who_knows_the_token_gets_in(served):
    client = served.app().test_client()
    sent = rows(served._labelling.page(), 1)
    assert client.get("/").status_code == 404
    assert client.get("/guess/").status_code == 404
    assert client.get("/secret/").status_code == 200
    assert client.post("/secret/decisions", json=sent).status_code == 403
    assert client.post("/secret/next", headers={"X-Token": "guess"}).status_code == 403
    # Another site's name for this machine.
    other = client.get("/secret/", headers={"Host": "evil.example"})
    assert other.status_code == 400
    for name in ("round.json", "labels.csv", "pictures/../round.json"):
        assert client.get("/secret/" + name).status_code == 404
    with client.get("/secret/sheet-000.jpg") as answer:
        assert answer.mimetype == "image/jpeg"
    assert served._labelling.n_decisions() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "other"}, "of another data set"),
        ({"round": 7}, "no round 7"),
        ({"decisions": [{}]}, "file"),
        ({"decisions": 3}, "not iterable"),
    ],
)
def test_decisions_that_do_not_fit_are_refused(served, change, message):
    client = served.app().test_client()
    sent = rows(served._labelling.page(), 2)
    for part in ({"new_label": "cat"}, {"file": "no.png"}, {"excluded": "maybe"}):
        # The first would do; none of them is taken.
        wrong = [sent["decisions"][0], sent["decisions"][1] | part]
        answer = client.post(
            "/secret/decisions", json=sent | {"decisions": wrong}, headers=TOKEN
        )
        assert answer.status_code == 409
    answer = client.post("/secret/decisions", json=sent | change, headers=TOKEN)
    assert answer.status_code == 409
    assert message in answer.json["error"]
    assert client.post("/secret/next", headers=TOKEN).status_code == 409
    assert served._labelling.n_decisions() == 0


def test_a_training_that_fails_is_told_and_can_be_tried_again(served, monkeypatch):
    client = served.app().test_client()
    sent = rows(served._labelling.page())
    client.post("/secret/decisions", json=sent, headers=TOKEN)
    monkeypatch.setattr(served._labelling, "make_model", lambda images: 1 / 0)
    for _ in range(2):
        client.post("/secret/next", headers=TOKEN)
        wait_for(lambda: not client.get("/secret/state").json["busy"])
        state = client.get("/secret/state").json
        assert state["error"].startswith("ZeroDivisionError")
        assert state["round"] == 1
    assert served._labelling.n_decisions() == 12


def test_a_port_that_is_taken_is_told(served):
    first = served.make_server()
    with pytest.raises(OSError, match="is taken by another program"):
        served.make_server(first.server_port)
    first.server_close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_at_any_moment_no_decision_is_lost(folder, tmp_path, capsys):
    out = tmp_path / "rounds"
    argv = ["label", str(folder), "--classes", ",".join(CLASSES), "--out", str(out)]
    argv += ["--number", "12", "--serve", "--quiet"]
    code = "import sys; from emclassify.cli import main; sys.exit(main(sys.argv[1:]))"

    def serve():
        process = subprocess.Popen(
            [sys.executable, "-c", code, *argv], stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout:
            if line.startswith("Serving: "):
                return process, line.split()[1]
        raise AssertionError("the server has not begun")

    process, address = serve()
    try:
        assert address.startswith("http://127.0.0.1:")
        token = address.split("/")[-2]
        request = urllib.request.Request(
            address + "decisions",
            json.dumps(rows(out / "round-001" / "index.html", 3)).encode(),
            {"Content-Type": "application/json", "X-Token": token},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert json.load(answer) == {"saved": 3}
        # Nobody else while it runs; who was killed keeps nobody out.
        assert main(argv) == 2
        said = capsys.readouterr().err
        assert f"{out} is in use by process {process.pid}, since 20" in said
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()
        with open(out / "round-001" / DECISIONS, "ab") as file:
            file.write(b'{"file": "cut o')
        process, address = serve()
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            page = answer.read().decode()
        start = page.index('id="server">') + len('id="server">')
        server = json.loads(page[start : page.index("</script>", start)])
        assert len(server["decided"]) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert "Go on at any time" in process.stdout.read()
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()


@pytest.mark.browser
def test_the_page_saves_at_once_and_goes_on_to_the_next_round(served, tmp_path):
    import threading

    from selenium.common.exceptions import WebDriverException

    loop = served._labelling
    server = served.make_server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    browser = start_browser(tmp_path)
    try:
        browser.get(served.address(server))

        def text(name):
            try:
                return browser.find_element("id", name).text
            except WebDriverException:  # while another page takes its place
                return ""

        def press(keys):
            for key in keys:
                browser.switch_to.active_element.send_keys(key)

        first = data_of(loop.page())
        names = [first["names"][i] for i in first["orders"]["cluster"]]
        press("1x")
        wait_for(lambda: loop.n_decisions() == 2)
        press("u")
        wait_for(lambda: loop.n_decisions() == 1)
        browser.refresh()
        assert text("progress").startswith("1 of 36 decided")
        press(["\ue015"])  # an arrow
        browser.find_element("id", "list").click()
        press(["\ue011"])  # to the first
        press([str(CLASSES.index(truth(name)) + 1) for name in names])
        wait_for(lambda: loop.n_decisions() == 36)
        browser.find_element("id", "next-round").click()
        wait_for(lambda: len(loop.rounds()) == 2)
        wait_for(lambda: "round 2: 36 labels" in text("round"))
        assert text("progress").startswith("0 of 36 decided")
        loud = [e for e in browser.get_log("browser") if e["level"] != "INFO"]
        assert loud == []
    finally:
        browser.quit()
        server.shutdown()
        thread.join(PATIENCE)
