"""Unreal's tables of dialogue (.csv) -> the lines to speak.

What is read: the export of a DataTable, whose first column is the row's name; a string table
(`Key`, `SourceString`); and the script that the editor exports for actors (`SpeakingVoice`,
`SpokenDialogue`, `VoiceActorDirection`, `AudioFileName`, ...). Columns are found by their names in
any case, see `COLUMNS`; others are passed over, and so are rows without a text. Where no column
names a speaker, the narrator says all.

    ===========================================  ================================================
    Hello, NSLOCTEXT("ns", "key", "Hello"),      the text, also as INVTEXT and LOCTEXT
    ("One.", "Two.")                             several lines; the second has the id with "_2"
    {Gold}, {0}                                  a variable; `{ is the character itself
    {Count}|plural(one=day,other=days)           every form is a line of its own
    <b>word</>                                   markup of the game's
    Audio/VO_001.wav, SoundWave'/Game/VO.VO'     the name of the file or asset, without the path,
                                                 is the line's id; without one the row's name is
    ===========================================  ================================================
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from conditioning.emotion import quoted
from voice_actor.scripts import NEEDED, Problem, Row, role_of, table_rows

from .spoken import Either, Piece, Rules, Variable, angled, said

# What each column may be called, the plainest first; letters and digits alone count.
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": (
            *("audiofilename", "audiofile", "audio", "soundwave", "soundref", "soundcue", "sound"),
            *("dialoguewave", "voiceover", "voiceline", "voice", "vo", "wave"),
        ),
        "row": ("rowname", "name", "key", "id", "lineid", "dialogueid"),
        "character": (
            *("speaker", "speakername", "speakingvoice", "character", "charactername", "npc"),
            *("npcname", "actor", "actorname", "who", "name"),
        ),
        "text": (
            *("spokendialogue", "spokentext", "text", "sourcestring", "dialoguetext", "dialogtext"),
            *("dialogueline", "dialogline", "dialogue", "dialog", "line", "lines", "subtitle"),
        ),
        "direction": (
            *("voiceactordirection", "direction", "emotion", "delivery", "mood", "expression"),
        ),
        "to": ("targetvoices", "target", "listener", "to"),
    }
)


# Of these the plain table of scripts knows nothing.
_OWN = {"rowname", "audiofilename", "sourcestring", "spokendialogue", "speakingvoice"}


def recognised(text: str) -> bool:
    """Whether a table is one of Unreal's, by its header or by how its texts are written.

    So is one that has a text but lacks what a plain table needs, under the names that it needs.
    """
    header = next((row[1] for row in _rows(text) if not isinstance(row, Problem)), [""])
    if header[0] == "---" or _OWN.intersection(_plain(header)) or _MACRO.search(text):
        return True
    found, plain = _columns(header), {role_of(cell) for cell in header}
    # The plain table reads it, or says best what is missing.
    if "text" not in found or plain.issuperset(NEEDED):
        return False
    return not header[0] or "character" in found or "text" not in plain


def read(text: str, rules: Rules) -> Iterator[Row | Problem]:
    """The lines of a table, and every problem.

    >>> table = '---,Speaker,Text\\nada_1,Ada,"INVTEXT(""Hello, {0}."")"\\n'
    >>> [tuple(row)[1:] for row in read(table, Rules({"0": "Bran"}))]
    [('Ada', 'Hello, Bran.', '', (), 'ada_1')]
    """
    columns: dict[str, int] = {}
    width = 0
    for row in _rows(text):
        if isinstance(row, Problem):
            yield row
            return
        place, cells = row
        if not width:
            columns, width = _columns(cells), len(cells)
            if "text" not in columns:
                known = ", ".join(COLUMNS["text"])
                yield Problem(place, f"no column of it is the text; allowed: {known}")
                return
        elif any(cells[width:]):
            yield Problem(
                place,
                f"it has {len(cells)} cells under {width} columns; put a text that holds a comma "
                "into quotation marks",
            )
        else:
            found = {
                role: cells[at] for role, at in columns.items() if at < len(cells) and cells[at]
            }
            yield from _line(place, found, rules)


def _rows(text: str) -> Iterator[tuple[int, list[str]] | Problem]:
    """Number of the line and cells of each row that is not empty; "None" is an empty cell."""
    for row in table_rows(text):
        if isinstance(row, Problem):
            yield row
            return
        place, cells = row
        cells = ["" if cell.strip() == "None" else cell.strip() for cell in cells]
        if any(cells):
            yield place, cells


def _plain(header: Sequence[str]) -> list[str]:
    return ["".join(filter(str.isalnum, name)).casefold() for name in header]


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Role -> index of its column; the first column is the row's name if it can be."""
    plain, columns = _plain(header), {}
    if plain[0] in ("", *COLUMNS["row"]):
        columns["row"], plain[0] = 0, ""
    for role, names in COLUMNS.items():
        at = next((plain.index(name) for name in names if name in plain), None)
        if at is not None and role not in columns:
            columns[role], plain[at] = at, ""
    return columns


def _line(place: int, found: Mapping[str, str], rules: Rules) -> Iterator[Row | Problem]:
    """The rows of one row of the table."""
    cell = found.get("text", "")
    if _TABLE.match(cell) or _STRUCTURE.match(cell):
        yield Problem(
            place,
            f"its text is {quoted(cell, 40)}, which stands elsewhere or among other values; export "
            "a table that has the text in a column of its own",
        )
        return
    who = _name(" ".join(_texts(found.get("character", ""))))
    id = _name(_FILE.sub("", found["id"])) if "id" in found else found.get("row", "")
    direction = " ".join(_texts(found.get("direction", ""))).rpartition("::")[2].strip("(). ")
    to = tuple(_name(name) for name in _texts(found.get("to", ""), separated=True))
    for number, text in enumerate(_texts(cell), 1):
        own = f"{id}_{number}" if id and number > 1 else id
        for row in said(place, who, _pieces(text), rules, id=own):
            if isinstance(row, Row):
                told = ", ".join(filter(None, (direction, row.direction)))
                row = row._replace(direction=told, to=to)
            yield row


_FILE = re.compile(r".*[/\\](?=[^/\\']+$)|\.(?:wav|ogg|mp3|flac|opus|wem)$", re.IGNORECASE)
# Type'/Game/Folder/Name.Name', and what stands for a tag or for a row of another table.
_REFERENCE = re.compile(
    r"""(?:[\w./]*')?/(?:[^/']+/)*(?P<asset>[^/.']+)(?:\.[^/']*)?'?
      | \(.*?\b(?:TagName|RowName)="(?:[^"]*\.)?(?P<tag>[^".]+)".*\)""",
    re.VERBOSE,
)


def _name(cell: str) -> str:
    """The name within a reference to an asset; other cells are names already."""
    found = _REFERENCE.fullmatch(cell)
    return (found["asset"] or found["tag"]) if found else cell


_TABLE = re.compile(r"LOCTABLE\s*\(")
_STRUCTURE = re.compile(r"\(+\s*\w+\s*=.*\)$", re.DOTALL)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MACRO = re.compile(r"\b(?:NSLOC|LOC|INV)TEXT\s*\(")
_TEXT = rf"(?:(?:NSLOC|LOC|INV)TEXT\s*\(\s*(?:{_QUOTED}\s*,\s*){{0,2}}{_QUOTED}\s*\))"
_LIST = re.compile(rf"\(\s*(?:(?:{_TEXT}|{_QUOTED})\s*(?:,\s*|(?=\))))*\)", re.DOTALL)
_ITEM = re.compile(rf"{_TEXT}|{_QUOTED}", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([nrt])|u([0-9a-fA-F]{4})|([\"'\\]))")


def _texts(cell: str, separated: bool = False) -> list[str]:
    """What a cell says: a text or a list of them, in whichever of Unreal's forms."""
    if _LIST.fullmatch(cell):
        items = _ITEM.findall(cell)
    elif re.fullmatch(_TEXT, cell, re.DOTALL):
        items = [cell]
    else:
        plain = re.split(r"\s*[,;]\s*", cell) if separated else [cell]
        return [_unescaped(text) for text in plain if text]
    return [_unescaped(re.findall(_QUOTED, item, re.DOTALL)[-1][1:-1]) for item in items]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(
        lambda found: found[3] or (chr(int(found[2], 16)) if found[2] else "\n"), text
    )


_ARGUMENT = re.compile(
    r"""`(?P<escaped>[`{}|]) | \{(?P<name>[^{}]*)\}
        (?:\|(?P<kind>plural|ordinal|gender|hpp)\((?P<forms>(?:[^()"]|"[^"]*")*)\))?""",
    re.VERBOSE,
)
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')  # not in quotes
_ENTITY = re.compile(r"&(lt|gt|amp|quot|apos);")


def _pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text with arguments and markup."""
    end = 0
    for found in _ARGUMENT.finditer(text):
        yield from _marked(text[end : found.start()])
        end = found.end()
        if found["escaped"]:
            yield found["escaped"]
        elif found["kind"]:
            forms = (form.strip() for form in _COMMA.split(found["forms"]))
            if found["kind"] in ("plural", "ordinal"):
                forms = (form.partition("=")[2].strip() for form in forms)
            yield Either(tuple(tuple(_pieces(form.strip('"'))) for form in forms))
        else:
            yield Variable(found["name"].strip())
    yield from _marked(text[end:])


def _marked(text: str) -> Iterator[Piece]:
    for piece in angled([text]):
        if isinstance(piece, str):
            piece = _ENTITY.sub(lambda found: html.unescape(found[0]), piece)
        yield piece
