#!/usr/bin/python3
"""Opens pages of the agent in a headless Chromium and uses them as people do. usage: page.py SCREENSHOTS KIND=PAGE...
KIND is rules, fleet, diffs or hostile. Any console message, any request but for the page itself and any wrong answer is an error."""

import json
import pathlib
import sys

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "disable-extensions",
                     "no-first-run", "disable-background-networking", "window-size=1200,1400"]:
        options.add_argument("--" + argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


class Page:
    def __init__(self, driver, path):
        self.driver, self.path = driver, path
        driver.set_window_size(1200, 1400)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        driver.get(path.as_uri())

    def run(self, script, *arguments):
        return self.driver.execute_script("return " + script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def visible(self, selector):
        return [own for own in self.driver.find_elements(By.CSS_SELECTOR, selector) if own.is_displayed()]

    def count(self, selector):
        return self.run("[...document.querySelectorAll(arguments[0])].filter(e => !e.hidden).length", selector)

    def keys(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def choose(self, field, value):
        self.run("(() => { const f = document.getElementById(arguments[0]); f.value = arguments[1];"
                 " f.dispatchEvent(new Event('input', {bubbles: true})); })()", field, value)

    def shot(self, directory, name):
        self.driver.save_screenshot(str(directory / f"{self.path.stem}-{name}.png"))

    def dark(self):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def printed(self, directory):
        """The page on paper, as PDF, and how it looks."""
        import base64
        self.run("window.addEventListener('beforeprint', () => { window.printed = [...document.querySelectorAll("
                 "'.rule:not([hidden])')].filter(r => ('a' in r.dataset || 'x' in r.dataset) && !r.open).length; })")
        opened = self.count("details[open]")
        pdf = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
        assert self.run("window.printed") == 0, "what needs attention is closed on paper"
        assert self.count("details[open]") == opened, "what was closed is open after printing"
        (directory / f"{self.path.stem}.pdf").write_bytes(base64.b64decode(pdf["data"]))
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.run("window.scrollTo(0, 0)")
        self.shot(directory, "print")
        hidden = self.run("getComputedStyle(document.getElementById('filters')).display")
        assert hidden == "none", "filters are printed"
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    def quiet(self):
        """Nothing was said on the console, nothing was asked for but the page."""
        said = self.driver.get_log("browser")
        assert not said, said
        asked = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(message["params"]["request"]["url"].split("#")[0])
        assert asked <= {self.path.as_uri(), "about:blank", "data:,"}, asked


def fits(page):
    """Nothing makes the page itself wider than the window."""
    wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} pixels wider than the window"


def rules(page, shots):
    page.shot(shots, "light")
    total = page.count(".rule")
    assert total > 3, total
    failing = page.count(".rule[data-r=fail]")
    page.find("button[data-show=fail]").click()
    assert page.count(".rule") == failing, "the tile filters"
    assert page.find("#count").text == f"{failing} of {total} rules", page.find("#count").text
    assert page.find("button[data-show=fail]").get_attribute("aria-pressed") == "true"
    page.keys(Keys.ESCAPE)
    assert page.count(".rule") == total, "Escape shows all"

    for field, attribute in [("severity", "s"), ("section", "c"), ("result", "r")]:
        value = page.run("document.getElementById(arguments[0]).options[arguments[0] == 'result' ? 2 : 1].value", field)
        page.choose(field, value)
        expected = page.run("document.querySelectorAll(`.rule[data-${arguments[0]}='${arguments[1]}']`).length", attribute, value)
        assert page.count(".rule") == expected > 0, (field, value)
        page.choose(field, "")
    page.choose("result", "attention")
    assert page.count(".rule") == page.run("document.querySelectorAll('.rule[data-a]').length") > 0
    page.choose("result", "")
    page.find("#excepted").click()
    excepted = page.run("document.querySelectorAll('.rule[data-x]').length")
    assert page.count(".rule") == excepted > 0, "exceptions filter"
    page.find("#excepted").click()

    # The keyboard alone: search, next, open.
    page.run("document.activeElement.blur()")
    page.keys("/")
    page.keys("SSHD permitroot")
    assert 0 < page.count(".rule") < total, "search looks into evidence"
    page.keys(Keys.ESCAPE)
    page.keys("j", "j", "k")
    focused = page.run("document.activeElement.closest('.rule').id")
    assert focused == page.run("document.querySelector('.rule').id"), focused
    page.keys("j", Keys.ENTER)
    assert page.run("document.activeElement.closest('.rule').open"), "Enter opens"
    page.keys("/", "no rule is called this")
    assert page.visible("#none"), "nothing found is said"
    page.find("#reset").click()

    # A link to a rule that a filter hides.
    page.choose("result", "pass")
    link = page.find(".first a")
    target = link.get_attribute("href").split("#")[1]
    link.click()
    assert page.run("document.getElementById(arguments[0]).open && !document.getElementById(arguments[0]).hidden", target)
    page.keys(Keys.ESCAPE)
    page.run("document.getElementById('rules').scrollIntoView()")
    page.dark()
    background = page.run("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(15, 20, 25)", background
    page.shot(shots, "dark")
    page.printed(shots)
    page.driver.set_window_size(420, 900)
    page.run("window.scrollTo(0, 0)")
    fits(page)
    page.shot(shots, "phone")


def fleet(page, shots):
    page.shot(shots, "light")
    total = page.count(".machine")
    page.find("button[data-show=deviating]").click()
    assert page.count(".machine") == page.run("document.querySelectorAll('.machine[data-w~=deviating]').length")
    page.keys(Keys.ESCAPE)
    page.keys("/")
    page.keys("machine-017")
    assert page.count(".machine") == 1, page.count(".machine")
    page.keys(Keys.ESCAPE)
    assert page.count(".machine") == total
    bad = [int(own) for own in page.run("[...document.querySelectorAll('.machine')].map(m => m.cells[5].textContent)")]
    page.keys("j", Keys.ENTER)
    below = page.visible(".below li")
    assert len(below) >= bad[0] > 0, (len(below), bad[0])
    page.shot(shots, "machine")
    law = page.find(".law .more")
    law.click()
    failing = sum(int(page.find(f".law td:nth-child({n})").text) for n in (4, 5))
    told = page.run("document.querySelector('.law + .below').querySelectorAll('li').length")
    assert told == min(failing, 301), (told, failing)
    page.find("#matrix > summary").click()
    page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    cells = page.run("document.querySelectorAll('.matrix td').length")
    assert cells >= total, cells
    page.run("document.getElementById('matrix').scrollIntoView()")
    page.dark()
    page.shot(shots, "matrix")
    page.printed(shots)
    page.driver.set_window_size(420, 900)
    page.run("window.scrollTo(0, 0)")
    fits(page)


def diffs(page, shots):
    """What would be, or was, changed in files is shown where it belongs, line by line, and closed until somebody asks."""
    assert page.run("window.ran === undefined")
    told = page.run("[...document.querySelectorAll('.rule')].filter(r => r.querySelector('pre.diff')).map(r => r.id)")
    assert told, "no rule has a diff"
    assert not page.visible("pre.diff"), "diffs are open"
    rule = page.driver.find_element(By.ID, told[0])
    rule.find_element(By.TAG_NAME, "summary").click()
    page.run("document.getElementById(arguments[0]).scrollIntoView()", told[0])
    shown = page.visible("pre.diff")
    assert shown and shown[0].text.startswith(("---", "+++")), [own.text[:80] for own in shown]
    added = [own.text for own in rule.find_elements(By.CSS_SELECTOR, "pre.diff ins")]
    assert added and all(own.startswith("+") for own in added), added
    colours = page.run("['ins', 'del'].map(tag => getComputedStyle(document.querySelector(`pre.diff ${tag}`)).color)")
    assert colours[0] != colours[1], colours
    page.shot(shots, "diff")
    page.driver.set_window_size(420, 900)
    fits(page)


def hostile(page, shots):
    """Nothing that a machine says has run or is markup."""
    page.shot(shots, "light")
    assert page.run("window.ran === undefined")
    assert page.run("document.querySelectorAll('script, img, iframe, object, link').length") == 1
    assert page.run("document.querySelectorAll('[onclick], [onerror], [onload], [style]').length") == 0
    page.keys("/", "<script>")
    assert page.count(".rule, .machine") > 0, "hostile text is found as text"
    page.keys(Keys.ESCAPE)
    fits(page)


def main():
    shots = pathlib.Path(sys.argv[1])
    driver = browser()
    try:
        for argument in sys.argv[2:]:
            kind, path = argument.split("=", 1)
            page = Page(driver, pathlib.Path(path).resolve())
            {"rules": rules, "fleet": fleet, "diffs": diffs, "hostile": hostile}[kind](page, shots)
            page.quiet()
            print(f"{kind}: {path}: ok")
    finally:
        driver.quit()


main()
