"""What axe-core finds on a page in a browser."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""axe's rules that read colours: nothing else of a page differs between the themes."""


def serious_faults(page: Page, where: str = "html") -> list[str]:
    """Serious faults below a CSS selector: by every rule in the light theme, by those of colours in the dark one."""
    faults = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        options = {"resultTypes": ["violations"]} | ({"runOnly": OF_COLOURS} if theme == "dark" else {})
        found = Axe().run(page, context=where, options=options).response["violations"]
        faults += [
            f"in {theme}: {fault['id']}: {node['html'][:160]} {node['failureSummary']}"
            for fault in found
            if fault["impact"] in SERIOUS
            for node in fault["nodes"][:3]
        ]
    return faults
