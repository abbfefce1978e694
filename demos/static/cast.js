// The cast of a scene. `props.value` is {roles: [{character, lines, voice, temperament, why}],
// voices: [[told, name]], temperaments: [word]}.
const table = element.querySelector(".va-scene-cast");

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function choice(label, options, chosen, changed) {
  const list = make("select");
  list.setAttribute("aria-label", label);
  // A blend is no name of the cast.
  if (!options.some(([, name]) => name === chosen)) options = [[chosen, chosen], ...options];
  for (const [told, name] of options) {
    const option = make("option", "", told);
    option.value = name;
    list.append(option);
  }
  list.value = chosen;
  list.addEventListener("change", () => changed(list.value));
  return list;
}

function tell(character, change) {
  const roles = props.value.roles.map((role) =>
    role.character === character ? { ...role, ...change } : role,
  );
  props.value = { ...props.value, roles };
  trigger("input");
}

function draw() {
  const { roles = [], voices = [], temperaments = [] } = props.value ?? {};
  const words = temperaments.map((word) => [word, word]);
  table.replaceChildren(
    ...roles.map((role) => {
      const { character, lines, voice, temperament, why } = role;
      const row = make("fieldset", "va-scene-role");
      const legend = make("legend", "", character);
      legend.append(make("span", "va-scene-quiet", lines === 1 ? " 1 line" : ` ${lines} lines`));
      const asks = (what, list) => {
        const label = make("label");
        label.append(make("span", "", what), list);
        return label;
      };
      row.append(
        legend,
        asks(
          "Voice",
          choice(`Voice of ${character}`, voices, voice, (voice) =>
            tell(character, { voice, why: "" }),
          ),
        ),
        asks(
          "Temperament",
          choice(`Temperament of ${character}`, words, temperament, (temperament) =>
            tell(character, { temperament }),
          ),
        ),
      );
      if (why) row.append(make("p", "va-scene-quiet", `Chosen for: ${why}`));
      return row;
    }),
  );
}

watch("value", draw);
draw();
