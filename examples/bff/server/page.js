// The page has no token and needs none: it asks its own server, which knows the session.
const element = (id) => document.getElementById(id);

// The field says that this page asks, and not another site.
const ask = (path, options = {}) => fetch(path, { ...options, headers: { 'x-bff': '1' } });

async function show(path, options) {
  const answer = await ask(path, options);
  element('login').hidden = answer.status !== 401;
  element('actions').hidden = answer.status === 401;
  const missing = /scope="([^"]*)"/.exec(answer.headers.get('www-authenticate'));
  element('answer').textContent =
    answer.status === 403 && missing ? `You lack ${missing[1]}.` : await answer.text();
}

element('create').onclick = () => show('/api/orders', { method: 'POST', body: 'tea' });
element('logout').onclick = async () => {
  const answer = await ask('/logout', { method: 'POST' });
  location.assign(answer.ok ? (await answer.json()).next : '/');
};
show('/api/orders');
