"""Make README's picture anew: the top of a sweep's page, light and dark.

Argument: the address of the page, of a race of the shipped configs:
`rlsweep race 'config/agents/ppo_agent_sweep_*.yaml' --with-base --total-timesteps 20480 --name calibration`, then
`rlsweep serve`, and `.venv/bin/python tests/browser/picture.py http://localhost:5173/training/sweeps/calibration`.
"""

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parents[2] / ".github"
CHROMIUM = "/usr/bin/chromium"
SCHEMES = {"light": "training-history.png", "dark": "training-history-dark.png"}


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme, name in SCHEMES.items():
            page = browser.new_page(
                viewport={"width": 1180, "height": 1410}, device_scale_factor=1.5, color_scheme=scheme
            )
            page.goto(sys.argv[1])
            page.wait_for_load_state("networkidle")
            page.wait_for_selector("#importance:visible")
            page.screenshot(path=FOLDER / name)
            picture = Image.open(FOLDER / name).convert("RGB")
            picture.quantize(256, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)
        browser.close()


main()
