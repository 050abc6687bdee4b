"""A headless Chromium for tests of pages, or a skip that says why there is none."""

import shutil
import socket
import tempfile

import pytest

# Seconds. Nothing here may wait longer, so that a test that hangs fails by name.
_PATIENCE = 60


def start_browser(folder, *, width=1280, height=800, dark=False):
    """Return a Selenium driver that saves downloads in `folder`.

    Its profile is its own, it asks no network, and each command to it ends in time.
    """
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("there is no chromium with chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={tempfile.mkdtemp(prefix='profile-', dir=folder)}",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(folder)}
    )
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    options.timeouts = {"pageLoad": 1000 * _PATIENCE, "script": 1000 * _PATIENCE}
    # The path of the driver is given, so that Selenium Manager looks for none.
    service = webdriver.ChromeService(driver)
    # Older Selenium waits for an answer of the driver as long as this says, newer two
    # minutes.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        browser = webdriver.Chrome(options=options, service=service)
    finally:
        socket.setdefaulttimeout(before)
    # What a new profile shows first is none of the page's.
    browser.get("about:blank")
    browser.get_log("performance")
    if dark:
        feature = {"name": "prefers-color-scheme", "value": "dark"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    return browser
