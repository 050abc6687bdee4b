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


# Texts with less contrast than WCAG asks of AA, and what is wider than its screen.
_PROBLEMS = """
const found = [];
const excess = document.documentElement.scrollWidth - innerWidth;
if (excess > 0) found.push(`the page is ${excess} px too wide`);
const parse = text => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return {rgb: [r, g, b], a};
};
const luminance = rgb => {
  const [r, g, b] = rgb.map(c => c / 255).map(
    c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const {rgb, a} = parse(getComputedStyle(e).backgroundColor);
    if (a === 1) return rgb;
  }
  return [255, 255, 255];
};
for (const element of document.body.querySelectorAll('*')) {
  const text = [...element.childNodes].filter(n => n.nodeType === 3)
    .map(n => n.textContent.trim()).join('');
  if (!text || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const drawn = element instanceof SVGElement;
  const colour = parse(drawn ? style.fill : style.color).rgb;
  const [low, high] = [luminance(colour), luminance(ground(element))].sort(
    (a, b) => a - b);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < (large ? 3 : 4.5))
    found.push(`${text.slice(0, 40)}: contrast ${ratio.toFixed(2)}`);
  const box = element.getBoundingClientRect();
  if (!drawn && !element.closest('.scroll, nav') && box.right > innerWidth + 1)
    found.push(`${text.slice(0, 40)}: cut off at ${Math.round(box.right)} px`);
}
return found;
"""


def show_at(browser, page, width, height=900):
    """Open a page on a screen of this width, which may be that of a phone."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1}
    screen["mobile"] = width < 500
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(page.as_uri())


def page_problems(browser):
    """Return what of the open page is cut off, or hard to read, a line each."""
    return browser.execute_script(_PROBLEMS)
