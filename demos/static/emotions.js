// The sliders of all emotions. `props.value` is {emotions: {name: 0..1}, touched}.
const MOST = 6; // strongest emotions on top
const PAUSE = 250; // ms; whoever presses a key again meant to go on

const strongest = element.querySelector(".va-strongest");
const search = element.querySelector("input[type=search]");
const families = [...element.querySelectorAll("fieldset")];
const rows = new Map(
  [...element.querySelectorAll(".va-all .va-emotion")].map((row) => [row.dataset.name, row]),
);
let emotions = {};
let held = null; // the slider under the pointer
let pointed = false; // whether the last move was the pointer's
let pause = null;

const slider = (target) => (target.matches?.("input[type=range]") ? target : null);
const nameOf = (input) => input.closest(".va-emotion").dataset.name;
const rowsOf = (name) =>
  [...strongest.children].filter((row) => row.dataset.name === name).concat(rows.get(name));

function paint(row) {
  const share = Math.round(100 * (emotions[row.dataset.name] ?? 0));
  const input = row.querySelector("input");
  if (input !== held) input.value = share;
  input.style.setProperty("--va-share", `${share}%`);
  input.setAttribute("aria-valuetext", `${share}%`);
  row.querySelector(".va-emotion-share").textContent = `${share}%`;
  row.classList.toggle("va-set", row.dataset.name in emotions);
}

function arrange() {
  const order = [...rows.keys()].filter((name) => name in emotions);
  order.sort((one, other) => emotions[other] - emotions[one]);
  const names = order.slice(0, MOST);
  const inside = strongest.contains(document.activeElement) && nameOf(document.activeElement);
  if (inside && !names.includes(inside)) names.push(inside);
  const before = [...strongest.children].map((row) => row.dataset.name);
  // Nothing moves under the hand of whoever is at one of these sliders.
  const stays = inside && names.length === before.length && names.every((n) => before.includes(n));
  if (!stays) {
    strongest.replaceChildren(
      ...names.map((name) => {
        const row = rows.get(name).cloneNode(true);
        row.hidden = false;
        return row;
      }),
    );
    if (inside) rowsOf(inside)[0].querySelector("input").focus();
  }
  [...strongest.children].forEach(paint);
  const fainter = order.length - MOST;
  element.querySelector("[data-more]").textContent = !order.length
    ? "None: a neutral reading."
    : fainter > 0
      ? `And ${fainter} fainter, in the list below.`
      : "";
}

function draw() {
  if (pause !== null) return; // what the user set is newer
  const given = props.value?.emotions ?? {};
  emotions = {};
  for (const name of rows.keys()) if (given[name] > 0) emotions[name] = Number(given[name]);
  rows.forEach(paint);
  if (!held) arrange();
}

function move(input) {
  const name = nameOf(input);
  if (Number(input.value)) emotions[name] = Number(input.value) / 100;
  else delete emotions[name];
  rowsOf(name).forEach(paint);
}

function tell(wait) {
  const value = { emotions: { ...emotions }, touched: true };
  props.value = value;
  clearTimeout(pause);
  pause = setTimeout(() => {
    pause = null;
    props.value = value; // an answer to an earlier move may have come meanwhile
    trigger("input");
  }, wait);
}

function find() {
  const words = search.value.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  let found = 0;
  rows.forEach((row) => {
    row.hidden = !words.every((word) => ` ${row.dataset.finds}`.includes(` ${word}`));
    found += !row.hidden;
  });
  for (const family of families)
    family.hidden = !family.querySelector(".va-emotion:not([hidden])");
  element.querySelector("[data-found]").textContent = !words.length
    ? ""
    : found
      ? `${found} found.`
      : `No emotion is found by “${search.value.trim()}”. Try another word for it.`;
}

element.addEventListener("pointerdown", (event) => {
  held = slider(event.target);
  pointed = true;
});
for (const end of ["pointerup", "pointercancel"])
  element.addEventListener(end, () => {
    held = null;
  });
element.addEventListener("keydown", () => {
  pointed = false;
});
element.addEventListener("input", (event) => {
  if (event.target === search) find();
  else if (slider(event.target)) move(event.target);
});
element.addEventListener("change", (event) => {
  if (!slider(event.target)) return;
  held = null;
  move(event.target);
  if (!strongest.contains(event.target)) arrange();
  tell(pointed ? 0 : PAUSE);
});
element.addEventListener("click", (event) => {
  if (!event.target.closest("[data-clear]")) return;
  emotions = {};
  rows.forEach(paint);
  arrange();
  tell(0);
});
watch("value", draw);
draw();
