// The words of a line in a row: choosing them, and marking the one that is heard.
const made = (tag, classes, text) => {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
};
const root = element.querySelector('.va-ribbon');
const list = made('div', 'va-ribbon-words');
list.setAttribute('role', 'listbox');
list.setAttribute('aria-label', 'Words of the line');
list.setAttribute('aria-multiselectable', 'true');
list.dir = 'auto';
const told = made('p', 'va-ribbon-told');
told.setAttribute('role', 'status');
const drawn = made('ul', 'va-ribbon-stretches');
drawn.setAttribute('aria-label', 'What is drawn');
root.append(list, told, drawn);

let nodes = [];
let chosen = null; // [anchor, other end], in the order in which they were chosen
let focus = 0;
let open = false; // whether the next click chooses the last word
let dragged = null;

const value = () => props.value || {};
const words = () => value().words || [];
const stretches = () => value().stretches || [];
const sorted = () => chosen && [Math.min(...chosen), Math.max(...chosen)];
const text = (first, last) => words().slice(first, last + 1).map((word) => word.text).join(' ');
const short = (long) => (long.length > 60 ? `${long.slice(0, 36)} … ${long.slice(-20)}` : long);

const percent = (share) => `${Math.round(100 * share)}%`;
const band = ([family, name, from, to]) => {
  const node = made('i', `va-ribbon-band va-family-${family}`);
  const top = (share) => percent(1 - share);
  node.style.setProperty('--va-from', top(from));
  node.style.setProperty('--va-to', top(to));
  return node;
};
const asked = (word) =>
  word.bands.map(([, name, from, to]) =>
    from === to ? `${name} ${percent(from)}` : `${name} ${percent(from)} to ${percent(to)}`,
  ).join(', ');
const family = (stretch) => {
  const bands = words().slice(stretch.first, stretch.last + 1).flatMap((word) => word.bands);
  const strongest = bands.sort((one, other) => Math.max(other[2], other[3]) - Math.max(one[2], one[3]))[0];
  return strongest ? `va-family-${strongest[0]}` : 'va-family-none';
};

const show = () => {
  const range = sorted();
  nodes.forEach((node, index) => {
    const inside = range !== null && index >= range[0] && index <= range[1];
    node.setAttribute('aria-selected', inside);
    node.tabIndex = index === focus ? 0 : -1;
  });
  if (!nodes.length) told.textContent = 'Write a line; its words stand here.';
  else if (range === null) told.textContent = 'Choose words: click the first and the last, drag, or use the arrow keys with Shift.';
  else {
    const count = range[1] - range[0] + 1;
    const which = count === 1 ? `word ${range[0] + 1}` : `words ${range[0] + 1} to ${range[1] + 1}`;
    told.textContent = `Chosen: “${short(text(...range))}” (${which} of ${nodes.length}).`;
  }
};

const build = () => {
  const focused = list.contains(document.activeElement);
  nodes = words().map((word, index) => {
    const node = made('span', 'va-ribbon-word');
    node.setAttribute('role', 'option');
    node.setAttribute('aria-posinset', index + 1);
    node.setAttribute('aria-setsize', words().length);
    const said = asked(word);
    if (said) node.setAttribute('aria-description', said);
    node.title = said;
    const stretch = stretches().find((each) => each.first <= index && index <= each.last);
    const label = made('span', 'va-ribbon-label');
    label.setAttribute('aria-hidden', 'true');
    if (stretch) {
      node.classList.add('va-ribbon-drawn', family(stretch));
      if (stretch.first === index) {
        label.textContent = stretch.label;
        node.classList.add('va-ribbon-first');
      }
    }
    const bands = made('span', 'va-ribbon-bands');
    bands.append(...word.bands.map(band));
    node.append(label, made('bdi', 'va-ribbon-said', word.text), bands);
    return node;
  });
  list.replaceChildren(...nodes);
  focus = Math.min(focus, Math.max(nodes.length - 1, 0));
  const held = drawn.contains(document.activeElement) ? document.activeElement : null;
  drawn.replaceChildren(...stretches().map((stretch, index) => {
    const item = made('li', family(stretch));
    const over = text(stretch.first, stretch.last);
    const choose = made('button', 'va-ribbon-choose');
    choose.type = 'button';
    choose.dataset.stretch = index;
    choose.append(made('b', '', stretch.label), made('bdi', '', `“${short(over)}”`));
    const remove = made('button', 'va-ribbon-remove', '×');
    remove.type = 'button';
    remove.dataset.stretch = index;
    remove.setAttribute('aria-label', `Remove ${stretch.label} from “${short(over)}”`);
    item.append(choose, remove);
    return item;
  }));
  show();
  // Of a stretch that goes, the focus passes to the next one, or to the words.
  const same = held ? [...drawn.getElementsByClassName(held.className)] : [];
  const next = same[Math.min(held?.dataset.stretch, same.length - 1)];
  const goal = next || ((focused || held) && nodes[focus]);
  if (goal) goal.focus({ preventScroll: true });
};

const keep = () => { props.value = { ...value(), selected: sorted() }; };
const select = (anchor, other) => {
  chosen = anchor === null ? null : [anchor, other];
  if (other !== undefined) focus = other;
  show();
};
const settle = () => {
  keep();
  if (chosen) trigger('chosen', { first: sorted()[0], last: sorted()[1] });
};
const at = (event) => nodes.indexOf(event.target.closest('.va-ribbon-word'));

list.addEventListener('pointerdown', (event) => {
  dragged = event.pointerType === 'mouse' && event.button === 0 && !event.shiftKey ? at(event) : null;
});
list.addEventListener('pointerover', (event) => {
  const index = at(event);
  if (dragged === null || dragged < 0 || index < 0 || !(event.buttons & 1)) return;
  if (index !== dragged || (chosen && chosen[0] === dragged)) {
    open = false;
    select(dragged, index);
  }
});
document.addEventListener('pointerup', () => {
  if (dragged !== null && chosen && chosen[0] === dragged && chosen[1] !== dragged) settle();
  dragged = null;
});
list.addEventListener('click', (event) => {
  const index = at(event);
  if (index < 0) return;
  if (chosen && (event.shiftKey || (open && index !== chosen[0]))) {
    select(chosen[0], index);
    open = false;
  } else {
    select(index, index);
    open = true;
  }
  nodes[focus].focus({ preventScroll: true });
  settle();
});
list.addEventListener('keydown', (event) => {
  if (!nodes.length || event.ctrlKey && event.key !== 'a' || event.metaKey || event.altKey) return;
  const forward = getComputedStyle(list).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
  const backward = forward === 'ArrowLeft' ? 'ArrowRight' : 'ArrowLeft';
  const goal = {
    [forward]: focus + 1, ArrowDown: focus + 1, [backward]: focus - 1, ArrowUp: focus - 1,
    Home: 0, End: nodes.length - 1,
  }[event.key];
  if (event.ctrlKey) select(0, nodes.length - 1);
  else if (event.key === 'Escape') select(null);
  else if (event.key === ' ' || event.key === 'Enter') select(focus, focus);
  else if ((event.key === 'Delete' || event.key === 'Backspace') && chosen) {
    trigger('removed', { first: sorted()[0], last: sorted()[1] });
  } else if (goal !== undefined) {
    const index = Math.min(Math.max(goal, 0), nodes.length - 1);
    select(event.shiftKey && chosen ? chosen[0] : event.shiftKey ? focus : index, index);
  } else return;
  event.preventDefault();
  open = false;
  if (document.activeElement !== nodes[focus]) nodes[focus].focus();
  settle();
});
// A word that is reached by Tab is where the arrow keys, with Shift or without, go on from.
list.addEventListener('focusin', (event) => {
  const index = at(event);
  if (index >= 0 && index !== focus) { focus = index; show(); }
});
drawn.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const { first, last } = stretches()[Number(button.dataset.stretch)];
  if (button.className === 'va-ribbon-remove') {
    trigger('removed', { first, last });
    return;
  }
  select(first, last);
  open = false;
  settle();
});

// What is heard: media events do not bubble, but pass here on their way down.
let player = null;
const mark = () => {
  const now = player ? player.currentTime : -1;
  const times = value().times || [];
  const heard = player && !player.ended && now > 0
    ? times.findIndex((time) => time && time[0] <= now && now < time[1]) : -1;
  nodes.forEach((node, index) => node.classList.toggle('va-ribbon-playing', index === heard));
};
const follow = () => {
  if (!player || !player.isConnected) player = null;
  mark();
  if (player && !player.paused && !player.ended) requestAnimationFrame(follow);
};
for (const name of ['play', 'playing', 'timeupdate', 'seeked', 'pause', 'ended']) {
  document.addEventListener(name, (event) => {
    if (!(event.target instanceof Element) || !event.target.matches('.va-curve-audio')) return;
    player = event.target;
    if (name === 'play') follow();
    else mark();
  }, true);
}

let before = '';
const renew = () => {
  const texts = JSON.stringify(words().map((word) => word.text));
  if (texts !== before) {
    chosen = null;
    open = false;
  }
  before = texts;
  build();
  keep();
};
watch('value', renew);
renew();
