// The review page: plays line after line, filters them, and gathers those to be spoken again.
"use strict";

const { summary, note, lines } = JSON.parse(document.getElementById("data").textContent);
const SHOWN = 3; // emotions of a line
const PAUSE = 400; // ms between two lines that are played one after the other
const STORED = "voice-actor retake ";

const $ = (id) => document.getElementById(id);
const audio = $("audio");
const rows = lines.map(() => make("li")); // of each line; empty until it comes near to sight
const retakes = new Map(); // number of a flagged line -> note
const notes = new Map(); // also of lines that are no longer flagged: a slip of the finger loses none
let shown = lines.map((_, number) => number); // numbers of the lines that pass the filters
let current = 0;
let onward = false;
let pause = null;
let keeps = true; // whether flags are there after a reload

// Text of scripts and recognisers goes into the page as text only.
function make(tag, name, ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content);
  return made;
}

const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const clock = (seconds) => {
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)} h` : `${minutes}:${two(whole % 60)} min`;
};
const say = (words) => { $("status").textContent = words; };

// What the recogniser wrote against what was to be said: the words that both have, in order, by
// the longest common subsequence.
const plain = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
function compared(said, written) {
  const a = said.split(/\s+/).filter(plain);
  const b = written.split(/\s+/).filter(plain);
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i][j] = plain(a[i]) === plain(b[j])
        ? common[i + 1][j + 1] + 1
        : Math.max(common[i + 1][j], common[i][j + 1]);
  const parts = []; // [tag, words]
  const add = (tag, word) => {
    const last = parts.at(-1);
    if (last?.[0] === tag) last[1].push(word);
    else parts.push([tag, [word]]);
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && plain(a[i]) === plain(b[j])) { add("span", b[j++]); i++; }
    else if (i < a.length && (j === b.length || common[i + 1][j] >= common[i][j + 1])) add("del", a[i++]);
    else add("ins", b[j++]);
  }
  return parts.flatMap(([tag, words]) => [make(tag, "", words.join(" ")), " "]);
}

function felt(title, name, emotions) {
  const part = make("div", name, make("p", "which", title));
  const list = make("ul");
  for (const [emotion, share] of emotions.slice(0, SHOWN)) {
    const bar = make("i");
    bar.style.setProperty("--share", `${100 * share}%`);
    const name = emotion.replaceAll("/", "/\u200b"); // where a long name may break
    list.append(make("li", "", `${name} ${share.toFixed(2)}`, bar));
  }
  part.append(emotions.length ? list : make("p", "", "neutral"));
  return part;
}

function fill(number) {
  const row = rows[number];
  if (row.hasChildNodes()) return;
  near.unobserve(row);
  const line = lines[number];
  row.tabIndex = -1;
  const play = make("button", "play");
  play.type = "button";
  play.setAttribute("aria-label", `Play: ${line.character}, ${line.spoken}`);

  const whom = line.to.length ? ` to ${line.to.join(", ")}` : "";
  const head = make("div", "head", make("b", "", `${line.character}${whom}`));
  const facts = [line.id, `${line.duration.toFixed(1)} s`, line.voice, `${line.script}, line ${line.place}`];
  if (line.take) facts.push(`take ${line.take}`);
  head.append(...facts.map((words) => make("span", "", words)));

  const told = make("div", "told", head, make("p", "text", line.text));
  if (line.direction) told.append(make("p", "direction", line.direction));
  if (line.faults.length)
    told.append(make("ul", "faults", ...line.faults.map((fault) => make("li", "", fault))));
  if (line.word_errors)
    told.append(make(
      "p", "transcript",
      `Understood, with ${counted(line.word_errors, "error")} in ${counted(line.words_expected, "word")}: `,
      ...compared(line.spoken, line.transcript),
    ));
  told.append(...line.notes.map((words) => make("p", "notes", words)));

  const emotions = make("div", "felt", felt("Asked", "asked", line.asked));
  if (line.heard) emotions.append(felt("Heard", "heard", line.heard));
  if (line.score !== null) {
    const score = make("b", "", line.score.toFixed(2));
    emotions.append(make("p", "score", "Score ", score, line.reason ? `: ${line.reason}` : ""));
  }

  const flag = make("button", "flag", "Flag for a retake");
  flag.type = "button";
  flag.setAttribute("aria-pressed", "false");
  row.append(play, told, emotions, make("div", "retake", flag));

  // After a click, keys mean the line, not the button.
  const toRow = (event) => { if (event.detail) row.focus({ preventScroll: true }); };
  play.addEventListener("click", (event) => {
    toRow(event);
    if (number === current && !audio.paused) audio.pause();
    else start(number);
  });
  flag.addEventListener("click", (event) => {
    toRow(event);
    choose(number, false);
    setFlag(number, !retakes.has(number));
  });
  row.addEventListener("click", (event) => { if (!event.target.closest("button, input")) choose(number, false); });
  drawFlag(number);
}

const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) fill(Number(target.value) - 1);
}, { rootMargin: "1500px" });

// Flags

const place = (number) => `${STORED}${lines[number].hash} ${lines[number].id}`;

// Kept by the line's hash: a page made anew still knows the flags of all lines that stayed.
function keep(number) {
  if (!keeps) return;
  try {
    if (retakes.has(number)) localStorage.setItem(place(number), retakes.get(number));
    else localStorage.removeItem(place(number));
  } catch {
    lose();
  }
}

function lose() {
  keeps = false;
  say("This browser keeps no flags for this page: save the retake list before you close it.");
}

function setFlag(number, on, words = notes.get(number) ?? "") {
  if (on) {
    retakes.set(number, words);
    notes.set(number, words);
  } else retakes.delete(number);
  keep(number);
  drawFlag(number);
  count();
}

function drawFlag(number) {
  const part = rows[number].querySelector(".retake");
  const on = retakes.has(number);
  part.querySelector(".flag").setAttribute("aria-pressed", on);
  part.querySelector(".note")?.remove();
  if (!on) return;
  const field = make("input");
  field.value = retakes.get(number);
  field.placeholder = "What should be different?";
  field.setAttribute("aria-label", `Note for the retake of ${lines[number].id}`);
  field.addEventListener("focus", () => choose(number, false));
  field.addEventListener("input", () => {
    retakes.set(number, field.value);
    notes.set(number, field.value);
    keep(number);
  });
  part.append(make("span", "note", field));
}

function writeNote(number) {
  if (!retakes.has(number)) setFlag(number, true);
  rows[number].querySelector(".note input").focus();
}

function count() {
  for (const input of document.querySelectorAll("#filters input[type=radio]")) {
    const passing = lines.filter((_, number) => passes(input.value, number));
    input.nextElementSibling.textContent = passing.length;
  }
  $("download").disabled = $("copy").disabled = !retakes.size;
}

function list() {
  const flagged = [...retakes.keys()].sort((one, other) => one - other);
  const told = flagged.map((number) => ({
    id: lines[number].id,
    note: retakes.get(number).trim(),
    hash: lines[number].hash,
  }));
  return `${JSON.stringify({ format: 1, retakes: told }, null, 1)}\n`;
}

// Filters

function passes(which, number) {
  return which === "all" || (which === "hear" ? lines[number].faults.length > 0 : retakes.has(number));
}

const searched = lines.map((line) =>
  [line.id, line.character, line.text, line.spoken, line.direction, line.transcript ?? "", ...line.faults]
    .join("\n").toLowerCase(),
);

function filter(event) {
  const which = document.querySelector("#filters :checked[type=radio]").value;
  const character = $("character").value;
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = [...lines.keys()].filter((number) =>
    passes(which, number) &&
    (!character || lines[number].character === character) &&
    words.every((word) => searched[number].includes(word)),
  );
  const pass = new Set(shown);
  rows.forEach((row, number) => { row.hidden = !pass.has(number); });
  say(shown.length === lines.length ? "" : shown.length ? `${counted(shown.length, "line")} shown.` : "No line is shown; choose fewer filters.");
  if (shown.length && !pass.has(current)) choose(shown.find((number) => number > current) ?? shown[0], false);
  // Back among all lines, one is where one was; but nothing moves under whoever is typing.
  if (shown.length && event.target.id !== "search") rows[current].scrollIntoView({ block: "nearest" });
}

// Playing

function choose(number, focus = true) {
  rows[current].classList.remove("current");
  rows[current].removeAttribute("aria-current");
  if (number !== current) stop();
  current = number;
  fill(current);
  const row = rows[current];
  row.classList.add("current");
  row.setAttribute("aria-current", "true");
  $("now").textContent = `${lines[current].character}: ${lines[current].spoken}`;
  load();
  if (!focus) return;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function load() {
  const address = lines[current].file.split("/").map(encodeURIComponent).join("/");
  if (audio.getAttribute("src") !== address) audio.src = address;
}

function stop() {
  clearTimeout(pause);
  pause = null;
  audio.pause();
}

function start(number, focus = false) {
  choose(number, focus);
  clearTimeout(pause);
  pause = null;
  // Fails where the next line was chosen meanwhile; a file that cannot be played is an "error".
  audio.play().catch(() => {});
}

const isPlaying = () => !audio.paused || pause !== null;

function move(step) {
  const at = shown.indexOf(current);
  const next = shown[at + step];
  if (next === undefined) return false;
  if (isPlaying()) start(next, true);
  else choose(next);
  return true;
}

function setOnward(on) {
  onward = on;
  $("onward").setAttribute("aria-pressed", on);
  if (on && !isPlaying() && shown.length) start(current, true);
}

function toggle() {
  if (!shown.length) return;
  if (isPlaying()) stop();
  else start(current);
}

audio.addEventListener("ended", () => {
  if (!onward) return;
  const at = shown.indexOf(current);
  if (at + 1 === shown.length) setOnward(false);
  else pause = setTimeout(() => start(shown[at + 1], !isTyping(document.activeElement)), PAUSE);
});
audio.addEventListener("error", () => {
  if (!audio.getAttribute("src")) return;
  setOnward(false);
  say(`${lines[current].file} cannot be played. Does it lie beside this page, and does this browser know its format?`);
});
for (const event of ["play", "pause", "ended"])
  audio.addEventListener(event, () => {
    document.querySelector(".playing")?.classList.remove("playing");
    if (!audio.paused) rows[current].classList.add("playing");
  });

// Keys

const isTyping = (target) => target.matches?.("input, select, textarea");

const keys = {
  " ": toggle,
  n: () => move(1),
  ArrowDown: () => move(1),
  p: () => move(-1),
  ArrowUp: () => move(-1),
  a: () => setOnward(!onward),
  f: () => shown.length && setFlag(current, !retakes.has(current)),
  Enter: () => shown.length && writeNote(current),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const { target, key } = event;
  const leaves = key === "Escape" || (key === "Enter" && target.closest?.(".note, #filters"));
  if (isTyping(target) && leaves) {
    event.preventDefault();
    if (shown.length) choose(current);
  }
  const itsOwn = (key === " " || key === "Enter") && target.closest?.("button");
  const ofPlayer = target === audio && [" ", "Enter", "ArrowUp", "ArrowDown"].includes(key);
  const act = keys[key.length === 1 ? key.toLowerCase() : key];
  if (!act || isTyping(target) || itsOwn || ofPlayer) return;
  event.preventDefault();
  act();
});

// The page

$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("input", filter);
$("onward").addEventListener("click", (event) => {
  setOnward(!onward);
  if (event.detail && lines.length) rows[current].focus({ preventScroll: true });
});
$("download").addEventListener("click", () => {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([list()], { type: "application/json" }));
  link.download = "retakes.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`retakes.json holds ${counted(retakes.size, "line")}; give it to voice-actor cast with --retake.`);
});
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(list());
  } catch {
    const field = make("textarea");
    field.value = list();
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(`Copied the list of ${counted(retakes.size, "line")}.`);
});

function open() {
  const told = [
    counted(summary.lines, "line"),
    clock(summary.seconds),
    counted(Object.keys(summary.characters).length, "character"),
    summary.word_error_rate === null ? "not checked by a recogniser" : `mean word error rate ${percent(summary.word_error_rate)}`,
    summary.faults ? `${counted(summary.faults, "line")} to be heard` : "nothing stands out",
  ];
  $("summary").textContent = told.join(" · ");
  for (const [character, count] of Object.entries(summary.characters)) {
    const option = make("option", "", `${character} (${count})`);
    option.value = character;
    $("character").append(option);
  }
  rows.forEach((row, number) => {
    row.value = number + 1;
    near.observe(row);
  });
  $("lines").append(...rows);
  const judges = [...new Set(lines.map((line) => line.heard_by).filter(Boolean))];
  const about = judges.length ? `Heard by ${judges.join(" and ")}. ${note}` : note;
  document.querySelector("main").append(make("p", "", about));
  document.querySelector("main > p").id = "about";
  try {
    lines.forEach((_, number) => {
      const words = localStorage.getItem(place(number));
      if (words === null) return;
      retakes.set(number, words);
      notes.set(number, words);
    });
  } catch {
    lose();
  }
  count();
  if (lines.length) choose(0, false);
}

open();
