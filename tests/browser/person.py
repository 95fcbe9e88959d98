"""Somebody in front of a browser, and everything the browser complained about."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.sandbox_server import ROOT

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
AXE_RUN = """async () => {
  const found = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]});
  return found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", "));
}"""
SMALL_TARGETS = """() => {
  const least = 24;
  const shown = (element) => element.checkVisibility() && !element.closest(".skip-link, .visually-hidden");
  const small = ({width, height}) => width < least || height < least;
  return [...document.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")]
    .filter((element) => shown(element) && getComputedStyle(element).display !== "inline")
    .filter((element) => small(element.getBoundingClientRect()))
    .map((element) => element.outerHTML.slice(0, 80));
}"""
# htmx starts in a timer of its own, perhaps after the page has loaded: until then forms go the way without JavaScript.
NOTE_HTMX = """document.addEventListener("htmx:after:process", () => { window.htmxReady = true; }, {once: true});"""
HTMX_READY = "() => !window.htmx || window.htmxReady"
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
  (event) => window.reportViolation(event.violatedDirective + " " + event.blockedURI));"""


class Person:
    """A browser context with one page. ``complaints`` are console errors, exceptions and policy violations."""

    def __init__(
        self,
        browser: Browser,
        portal: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        javascript: bool = True,
    ) -> None:
        self.portal = portal
        self.javascript = javascript
        self.complaints: list[str] = []
        self._expected: tuple[str, ...] = ()
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            # Colours are measured as they stay, not on their way there.
            reduced_motion="reduce",
            java_script_enabled=javascript,
        )
        self._context.expose_binding("reportViolation", lambda _, text: self.complaints.append(f"policy: {text}"))
        self._context.add_init_script(REPORT_VIOLATIONS)
        self._context.add_init_script(NOTE_HTMX)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))

    def expects(self, *complaints: str) -> None:
        """Complaints with these words are part of what is tested: browsers log every answer that is an error."""
        self._expected = complaints

    def _hear(self, message: ConsoleMessage) -> None:
        if any(words in message.text for words in self._expected):
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type} on {self.page.url}: {message.text}")

    def sign_in(self, name: str, password: str) -> None:
        self.open("/accounts/login/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", password)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(self.portal + "/")

    def bring_session(self, key: str) -> None:
        """Be signed in already, by the key of a session, and in front of the first page."""
        self._context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self.portal}])
        self.open("/")

    def open(self, path: str) -> None:
        self.page.goto(path if path.startswith("http") else self.portal + path)
        if self.javascript:
            self.page.wait_for_function(HTMX_READY)

    def press(self, name: str, role: Any = "button") -> None:
        """Press the button or follow the link in the main part that is called so."""
        self.page.locator("main").get_by_role(role, name=name).first.click()

    def sees(self, text: str) -> None:
        """Wait until the main part shows the text."""
        self.page.locator("#messages, main").get_by_text(text).first.wait_for()

    def reload_until(self, text: str) -> None:
        """Wait for what happens elsewhere. With JavaScript the page shows it by itself; without, people reload."""
        if self.javascript:
            self.sees(text)
            return
        for _ in range(60):
            if self.page.locator("main").get_by_text(text).count():
                return
            self.page.wait_for_timeout(250)
            self.page.reload()
        raise AssertionError(f"{text!r} never appeared on {self.page.url}")

    def barriers(self) -> list[str]:
        """What axe finds against WCAG A and AA on the page as it is now; nothing can be asked without JavaScript."""
        if not self.javascript:
            return []
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(AXE_RUN)
        return [f"{self.page.url}: {problem}" for problem in found]

    def sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        overhang: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return overhang

    def small_targets(self) -> list[str]:
        """Controls of less than 24 by 24 px. Links within a sentence and what only shows with the focus may be."""
        small: list[str] = self.page.evaluate(SMALL_TARGETS)
        return [f"{self.page.url}: {target}" for target in small]

    def close(self) -> None:
        self._context.close()
