// What is being done: one lasting element whose words change, so that they are read out once.
const said = document.createElement('span');
said.setAttribute('role', 'status');
const bar = document.createElement('progress');
bar.setAttribute('aria-label', 'Speaking');
element.querySelector('.va-curve-status').append(said, bar);

const show = () => {
  const { said: words, share } = props.value;
  if (said.textContent !== words) said.textContent = words;
  bar.hidden = !words;
  if (share === null) bar.removeAttribute('value');
  else bar.value = share;
};
watch('value', show);
show();
