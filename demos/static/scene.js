// The lines of a scene. `props.value` is {lines: [...], told, step: {label, share} or null, zip}.
const list = element.querySelector(".va-scene-lines");
const told = element.querySelector(".va-scene-told [role=status]");
const link = element.querySelector(".va-scene-told a");
const progress = element.querySelector(".va-scene-progress");
const states = { new: "not spoken yet", spoken: "spoken", changed: "changed since it was spoken" };
const cards = new Map(); // id -> its card, and the line that it shows, as text
let playing = null; // the card from which all is played
let fetched = "";

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(words, name, clicked) {
  const made = make("button", "va-quiet");
  made.type = "button";
  made.dataset.name = name;
  made.addEventListener("click", clicked);
  call(made, words);
  return made;
}

// What a button says, and to whom it does it.
function call(made, words) {
  made.textContent = words;
  made.setAttribute("aria-label", `${words}: ${made.dataset.name}`);
}

function card(line) {
  const made = make("li", "va-scene-line");
  made.innerHTML =
    '<div class="va-scene-head"><b></b><span data-to></span><span data-voice></span>' +
    '<span class="va-scene-state"></span></div><p class="va-scene-text"></p>' +
    '<p class="va-scene-notes"></p><div class="va-scene-felt"></div>' +
    "<details><summary>Why</summary><ul></ul></details>" +
    '<label class="va-scene-direction"><span>Direction</span><input type="text" maxlength="1000" ' +
    'autocomplete="off" placeholder="none: the scene decides"></label>' +
    '<div class="va-scene-sound"><audio controls preload="none"></audio>' +
    '<span class="va-scene-quiet" data-seconds></span></div>';
  const name = `line ${line.number}, ${line.character}`;
  const asks = made.querySelector("input");
  asks.setAttribute("aria-label", `Direction of ${name}`);
  asks.addEventListener("change", () =>
    trigger("redirect", { id: line.id, direction: asks.value }),
  );
  const audio = made.querySelector("audio");
  audio.setAttribute("aria-label", `Line ${line.number}, ${line.character}`);
  audio.addEventListener("play", () => {
    for (const other of list.querySelectorAll("audio")) if (other !== audio) other.pause();
    if (playing && playing !== made) playAll(null);
  });
  audio.addEventListener("ended", () => {
    if (playing === made) playAll(next(made));
  });
  made.querySelector(".va-scene-sound").append(
    button("Again", name, () => trigger("again", { id: line.id })),
    button("Play all from here", name, () => playAll(playing === made ? null : made)),
  );
  return made;
}

function next(made) {
  const order = [...list.children];
  return order.slice(order.indexOf(made) + 1).find((other) => other.querySelector("audio").src);
}

function playAll(made) {
  if (playing) {
    const before = playing;
    playing = null;
    before.querySelector("audio").pause();
    before.classList.remove("va-scene-playing");
    call(before.querySelector(".va-scene-sound button:last-child"), "Play all from here");
  }
  if (!made) return;
  if (!made.querySelector("audio").src) made = next(made);
  if (!made) return;
  playing = made;
  made.classList.add("va-scene-playing");
  call(made.querySelector(".va-scene-sound button:last-child"), "Stop");
  made.scrollIntoView({ block: "nearest" });
  const audio = made.querySelector("audio");
  audio.currentTime = 0;
  audio.play().catch(() => {}); // stopped before it began
}

function felt(what, kind, emotions) {
  const row = make("div", `va-scene-${kind}`);
  row.append(make("span", "va-scene-quiet", what));
  if (!emotions.length) row.append(make("span", "", "neutral"));
  for (const [name, value] of emotions) {
    const chip = make("span", "va-scene-chip");
    const bar = make("i");
    bar.style.width = `${Math.round(100 * value)}%`;
    chip.append(make("span", "", `${name} ${value.toFixed(2)}`), bar);
    row.append(chip);
  }
  return row;
}

function show(made, line) {
  made.dataset.state = line.state;
  made.querySelector("b").textContent = line.character;
  made.querySelector("[data-to]").textContent = line.to ? `to ${line.to}` : "";
  made.querySelector("[data-voice]").textContent = line.voice;
  made.querySelector(".va-scene-state").textContent = states[line.state];
  made.querySelector(".va-scene-text").textContent = line.text;
  made.querySelector(".va-scene-notes").textContent = line.notes.join(" ");
  const rows = [felt("Asked", "asked", line.asked)];
  if (line.heard) rows.push(felt("Heard", "heard", line.heard));
  made.querySelector(".va-scene-felt").replaceChildren(...rows);
  const reasons = [...line.why, `mood before the line: ${line.mood}`];
  made.querySelector("ul").replaceChildren(...reasons.map((why) => make("li", "", why)));
  const asks = made.querySelector("input");
  if (asks !== document.activeElement) asks.value = line.direction;
  const audio = made.querySelector("audio");
  audio.hidden = !line.url;
  if (line.url && audio.getAttribute("src") !== line.url) audio.src = line.url;
  if (!line.url) audio.removeAttribute("src");
  made.querySelector("[data-seconds]").textContent = line.url ? `${line.seconds} s` : "";
  const [again, all] = made.querySelectorAll(".va-scene-sound button");
  call(again, line.state === "spoken" ? "Again" : "Speak");
  all.hidden = !line.url;
}

function draw() {
  const value = props.value ?? {};
  const lines = value.lines ?? [];
  const kept = new Set(lines.map((line) => line.id));
  for (const [id, { made }] of cards)
    if (!kept.has(id)) {
      if (playing === made) playAll(null);
      made.remove();
      cards.delete(id);
    }
  lines.forEach((line, index) => {
    const text = JSON.stringify(line);
    let shown = cards.get(line.id);
    // Whose number or name is another has other labels.
    if (shown && (shown.number !== line.number || shown.character !== line.character)) {
      shown.made.remove();
      shown = null;
    }
    if (!shown) {
      shown = { made: card(line), number: line.number, character: line.character };
      cards.set(line.id, shown);
    }
    if (shown.text !== text) show(shown.made, line);
    shown.text = text;
    if (list.children[index] !== shown.made) list.insertBefore(shown.made, list.children[index] ?? null);
  });
  const step = value.step;
  progress.hidden = !step;
  if (step) {
    progress.querySelector("label").textContent = step.label;
    const bar = progress.querySelector("progress");
    bar.value = step.share;
    bar.setAttribute("aria-label", step.label);
  }
  // What has not changed is not to be read out again.
  if (told.textContent !== (value.told ?? "")) told.textContent = value.told ?? "";
  link.hidden = !value.zip;
  if (value.zip && fetched !== value.zip) {
    link.href = fetched = value.zip;
    link.click();
  }
}

watch("value", draw);
draw();
