// The takes on the table and on the shelf. A card that stays is only changed where it must be, so
// that what is being listened to plays on while its score arrives.
const table = element.querySelector('.va-take-table');
const made = (tag, classes, text) => {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
};

const status = made('div', 'va-take-status');
const said = made('span');
said.setAttribute('role', 'status');
const bar = made('progress');
bar.setAttribute('aria-label', 'Speaking');
bar.max = 1;
status.append(said, bar);

const shelf = (name, classes, empty) => {
  const section = made('section', classes);
  section.setAttribute('aria-label', name);
  const grid = made('div', 'va-cards');
  const nothing = made('p', 'va-take-nothing', empty);
  section.append(made('h3', '', name), nothing, grid);
  return { section, grid, nothing, cards: new Map() };
};
const takes = shelf('Takes', 'va-taken', 'Nothing is spoken yet. Write a line, say how, and press Speak (or Ctrl+Enter).');
const kept = shelf('Kept takes', 'va-kept', '');
takes.section.tabIndex = -1; // has the focus when the last kept card goes
table.append(status, takes.section, kept.section);

// One card: its parts, and what they show.
const begin = (card, shelved) => {
  const article = made('article', 'va-card');
  article.dataset.id = card.id;
  const head = made('header');
  const title = made('h4', '', card.title);
  const best = made('span', 'va-card-best', 'Best');
  const score = made('span', 'va-card-score');
  head.append(title, best, score);
  const told = made('p', 'va-card-told');
  told.append(made('span', 'va-card-text', card.text), made('span', 'va-card-direction', `${card.voice} · ${card.direction}`));
  const players = made('div', 'va-card-players');
  const player = (name) => {
    const audio = made('audio');
    audio.controls = true;
    audio.preload = 'auto';
    audio.setAttribute('aria-label', `${card.title}, ${name}`);
    return audio;
  };
  const take = player('as directed');
  const own = player("the voice's own reading");
  own.hidden = true;
  const hearing = made('span', 'va-card-hearing');
  hearing.setAttribute('role', 'status');
  players.append(take, own, hearing);
  const buttons = made('div', 'va-card-buttons');
  const button = (does, text, name) => {
    const node = made('button', `va-card-${does}`, text);
    node.type = 'button';
    node.dataset.does = does;
    node.setAttribute('aria-label', name);
    buttons.append(node);
    return node;
  };
  const compare = button('compare', 'A/B', `A/B, ${card.title}: compare with the voice's own reading`);
  compare.title = "Switch between this take and the voice's own reading (key B)";
  compare.setAttribute('aria-pressed', 'false');
  const keep = shelved
    ? button('drop', 'Remove', `Remove ${card.title} from the kept takes`)
    : button('keep', 'Keep', `Keep ${card.title}`);
  const links = {};
  for (const kind of ['wav', 'ogg', 'json']) {
    const link = made('a', 'va-card-download', kind === 'json' ? 'JSON' : kind);
    link.setAttribute('aria-label', `Download ${card.title} as ${kind}`);
    link.download = `${card.name}.${kind}`;
    buttons.append(link);
    links[kind] = link;
  }
  const reason = made('p', 'va-card-reason');
  // On the shelf the drawings are folded away.
  const drawings = made(shelved ? 'details' : 'div', 'va-card-drawn');
  const drawn = shelved ? made('div', 'va-card-drawn') : drawings;
  if (shelved) drawings.append(made('summary', '', 'What was heard'), drawn);
  article.append(head, told, players, buttons, reason, drawings);
  return { article, best, score, take, own, compare, keep, links, reason, drawn, card: {} };
};

const update = (parts, card, shelved) => {
  const before = parts.card;
  const { take, own } = parts;
  if (before.wav !== card.wav) take.src = card.wav;
  if (before.neutral !== card.neutral && card.neutral) own.src = card.neutral;
  for (const kind of ['wav', 'ogg', 'json']) parts.links[kind].href = card[kind];
  parts.compare.disabled = !card.neutral;
  parts.best.hidden = !(card.id === props.value.best && !shelved);
  parts.score.textContent = card.score || (card.id === props.value.hearing ? 'listening …' : '');
  parts.reason.textContent = card.reason;
  if (before.pictures !== card.pictures) {
    parts.drawn.innerHTML = card.pictures; // drawn and escaped by the studio
    parts.drawn.hidden = !card.pictures;
  }
  if (!shelved) {
    const is = props.value.kept.some((other) => other.id === card.id);
    // Not `disabled`, which would take the focus away.
    parts.keep.textContent = is ? 'Kept' : 'Keep';
    parts.keep.setAttribute('aria-label', `${parts.keep.textContent} ${card.title}`);
    parts.keep.setAttribute('aria-disabled', String(is));
  }
  parts.card = card;
};

const lay = (place, cards, shelved) => {
  const ids = new Set(cards.map((card) => card.id));
  let lost = null; // the place in the row of the card that goes with the focus
  for (const [index, [id, parts]] of [...place.cards].entries()) {
    if (ids.has(id)) continue;
    if (parts.article.contains(document.activeElement)) lost = index;
    parts.article.remove();
    place.cards.delete(id);
  }
  const fresh = [];
  for (const card of cards) {
    let parts = place.cards.get(card.id);
    if (!parts) {
      parts = begin(card, shelved);
      place.cards.set(card.id, parts);
      place.grid.append(parts.article);
      fresh.push(parts);
    }
    update(parts, card, shelved);
  }
  place.section.hidden = shelved && !cards.length;
  place.nothing.hidden = cards.length > 0;
  if (lost !== null) {
    const left = [...place.cards.values()];
    const next = left[Math.min(lost, left.length - 1)];
    (next ? next.keep : takes.section).focus({ preventScroll: true });
  }
  return fresh;
};

const show = (loud) => {
  const { status: words, share, takes: spoken, kept: shelved } = props.value;
  said.textContent = words;
  bar.hidden = !words || !words.endsWith('…');
  if (share === null) bar.removeAttribute('value');
  else bar.value = share;
  const alone = spoken.length === 1;
  const fresh = lay(takes, spoken, false);
  lay(kept, shelved, true);
  takes.grid.classList.toggle('va-alone', alone);
  // Who asked for a line wants to hear it; of several takes the first.
  if (loud && alone && fresh.length) fresh[0].take.play().catch(() => {});
};

const partsOf = (node) => {
  const article = node.closest('.va-card');
  const place = article.closest('.va-kept') ? kept : takes;
  return place.cards.get(article.dataset.id);
};

// The other of take and own reading goes on from the same relative place.
const compare = (parts) => {
  const { take, own } = parts;
  if (!parts.card.neutral) return;
  const [from, to] = own.hidden ? [take, own] : [own, take];
  const ended = from.ended || !from.duration;
  const place = ended ? 0 : from.currentTime / from.duration;
  const seek = () => { to.currentTime = place * (to.duration || 0); };
  const started = from.currentTime > 0 || !from.paused;
  from.pause();
  from.hidden = true;
  to.hidden = false;
  if (to.readyState) seek();
  else to.addEventListener('loadedmetadata', seek, { once: true });
  if (started) to.play().catch(() => {});
  const neutral = to === own;
  parts.compare.setAttribute('aria-pressed', String(neutral));
  parts.article.querySelector('.va-card-hearing').textContent = neutral
    ? "Hearing the voice's own reading"
    : 'Hearing the take';
};

element.addEventListener('click', (event) => {
  const pressed = event.target.closest('button[data-does]');
  if (!pressed || pressed.getAttribute('aria-disabled') === 'true') return;
  const parts = partsOf(pressed);
  if (pressed.dataset.does === 'compare') compare(parts);
  if (pressed.dataset.does === 'keep') trigger('keep', { id: parts.card.id });
  if (pressed.dataset.does === 'drop') trigger('drop', { id: parts.card.id });
});

element.addEventListener('keydown', (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (plain && event.key.toLowerCase() === 'b' && event.target.closest('.va-card')) {
    event.preventDefault();
    compare(partsOf(event.target));
  }
});

// One at a time.
element.addEventListener('play', (event) => {
  for (const audio of element.querySelectorAll('audio')) {
    if (audio !== event.target) audio.pause();
  }
}, true);

// Keys of the fields beside the takes: Ctrl+Enter speaks, and a slider that is moved by keys is let
// go of as one that is moved by a pointer.
const fields = element.closest('.va-act');
if (fields) {
  fields.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      fields.querySelector('#va-speak').click();
    }
  }, true);
  fields.addEventListener('keyup', (event) => {
    const moves = /^(Arrow|Page|Home|End)/.test(event.key);
    if (moves && event.target.matches('input[type="range"]')) {
      event.target.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
    }
  });
}

watch('value', () => show(true));
show(false);
