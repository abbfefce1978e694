// The examples carry the address at which this page was opened, and can be copied.
const here = new URL('.', location.href).href;
for (const code of element.querySelectorAll('pre code')) {
  code.textContent = code.textContent.replaceAll('http://127.0.0.1:7860/', here);
}

// Only a page from this machine or over https may use the clipboard; elsewhere a selection does.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    document.execCommand('copy');
  }
}

element.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  await copy(button.parentElement.querySelector('code'));
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
});
