"""The studio's own controls: sliders of all emotions, and a pad of valence and arousal."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from conditioning.emotion import EmotionVector, quoted
from conditioning.errors import InvalidInput
from conditioning.lexicon import LEXICON
from conditioning.place import OUTLINE, REACHED, place_of
from conditioning.taxonomy import CATEGORIES, FAMILIES, Category

from . import static

AXES = "valence", "arousal"

# Where the pad writes a name beside its place, so that none lies on another; and what it writes,
# where the whole name is long.
_SIDES = {
    "Anger": "right",
    "Astonishment/Surprise": "right",
    "Contentment": "left",
    "Disgust": "right",
    "Emotional Numbness": "under",
    "Sadness": "under",
}
_SHORT = {"Astonishment/Surprise": "Surprise", "Emotional Numbness": "Numbness"}


def emotion_panel(value: Mapping[str, Any] | None = None, label: str = "Emotions") -> gr.HTML:
    """Sliders: the strongest emotions on top, all 40 by family below, with a search.

    The value is `shown(vector)`, {"emotions": {canonical name: intensity}, "touched": bool};
    "touched" tells that the user moved a slider since the value was set. The event `input` comes
    when a slider is let go of. What comes from a page is to be `checked`.
    """
    return own_control("emotions", _panel(), value or shown(EmotionVector()), label)


def mood_pad(value: Mapping[str, Any] | None = None, label: str = "Mood") -> gr.HTML:
    """A square of valence (across) and arousal (up) with a dot to move.

    The value is {"valence": float, "arousal": float, "heard": [[label, valence, arousal], ...]},
    all in [-1, 1]; "heard" are further dots that stay. The event `input` comes when the dot is let
    go of; `place` reads where.
    """
    return own_control("pad", _pad(), value or {"valence": 0.0, "arousal": 0.0, "heard": []}, label)


def own_control(script: str, template: str, value: Any, label: str) -> gr.HTML:
    """A control of ours: a template that does not mention the value, and a script that shows it.

    Not a class of its own, since Gradio writes a file beside the source of each of those.

    Args:
        script: name of a file in `static`, without its suffix.
    """
    return gr.HTML(
        value,
        label=label,
        html_template=template,
        js_on_load=static.read(f"{script}.js"),
        apply_default_css=False,
    )


def shown(vector: EmotionVector, touched: bool = False) -> dict[str, Any]:
    """The value with which an `emotion_panel` shows a vector."""
    return {"emotions": vector.to_json(), "touched": touched}


def asked(value: Any) -> EmotionVector:
    """The vector that an `emotion_panel` holds; neutral before anything was set.

    Raises:
        UnknownName, InvalidInput: for what is no value of a panel.
    """
    if value is None:
        return EmotionVector()
    if not isinstance(value, Mapping) or not isinstance(value.get("touched", False), bool):
        raise InvalidInput(
            f"The emotions came as {quoted(str(value))}; allowed: 'emotions' with 0 to 1 for each "
            "name, and 'touched', true or false."
        )
    try:
        return EmotionVector(value.get("emotions"))
    except OverflowError:
        raise InvalidInput(
            "The intensity of an emotion is no number that can be used; allowed: 0 to 1."
        ) from None


def checked(value: Any) -> dict[str, Any]:
    """The value of an `emotion_panel` as it came from a page, if it is one.

    Raises:
        UnknownName, InvalidInput: for what is none.
    """
    return shown(asked(value), value is not None and value.get("touched", False))


def place(value: Any) -> tuple[float, float]:
    """Valence and arousal, where the dot of a `mood_pad` is; the middle before anything was set.

    Raises:
        InvalidInput: for what is no value of a pad.
    """
    if not isinstance(value or {}, Mapping):
        raise InvalidInput(
            f"The mood came as {quoted(str(value))}; allowed: 'valence' and 'arousal'."
        )
    valence, arousal = (_coordinate(axis, (value or {}).get(axis, 0.0)) for axis in AXES)
    return valence, arousal


def _coordinate(axis: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 1:
        raise InvalidInput(f"The {axis} is {quoted(str(value))}; allowed: -1 to 1.")
    return float(value)


def _panel() -> str:
    families = "".join(_family(family) for family in FAMILIES)
    return f"""<div class="va-emotions" role="group" aria-label="Emotions">
<div class="va-control-head"><span>Strongest</span>
<button type="button" class="va-quiet" data-clear>Clear</button></div>
<div class="va-strongest" role="group" aria-label="Strongest"></div>
<p class="va-control-hint" data-more></p>
<details class="va-all"><summary>All {len(CATEGORIES)} emotions</summary>
<label class="va-search"><span>Find an emotion</span>
<input type="search" autocomplete="off" spellcheck="false" placeholder="grief, furious, …"></label>
<p class="va-control-hint" role="status" data-found></p>
<div class="va-families">{families}</div></details></div>"""


def _family(family: str) -> str:
    rows = "".join(_row(category) for category in CATEGORIES if category.family == family)
    return f"<fieldset><legend>{escape(family.capitalize())}</legend>{rows}</fieldset>"


def _row(category: Category) -> str:
    name, words = escape(category.name), escape(", ".join(category.words))
    title = f' title="{words}"' if words else ""
    # A long name breaks at its stroke.
    return (
        f'<label class="va-emotion" data-name="{name}" data-finds="{escape(_finds(category))}"'
        f'{title}><span class="va-emotion-name">{name.replace("/", "/<wbr>")}</span>'
        f'<span class="va-emotion-set"><input type="range" min="0" max="100" step="5" value="0" '
        f'aria-label="{name}"{title}>'
        f'<span class="va-emotion-share" aria-hidden="true"></span></span>'
        f'<span class="va-emotion-words" aria-hidden="true">{words}</span></label>'
    )


def _finds(category: Category) -> str:
    """The words that find a category: its own, its family's, and those of directions."""
    forms = [form for form, meaning in LEXICON.items() if category.name in meaning]
    words = " ".join([category.name, category.family, *category.words, *forms]).lower()
    return " ".join(dict.fromkeys(words.replace("/", " ").replace("-", " ").split()))


def _pad() -> str:
    outline = " ".join(f"{x:g},{-y:g}" for x, y in map(place_of, OUTLINE))
    marks = "".join(
        f'<circle cx="{x:g}" cy="{-y:g}" r="0.014"/>' for x, y in map(place_of, REACHED)
    )
    names = "".join(_name(name) for name in REACHED)
    return f"""<div class="va-pad" role="group" aria-label="Mood">
<div class="va-control-head"><span>Mood</span>
<button type="button" class="va-quiet" data-middle>Back to the middle</button></div>
<div class="va-pad-square">
<svg viewBox="-1 -1 2 2" aria-hidden="true"><polygon points="{outline}"/>
<path d="M-1 0H1M0 -1V1"/>{marks}</svg>
<span class="va-pad-axis" data-at="top" aria-hidden="true">excited</span>
<span class="va-pad-axis" data-at="bottom" aria-hidden="true">calm</span>
<span class="va-pad-axis" data-at="left" aria-hidden="true">unpleasant</span>
<span class="va-pad-axis" data-at="right" aria-hidden="true">pleasant</span>
{names}<div data-heard aria-hidden="true"></div>
<input type="range" min="-1" max="1" step="0.05" value="0" data-axis="valence"
 aria-label="Unpleasant to pleasant"><input type="range" min="-1" max="1" step="0.05" value="0"
 data-axis="arousal" aria-label="Calm to excited">
<span class="va-pad-dot" aria-hidden="true"></span></div>
<div class="va-pad-told" data-told></div>
<p class="va-control-hint">Outside the shaded area, the nearest mood in it is asked for.</p>
<ul class="va-unseen" aria-label="Heard" data-list></ul></div>"""


def _name(name: str) -> str:
    valence, arousal = place_of(name)
    return (
        f'<span class="va-pad-name" data-side="{_SIDES.get(name, "over")}" aria-hidden="true" '
        f'style="left:{50 * (1 + valence):.1f}%;top:{50 * (1 - arousal):.1f}%">'
        f"{escape(_SHORT.get(name, name))}</span>"
    )
