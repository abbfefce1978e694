// The pad of valence and arousal. `props.value` is {valence, arousal, heard: [[label, v, a], …]}.
const STEP = 0.05; // of an arrow key
const PAUSE = 250; // ms; whoever presses a key again meant to go on
const KEYS = {
  ArrowLeft: ["valence", -STEP],
  ArrowRight: ["valence", STEP],
  ArrowDown: ["arousal", -STEP],
  ArrowUp: ["arousal", STEP],
};
const WORDS = { valence: ["unpleasant", "pleasant"], arousal: ["calm", "excited"] };

const square = element.querySelector(".va-pad-square");
const dot = element.querySelector(".va-pad-dot");
const inputs = Object.fromEntries(
  [...square.querySelectorAll("input")].map((input) => [input.dataset.axis, input]),
);
let point = { valence: 0, arousal: 0 };
let dragging = false;
let pause = null;

const kept = (value) => Math.round(100 * Math.min(1, Math.max(-1, Number(value) || 0))) / 100;
const put = (node, valence, arousal) => {
  node.style.left = `${50 * (1 + valence)}%`;
  node.style.top = `${50 * (1 - arousal)}%`;
};
const told = (axis, value) =>
  Math.abs(value) < 0.005
    ? `neither ${WORDS[axis].join(" nor ")}`
    : `${WORDS[axis][Number(value > 0)]} ${Math.round(100 * Math.abs(value))}%`;
const both = (valence, arousal) =>
  Math.abs(valence) < 0.005 && Math.abs(arousal) < 0.005
    ? "neutral"
    : [["valence", valence], ["arousal", arousal]]
        .filter(([, value]) => Math.abs(value) >= 0.005)
        .map(([axis, value]) => told(axis, value))
        .join(", ");

function paint() {
  put(dot, point.valence, point.arousal);
  for (const axis in inputs) {
    inputs[axis].value = point[axis];
    inputs[axis].setAttribute("aria-valuetext", told(axis, point[axis]));
  }
  element.querySelector("[data-told]").textContent = both(point.valence, point.arousal);
}

function paintHeard() {
  const heard = (props.value?.heard ?? []).map(([label, valence, arousal]) => ({
    label,
    valence: kept(valence),
    arousal: kept(arousal),
  }));
  const marks = heard.map(({ label, valence, arousal }) => {
    const mark = document.createElement("span");
    mark.className = "va-pad-heard";
    mark.append(document.createElement("span"));
    mark.firstChild.textContent = label;
    put(mark, valence, arousal);
    return mark;
  });
  element.querySelector("[data-heard]").replaceChildren(...marks);
  spread(marks);
  element.querySelector("[data-list]").replaceChildren(
    ...heard.map(({ label, valence, arousal }) => {
      const item = document.createElement("li");
      item.textContent = `${label}: ${both(valence, arousal)}`;
      return item;
    }),
  );
}

// Puts each label beside its dot, where it hides no other dot or label, and no word if possible.
function spread(marks) {
  const boxes = (nodes) => [...nodes].map((node) => node.getBoundingClientRect());
  const frame = square.getBoundingClientRect();
  const words = boxes(square.querySelectorAll(".va-pad-axis, .va-pad-name, .va-pad-dot"));
  const taken = boxes(marks);
  const apart = (box, other) =>
    box.right <= other.left ||
    box.left >= other.right ||
    box.bottom <= other.top ||
    box.top >= other.bottom;
  const inside = (box) =>
    box.left >= frame.left &&
    box.right <= frame.right &&
    box.top >= frame.top &&
    box.bottom <= frame.bottom;
  for (const mark of marks) {
    const label = mark.firstChild;
    const { offsetWidth: width, offsetHeight: height } = label;
    const places = [0, 1, 2].flatMap((row) => [
      [10, (row - 0.5) * height],
      [-width - 6, (row - 0.5) * height],
      [10, (-row - 0.5) * height],
      [-width - 6, (-row - 0.5) * height],
      [-width / 2, -8 - (row + 1) * height],
      [-width / 2, 8 + row * height],
    ]);
    const free = (avoided) =>
      places.some(([left, top]) => {
        label.style.left = `${left}px`;
        label.style.top = `${top}px`;
        const box = label.getBoundingClientRect();
        return inside(box) && avoided.every((other) => apart(box, other));
      });
    const found = free([...taken, ...words]) || free(taken);
    label.style.visibility = found ? "" : "hidden"; // told in the list all the same
    if (found) taken.push(label.getBoundingClientRect());
  }
}

function draw() {
  const { valence, arousal } = props.value ?? {};
  // What the user sets is newer than what the server answers.
  if (!dragging && pause === null) point = { valence: kept(valence), arousal: kept(arousal) };
  paint();
  paintHeard();
}

function tell(wait) {
  const keep = () => (props.value = { ...point, heard: props.value?.heard ?? [] });
  keep();
  clearTimeout(pause);
  pause = setTimeout(() => {
    pause = null;
    keep(); // an answer to an earlier move may have come meanwhile
    trigger("input");
  }, wait);
}

function follow(event) {
  const { left, top, width, height } = square.getBoundingClientRect();
  point = {
    valence: kept((2 * (event.clientX - left)) / width - 1),
    arousal: kept(1 - (2 * (event.clientY - top)) / height),
  };
  paint();
}

square.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault(); // selects no text
  dragging = true;
  square.setPointerCapture(event.pointerId);
  inputs.valence.focus({ preventScroll: true });
  follow(event);
});
square.addEventListener("pointermove", (event) => {
  if (dragging) follow(event);
});
square.addEventListener("pointerup", () => {
  if (!dragging) return;
  dragging = false;
  tell(0);
});
square.addEventListener("pointercancel", () => {
  dragging = false;
  draw();
});
square.addEventListener("keydown", (event) => {
  if (!(event.key in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const [axis, step] = KEYS[event.key];
  point[axis] = kept(point[axis] + step);
  inputs[axis].focus({ preventScroll: true }); // what moves is what is read out
  paint();
  tell(PAUSE);
});
square.addEventListener("input", (event) => {
  point[event.target.dataset.axis] = kept(event.target.value);
  paint();
  tell(PAUSE);
});
element.addEventListener("click", (event) => {
  if (!event.target.closest("[data-middle]")) return;
  point = { valence: 0, arousal: 0 };
  paint();
  tell(0);
});
watch("value", draw);
new ResizeObserver(paintHeard).observe(square); // also when its tab is opened
draw();
