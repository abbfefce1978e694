"""The studio's waiting times: from opening the page, and from moving a slider to new audio.

    python benchmarks/studio.py               # about three minutes on two cores

    python benchmarks/studio.py --pictures docs    # the README's pictures of it

A slider's new audio is compared with the same line by `voice-actor speak`, as a person would run
it, and by `VoiceActor.perform` alone in the studio's own process, in turns in the same run. Needs
the extra `studio`, playwright and Debian's chromium.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LINE = "You came back. I waited all night!"
DIRECTION = "relieved, still a little angry"
VOICE = "am_michael"
# Resolves when the first take on the page has another sound than before, and it can be played.
NEW_AUDIO = """(before) => new Promise(resolve => {
  const look = () => {
    const audio = document.querySelector('.va-take-table audio');
    if (audio && audio.src && audio.src !== before && audio.readyState >= 2) resolve(audio.src);
    else setTimeout(look, 20);
  };
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    options = parser.parse_args()

    from playwright.sync_api import sync_playwright

    from demos.studio import serve, studio
    from voice_actor import VoiceActor

    actor = VoiceActor.load()
    page = studio(actor)
    page.room.estimator(page.room.estimator_name)
    address = serve(page)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        if options.pictures:
            draw(chromium, address, options.pictures)
        else:
            measure(chromium, address, actor, options.rounds)
        chromium.close()
    page.close(verbose=False)
    page.room.close()


def measure(chromium, address: str, actor, rounds: int) -> None:
    opened = [first_page(chromium, address) for _ in range(rounds)]
    print(
        f"first page, fresh profile, {rounds} times: {statistics.median(opened):.2f} s, "
        f"at most {max(opened):.2f} s"
    )
    page = directed(chromium, address)
    before = page.evaluate(NEW_AUDIO, "")
    settle(page)
    spent: dict[str, list[float]] = {"slider": [], "command line": [], "perform": []}
    for number in range(rounds):
        key = "ArrowLeft" if number % 2 else "ArrowRight"
        begun = time.perf_counter()
        page.get_by_role("slider", name="Intensity").press(key)
        before = page.evaluate(NEW_AUDIO, before)
        spent["slider"].append(time.perf_counter() - begun)
        settle(page)

        begun = time.perf_counter()
        speak()
        spent["command line"].append(time.perf_counter() - begun)

        begun = time.perf_counter()
        actor.perform(LINE, DIRECTION, VOICE)
        spent["perform"].append(time.perf_counter() - begun)
    for name, times in spent.items():
        print(f"{name:12} {statistics.median(times):6.2f} s, at most {max(times):.2f} s")
    for name in ("command line", "perform"):
        pairs = zip(spent["slider"], spent[name], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        print(f"slider to audio over {name}: {ratio:.2f}")


def first_page(chromium, address: str) -> float:
    """Seconds until a visitor in a fresh profile can write a line and press Speak."""
    context = chromium.new_context()
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address)
    page.get_by_role("button", name="Speak", exact=True).first.wait_for()
    page.get_by_role("textbox", name="Line").first.wait_for()
    spent = time.perf_counter() - begun
    context.close()
    return spent


def directed(chromium, address: str):
    """A page on which the line has been spoken once."""
    page = chromium.new_context().new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_role("textbox", name="Line").first.fill(LINE)
    page.get_by_role("textbox", name="Direction").first.fill(DIRECTION)
    voice = page.get_by_role("listbox", name="Voice").or_(
        page.get_by_role("combobox", name="Voice")
    )
    voice.first.fill(VOICE)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Speak", exact=True).first.click()
    return page


def settle(page) -> None:
    """Waits until what was spoken has been listened to, which the time to the audio leaves out."""
    page.get_by_text("Listening to").wait_for(state="hidden")
    page.wait_for_timeout(500)


def speak() -> None:
    with tempfile.TemporaryDirectory() as folder:
        words = ["speak", LINE, "-d", DIRECTION, "-v", VOICE, "-o", str(Path(folder) / "line.wav")]
        subprocess.run(
            [sys.executable, "-m", "voice_actor.cli", *words], check=True, capture_output=True
        )


def draw(chromium, address: str, folder: Path) -> None:
    """Two takes in Act as a desktop shows them, and a scene as a phone does, at night."""
    page = chromium.new_page(viewport={"width": 1280, "height": 960})
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_role("textbox", name="Line").first.fill(
        "Get out of my house! And do not come back."
    )
    page.get_by_role("textbox", name="Direction").first.fill("a furious old king")
    page.get_by_role("spinbutton", name="Takes").fill("2")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Speak", exact=True).first.click()
    page.locator(".va-card-best:visible").wait_for()
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    page.wait_for_timeout(3000)
    page.screenshot(path=folder / "studio.png")

    phone = chromium.new_page(viewport={"width": 390, "height": 953})
    phone.set_default_timeout(120_000)
    phone.goto(f"{address}?__theme=dark")
    phone.get_by_role("tab", name="Scene").click()
    phone.get_by_role("button", name="Try the example").click()
    phone.get_by_role("button", name="Speak all").click()
    phone.get_by_text("8 lines: 8 spoken.").wait_for()
    phone.get_by_role("heading", name="Lines").scroll_into_view_if_needed()
    phone.evaluate("[...document.querySelectorAll('h3')].at(-1).scrollIntoView()")
    phone.wait_for_timeout(1000)
    phone.screenshot(path=folder / "studio-phone.png")


if __name__ == "__main__":
    main()
